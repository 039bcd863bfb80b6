"""Novelty detection: whether a picture is outside the domain that a detector was trained on, by the boxes it gives.

A detector gives boxes on a street or in a fridge as it does on a shelf. What distinguishes them is the set of boxes as
a whole: goods are many, similar in size, fill the picture and have high scores. A logistic rule over these four says
whether the boxes are probably wrong; its coefficients are fitted to each set of weights
(``detect.training.novelty_rule``) and stand in their card, so weights without them give no warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError, Objects

MIN_SAME_SIZE = 2  # other boxes of its size that a box of goods has
SAME_SIZE = 0.2  # distance of two sizes (logarithms of width and height) up to which boxes are of one size
ALL_PAIRS_ROWS = 1000  # boxes up to which all pairs are faster than importing SciPy
FEATURES = ("score", "count", "kin", "filled")


@dataclass(frozen=True)
class NoveltyRule:
    """The logistic rule of a card.

    Attributes:
        weights: of each feature of :data:`FEATURES`.
        bias: the picture is novel where bias + sum of weight x feature is above 0.
        doubtful: score under which a box is doubtful.
        learned: what the detector was trained on, for the sentence.
    """

    weights: Mapping[str, float]
    bias: float
    doubtful: float
    learned: str

    @classmethod
    def read(cls, about: Mapping[str, Any]) -> Self:
        """Read the entry ``familiar`` of a card.

        Raises:
            InputError: if it lacks a number.
        """
        try:
            weights = {name: float(about["weights"][name]) for name in FEATURES}
            return cls(weights, float(about["bias"]), float(about["doubtful"]), str(about["learned"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"the card's novelty rule cannot be read ({error})", remedy="Correct the card.") from error

    def novelty(self, objects: Objects, *, width: int, height: int) -> float:
        """Logit of novelty: above 0 where the picture is outside the domain."""
        found = features(objects.xyxy, _score(objects), width=width, height=height)
        return self.bias + sum(self.weights[name] * value for name, value in found.items())

    def warn(self, objects: Objects, *, confidence: float, width: int, height: int) -> tuple[str, ...]:
        """One sentence for the user, or none.

        Args:
            objects: what was found; only scores of at least ``confidence``, that of the fit, are judged,
                so that a lower threshold of the user raises no alarm.
        """
        confident = objects.select(_score(objects) >= confidence)
        if self.novelty(confident, width=width, height=height) <= 0:
            return ()
        unlike = f"unlike the pictures that the detector learned from ({self.learned})"
        if not len(objects):
            return (f"nothing was found: this looks {unlike}; give --weights or --boxes, or draw the boxes in the app",)
        few = int(uncertain_boxes(objects.xyxy, _score(objects), doubtful=self.doubtful).sum())
        doubts = f"{few} of {len(objects)} boxes are doubtful"
        return (f"{doubts}: what was found is {unlike}; give --weights or --boxes, or correct them in the app",)


def features(
    xyxy: npt.NDArray[np.float32], score: npt.NDArray[np.float32], *, width: int, height: int
) -> dict[str, float]:
    """Describe a set of boxes by :data:`FEATURES`.

    ``score``: the median; ``count``: log2 of the number; ``kin``: the share with at least :data:`MIN_SAME_SIZE`
    others of their size; ``filled``: the boxes' share of the picture. All are 0 without boxes.

    Args:
        xyxy: (N, 4) pixels.
        score: (N,).
        width, height: of the picture.
    """
    if not len(xyxy):
        return dict.fromkeys(FEATURES, 0.0)
    size = _sizes(xyxy)
    return {
        "score": float(np.median(score)),
        "count": float(np.log2(len(xyxy))),
        "kin": float(_has_same_size(size).mean()),
        "filled": float(min(1.0, np.exp(size.sum(1)).sum() / (width * height))),
    }


def uncertain_boxes(
    xyxy: npt.NDArray[np.float32], score: npt.NDArray[np.float32], *, doubtful: float
) -> npt.NDArray[np.bool_]:
    """Which boxes are doubtful: a low score, or no other box of their size."""
    return np.asarray((score < doubtful) | ~_has_same_size(_sizes(xyxy), others=1))


def _score(objects: Objects) -> npt.NDArray[np.float32]:
    return objects.score if objects.score is not None else np.ones(len(objects), np.float32)


def _sizes(xyxy: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """(N, 2) logarithms of width and height in pixels."""
    return np.log(np.maximum(xyxy[:, 2:].astype(np.float64) - xyxy[:, :2], 1.0))


def _has_same_size(size: npt.NDArray[np.float64], *, others: int = MIN_SAME_SIZE) -> npt.NDArray[np.bool_]:
    """Whether ``others`` further boxes are of a box's size; memory is linear above :data:`ALL_PAIRS_ROWS` boxes."""
    if len(size) <= ALL_PAIRS_ROWS:
        squared = np.square(size[:, None] - size).sum(2)
        return np.asarray((squared < SAME_SIZE**2).sum(1) > others)
    from scipy.spatial import cKDTree

    distance, _ = cKDTree(size).query(size, k=[others + 1], distance_upper_bound=SAME_SIZE)
    return np.asarray(np.isfinite(distance[:, 0]))
