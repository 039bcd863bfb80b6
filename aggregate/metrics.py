"""How well congregations agree with the truth (the same rule on the true identities)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from packed_scenes.data.arrays import pairs_within
from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import Objects

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CongregationScore:
    """Pairs of objects in the same congregation, counted; scores of several scenes add up to pool them.

    Attributes:
        both: pairs together in truth and prediction.
        predicted: pairs together in the prediction.
        true: pairs together in truth.
        n_predicted: number of congregations predicted.
        n_true: number of true congregations.
    """

    both: int = 0
    predicted: int = 0
    true: int = 0
    n_predicted: int = 0
    n_true: int = 0

    @property
    def pairwise_f(self) -> float:
        """F1 over pairs in the same congregation; 1 where neither has any."""
        total = self.predicted + self.true
        return 2 * self.both / total if total else 1.0

    @property
    def count_error(self) -> float:
        """|predicted - true| / true number of congregations; the number predicted where there is none."""
        return abs(self.n_predicted - self.n_true) / max(self.n_true, 1)

    def __add__(self, other: CongregationScore) -> Self:
        return type(self)(**{name: value + getattr(other, name) for name, value in asdict(self).items()})


def congregation_score(true: Objects, predicted: Objects, match: npt.ArrayLike | None = None) -> CongregationScore:
    """Compare congregations of the same objects.

    Args:
        true: objects with true ``cluster`` and ``congregation``.
        predicted: objects with found ``cluster`` and ``congregation``.
        match: (len(predicted),) row of ``true`` for each predicted object, -1 = none; None = row by row. Misses and
            false
            alarms take part in their own side's pairs only.

    Raises:
        InputError: if congregations are not set, or without ``match`` the numbers of objects differ.
    """
    left, right = congregation_keys(true), congregation_keys(predicted)
    if match is None:
        if len(left) != len(right):
            raise InputError(f"without match both must have the same objects, got {len(left)} and {len(right)}")
        match = np.arange(len(right))
    row = np.asarray(match, np.int64)
    hit = (row >= 0) & (right >= 0)
    pairs = np.stack([left[row[hit]], right[hit]], axis=1)
    pairs = pairs[pairs[:, 0] >= 0]
    return CongregationScore(
        both=pairs_within(np.unique(pairs, axis=0, return_counts=True)[1]),
        predicted=pairs_within(np.unique(right[right >= 0], return_counts=True)[1]),
        true=pairs_within(np.unique(left[left >= 0], return_counts=True)[1]),
        n_predicted=len(np.unique(right[right >= 0])),
        n_true=len(np.unique(left[left >= 0])),
    )


def congregation_keys(objects: Objects) -> Ints:
    """Return (N,) one number per congregation of the scene, -1 for objects in none.

    Raises:
        InputError: if ``cluster`` or ``congregation`` is not set.
    """
    if objects.cluster is None or objects.congregation is None:
        raise InputError("objects have no congregations yet", remedy="Call aggregate() on them first.")
    width = int(objects.congregation.max(initial=0)) + 1
    return np.where(objects.congregation < 0, -1, objects.cluster * width + objects.congregation)
