"""Scores of a clustering against true identities, each with its noise policy named.

All are computed from the sparse contingency table of true x predicted names, so 416,314 rows take a second and
little memory (AMI excepted: its expectation is over all pairs of cluster sizes; it is left out above ``AMI_LIMIT``
rows unless asked for).

Sources: ARI Hubert and Arabie 1985; AMI Vinh et al. 2010 (arithmetic mean); V Rosenberg and Hirschberg 2007; BCubed
Bagga and Baldwin 1998, Amigó et al. 2009; pairwise precision and recall are those of record linkage.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.labels import as_labels, noise_share, singletons
from packed_scenes.data.arrays import pairs_within
from packed_scenes.data.errors import InputError, named

AMI_LIMIT = 10_000


class NoisePolicy(StrEnum):
    """What a score makes of rows labelled -1."""

    SINGLETONS = "singletons"  # each is a cluster of its own: what a user sees, and the default
    DROP = "drop"  # left out: flatters a method that calls hard rows noise, so read noise_share beside it
    ONE = "one"  # all in one cluster: what scikit-learn's functions do with -1


@dataclass(frozen=True)
class PairCounts:
    """Counts of pairs of rows; add the counts of scenes to pool them.

    Attributes:
        both: pairs together in truth and in prediction.
        predicted: pairs together in the prediction.
        true: pairs together in truth.
    """

    both: int = 0
    predicted: int = 0
    true: int = 0

    def __add__(self, other: PairCounts) -> PairCounts:
        return PairCounts(self.both + other.both, self.predicted + other.predicted, self.true + other.true)

    @property
    def precision(self) -> float:
        """Share of predicted pairs that are true; 1 when none was predicted."""
        return self.both / self.predicted if self.predicted else 1.0

    @property
    def recall(self) -> float:
        """Share of true pairs that were predicted; 1 when there is none."""
        return self.both / self.true if self.true else 1.0

    @property
    def f(self) -> float:
        """Harmonic mean of precision and recall."""
        return _harmonic(self.precision, self.recall)


@dataclass(frozen=True)
class ClusteringScores:
    """Scores of one clustering; ``AMI`` is None where it was left out.

    ``count_error`` is abs(k_pred - k_true) / k_true with noise counted by the policy; ``noise_share`` is before any
    policy.
    """

    ARI: float
    AMI: float | None
    V: float
    bcubed_precision: float
    bcubed_recall: float
    bcubed_f: float
    pairwise_precision: float
    pairwise_recall: float
    pairwise_f: float
    k_true: int
    k_pred: int
    count_error: float
    noise_share: float
    noise_policy: str

    def to_dict(self) -> dict[str, float | int | str | None]:
        """Return the fields as a plain dictionary for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class _Table:
    """Sparse contingency: ``cell[i]`` rows share true name ``row[i]`` and predicted name ``column[i]``."""

    cell: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]
    column: npt.NDArray[np.int64]
    true: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]

    @property
    def count(self) -> int:
        return int(self.true.sum())


def score(
    true: npt.ArrayLike,
    predicted: npt.ArrayLike,
    *,
    noise: NoisePolicy | str = NoisePolicy.SINGLETONS,
    ami: bool | None = None,
) -> ClusteringScores:
    """Score predicted labels against true identities.

    Args:
        true: (N,) identities, integers or strings; negative integers are unknown and each its own identity.
        predicted: (N,) labels, -1 = noise.
        noise: what to make of predicted noise.
        ami: compute AMI; None = only up to ``AMI_LIMIT`` rows.

    Raises:
        InputError: if the lengths differ or there are no rows (left).
    """
    y, p, policy = _prepare(true, predicted, noise)
    table = _table(y, p)
    pairs, (precision, recall) = _pairs(table), _bcubed(table)
    k_true, k_pred = len(table.true), len(table.predicted)
    return ClusteringScores(
        ARI=_ari(table, pairs),
        AMI=_ami(y, p) if ami or (ami is None and len(y) <= AMI_LIMIT) else None,
        V=_v_measure(table),
        bcubed_precision=precision,
        bcubed_recall=recall,
        bcubed_f=_harmonic(precision, recall),
        pairwise_precision=pairs.precision,
        pairwise_recall=pairs.recall,
        pairwise_f=pairs.f,
        k_true=k_true,
        k_pred=k_pred,
        count_error=abs(k_pred - k_true) / k_true,
        noise_share=noise_share(as_labels(predicted)),
        noise_policy=policy.value,
    )


def bcubed_f(true: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """BCubed F alone, noise as singletons: for searches that score many cuts (arguments as in :func:`score`)."""
    y, p, _ = _prepare(true, predicted, NoisePolicy.SINGLETONS)
    return _harmonic(*_bcubed(_table(y, p)))


def pair_counts(
    true: npt.ArrayLike, predicted: npt.ArrayLike, *, noise: NoisePolicy | str = NoisePolicy.SINGLETONS
) -> PairCounts:
    """Count pairs together in truth, in prediction and in both (arguments as in :func:`score`)."""
    y, p, _ = _prepare(true, predicted, noise)
    return _pairs(_table(y, p))


def pooled_pairs(scenes: Iterable[PairCounts]) -> PairCounts:
    """Add up the pair counts of scenes, so that large scenes weigh by their pairs."""
    return sum(scenes, PairCounts())


def _prepare(
    true: npt.ArrayLike, predicted: npt.ArrayLike, noise: NoisePolicy | str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], NoisePolicy]:
    policy = named(NoisePolicy, noise, "noise policy")
    y, p = as_labels(true, "true"), as_labels(predicted, "predicted")
    if len(y) != len(p):
        raise InputError(f"true and predicted must have the same length, got {len(y)} and {len(p)}")
    y = singletons(y)
    if policy is NoisePolicy.DROP:
        kept = p >= 0
        y, p = y[kept], p[kept]
    elif policy is NoisePolicy.SINGLETONS:
        p = singletons(p)
    if not len(y):
        raise InputError("nothing to score: no rows" + (" but noise" if policy is NoisePolicy.DROP else ""))
    return y, p, policy


def _table(y: npt.NDArray[np.int64], p: npt.NDArray[np.int64]) -> _Table:
    _, y, true = np.unique(y, return_inverse=True, return_counts=True)
    _, p, predicted = np.unique(p, return_inverse=True, return_counts=True)
    cell_name, cell = np.unique(y * len(predicted) + p, return_counts=True)
    return _Table(cell, cell_name // len(predicted), cell_name % len(predicted), true, predicted)


def _pairs(table: _Table) -> PairCounts:
    both, predicted, true = (pairs_within(c) for c in (table.cell, table.predicted, table.true))
    return PairCounts(both, predicted, true)


def _ari(table: _Table, pairs: PairCounts) -> float:
    every = table.count * (table.count - 1) / 2
    expected = pairs.true * pairs.predicted / every if every else 0.0
    highest = (pairs.true + pairs.predicted) / 2
    # Both all-single, or both one cluster: the index is 0/0 and the partitions agree.
    return (pairs.both - expected) / (highest - expected) if highest != expected else 1.0


def _ami(y: npt.NDArray[np.int64], p: npt.NDArray[np.int64]) -> float:
    from sklearn.metrics import adjusted_mutual_info_score

    return float(adjusted_mutual_info_score(y, p))


def _v_measure(table: _Table) -> float:
    n = table.count
    joint, true, predicted = table.cell / n, table.true / n, table.predicted / n
    entropy = float(-(true * np.log(true)).sum() - (predicted * np.log(predicted)).sum())
    shared = float((joint * np.log(joint / (true[table.row] * predicted[table.column]))).sum())
    return 2 * shared / entropy if entropy > 0 else 1.0


def _bcubed(table: _Table) -> tuple[float, float]:
    square = table.cell.astype(np.float64) ** 2
    n = table.count
    precision = float((square / table.predicted[table.column]).sum() / n)
    return precision, float((square / table.true[table.row]).sum() / n)


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b > 0 else 0.0
