"""What every estimator here shares: checked input, ordered labels, noise kept as -1, scikit-learn's interface.

Vectors are taken by their direction: rows are scaled to unit length, and every distance is the cosine distance 1 -
cos in [0, 2].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.estimator import Estimator
from packed_scenes.cluster.labels import Labels, canonical, noise_share
from packed_scenes.data import InputError

Vectors = npt.NDArray[np.float32]
Pairs = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Hints:
    """What is known about the N rows beside their vectors; each part may be absent (None).

    Attributes:
        xyxy: (N, 4) float64 boxes in pixels of their own scene, origin top-left, x2 and y2 exclusive.
        scene: (N,) int64 number of the scene each row comes from.
        must_link: (M, 2) int64 row pairs that are one identity.
        cannot_link: (M, 2) int64 row pairs that are not.
        exclusive: (N,) int64, rows of one name >= 0 are different identities (two boxes of one picture), unless
            must-links join them.
    """

    xyxy: npt.NDArray[np.float64] | None = None
    scene: npt.NDArray[np.int64] | None = None
    must_link: Pairs | None = None
    cannot_link: Pairs | None = None
    exclusive: npt.NDArray[np.int64] | None = None

    @property
    def constrained(self) -> bool:
        """Whether there is any must-link or cannot-link pair."""
        return any(pairs is not None and len(pairs) > 0 for pairs in (self.must_link, self.cannot_link)) or (
            self.exclusive is not None
        )


class Clusterer(Estimator):
    """Base of the estimators: ``fit`` checks the input, a subclass's ``_cluster`` does the work, the results are
    named by one rule.

    Attributes after ``fit`` (all estimators):
        labels_: (N,) int64; 0 … K-1 by size, largest first, ties by first member; -1 = noise.
        probabilities_: (N,) float32 membership strength in [0, 1]; 0 for noise. A ranking, not a calibrated
            probability.
        n_clusters_: K, without noise.
        noise_share_: share of rows that are noise.
        warnings_: what the user should know about this fit, one line each.
    """

    _uses_constraints = False

    labels_: Labels
    probabilities_: npt.NDArray[np.float32]
    n_clusters_: int
    noise_share_: float
    warnings_: list[str]

    def fit(
        self,
        X: npt.ArrayLike,
        y: Any = None,
        *,
        xyxy: npt.ArrayLike | None = None,
        scene: npt.ArrayLike | None = None,
        must_link: npt.ArrayLike | None = None,
        cannot_link: npt.ArrayLike | None = None,
        exclusive: npt.ArrayLike | None = None,
    ) -> Self:
        """Cluster the rows of X.

        Args:
            X: (N, D) vectors, any float type; rows are scaled to unit length.
            y: ignored, there for scikit-learn.
            xyxy: (N, 4) boxes in pixels; estimators without a spatial prior ignore them.
            scene: (N,) scene of each row, integers or strings.
            must_link: (M, 2) row pairs of one identity.
            cannot_link: (M, 2) row pairs of different identities.
            exclusive: (N,) integers; rows of one number >= 0 are different identities, as two boxes of one picture
                are where a thing is shown once. Must-links come first.

        Raises:
            InputError: for NaN, infinite or zero rows, wrong shapes, no rows, or constraints that contradict each
                other.
        """
        rows = check_vectors(X, estimator=self)
        hints = _check_hints(
            len(rows), xyxy=xyxy, scene=scene, must_link=must_link, cannot_link=cannot_link, exclusive=exclusive
        )
        self.warnings_ = []
        if hints.constrained and not self._uses_constraints:
            self.warnings_.append(f"{type(self).__name__} ignores what must or must not be linked; use AverageLinkage")
        raw, strength = self._cluster(rows, hints)
        self.labels_ = canonical(raw)
        self.probabilities_ = np.where(self.labels_ < 0, 0, np.clip(strength, 0, 1)).astype(np.float32)
        self.n_clusters_ = int(self.labels_.max(initial=-1)) + 1
        self.noise_share_ = noise_share(self.labels_)
        return self

    def fit_predict(self, X: npt.ArrayLike, y: Any = None, **hints: Any) -> Labels:
        """Cluster the rows of X and return ``labels_``; arguments as in :meth:`fit`."""
        return self.fit(X, y, **hints).labels_

    def _cluster(self, X: Vectors, hints: Hints) -> tuple[Labels, npt.NDArray[Any]]:
        """Return (N,) labels under any names and (N,) membership strengths for (N, D) float32 unit rows."""
        raise NotImplementedError


def check_vectors(X: npt.ArrayLike, *, estimator: Clusterer | None = None) -> Vectors:
    """Return X as (N, D) float32 unit rows.

    Raises:
        InputError: if X is not two-dimensional, empty, complex, or has a NaN, infinite or zero row.
    """
    try:
        rows = (estimator or Estimator())._validate(X)
    except (ValueError, TypeError) as error:
        raise InputError(f"vectors must be finite numbers of shape (N, D): {error}") from error
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    zero = np.flatnonzero(length[:, 0] < np.finfo(np.float64).tiny * 1e6)
    if len(zero):
        raise InputError(
            f"row {zero[0]} of the vectors is all zero, so it has no direction ({len(zero)} such rows)",
            remedy="Leave these rows out or repair their embedding",
        )
    return np.ascontiguousarray(rows / length, np.float32)


def _check_hints(
    count: int,
    *,
    xyxy: npt.ArrayLike | None,
    scene: npt.ArrayLike | None,
    must_link: npt.ArrayLike | None,
    cannot_link: npt.ArrayLike | None,
    exclusive: npt.ArrayLike | None,
) -> Hints:
    boxes = None if xyxy is None else np.asarray(xyxy, np.float64)
    if boxes is not None and (boxes.shape != (count, 4) or not np.isfinite(boxes).all()):
        raise InputError(f"xyxy must be finite and have shape ({count}, 4), got {boxes.shape}")
    scenes = None if scene is None else np.asarray(scene)
    if scenes is not None and scenes.shape != (count,):
        raise InputError(f"scene must have shape ({count},), got {scenes.shape}")
    return Hints(
        xyxy=boxes,
        scene=None if scenes is None else np.unique(scenes, return_inverse=True)[1].astype(np.int64),
        must_link=_check_pairs("must_link", must_link, count),
        cannot_link=_check_pairs("cannot_link", cannot_link, count),
        exclusive=_check_exclusive(exclusive, count),
    )


def _check_exclusive(exclusive: npt.ArrayLike | None, count: int) -> npt.NDArray[np.int64] | None:
    if exclusive is None:
        return None
    array = np.asarray(exclusive)
    if array.shape != (count,) or array.dtype.kind not in "iu":
        raise InputError(f"exclusive must be whole numbers of shape ({count},), got {array.shape} of {array.dtype}")
    return array.astype(np.int64)


def _check_pairs(name: str, pairs: npt.ArrayLike | None, count: int) -> Pairs | None:
    if pairs is None:
        return None
    array = np.asarray(pairs)
    if not array.size:
        return np.zeros((0, 2), np.int64)
    if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind not in "iu":
        raise InputError(f"{name} must be whole row numbers of shape (M, 2), got {array.shape} of {array.dtype}")
    if array.min() < 0 or array.max() >= count:
        raise InputError(f"{name} must hold row numbers 0 … {count - 1}, got {array.min()} … {array.max()}")
    return array.astype(np.int64)
