"""Which members of a clustering are reliable, which are ambiguous, and where the ambiguous ones belong.

Everything is judged by mean cosine distances to clusters (a dot product with a mean vector) and by how a cluster
changes when the threshold does. Source of the latter: Ge et al. 2020, "Self-paced Contrastive Learning with Hybrid
Memory", arXiv:2006.02713 (independence and compactness).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.base import check_vectors
from packed_scenes.cluster.labels import NOISE, Labels, as_labels, canonical, cluster_sums
from packed_scenes.cluster.reciprocal import reciprocal_merge
from packed_scenes.data import InputError

BLOCK = 1024  # rows of a block of similarities


@dataclass(frozen=True)
class MembershipEvidence:
    """The evidence for and against the cluster of each of N rows.

    Attributes:
        own: (N,) float32 mean cosine distance to the other members of its cluster; the threshold for rows that are
            alone or noise.
        other: (N,) float32 mean distance to the nearest other cluster; 2 if there is none.
        cluster: (N,) int64 name of that cluster, -1 if there is none.
        foreign: (N,) int64 the nearest row that is not in the row's cluster (noise rows count as foreign), -1 if
            there is none.
        ambiguity: (N,) float32 own / (own + other) in [0, 1]: above 0.5 the row is nearer to another cluster.
        central: (K,) int64 the most central row of each cluster.
    """

    own: npt.NDArray[np.float32]
    other: npt.NDArray[np.float32]
    cluster: Labels
    foreign: Labels
    ambiguity: npt.NDArray[np.float32]
    central: Labels


def membership_evidence(X: npt.ArrayLike, labels: npt.ArrayLike, *, threshold: float) -> MembershipEvidence:
    """Measure how well each row fits its cluster and the nearest other one.

    Args:
        X: (N, D) vectors.
        labels: (N,) names 0 … K-1, -1 = noise.
        threshold: mean cosine distance up to which clusters merged, such as ``AverageLinkage.threshold_``.

    Time O(N² D) for the nearest foreign rows, in blocks of ``BLOCK`` x N float32.

    Raises:
        InputError: if the lengths differ, or for bad vectors.
    """
    rows, names = check_vectors(X), as_labels(labels)
    if len(rows) != len(names):
        raise InputError(f"vectors and labels must have the same length, got {len(rows)} and {len(names)}")
    sums, sizes = cluster_sums(rows, names)
    count = len(rows)
    apart = np.full(count, float(threshold))
    other, cluster, foreign = np.full(count, 2.0), np.full(count, NOISE), np.full(count, NOISE)
    means = (sums / np.maximum(sizes, 1)[:, None]).astype(np.float32)
    for low in range(0, count, BLOCK):
        block, own = rows[low : low + BLOCK], names[low : low + BLOCK]
        place, here = np.arange(len(block)), slice(low, low + BLOCK)
        member = own >= 0
        if len(sizes):
            similarity = block @ means.T
            several = member & (sizes[own] > 1)
            total = similarity[place, own] * sizes[own] - 1  # a row's cosine with itself is 1
            apart[here] = np.where(several, 1 - total / np.maximum(sizes[own] - 1, 1), threshold)
            similarity[:, sizes == 0] = -np.inf
            similarity[place[member], own[member]] = -np.inf
            best = similarity.argmax(axis=1)
            found = np.isfinite(similarity[place, best])
            other[here] = np.where(found, 1 - similarity[place, best], 2.0)
            cluster[here] = np.where(found, best, NOISE)
        near = block @ rows.T
        near[(own[:, None] == names) & member[:, None]] = -np.inf
        near[place, low + place] = -np.inf
        best = near.argmax(axis=1)
        foreign[here] = np.where(np.isfinite(near[place, best]), best, NOISE)
    apart, other = np.clip(apart, 0, 2), np.clip(other, 0, 2)
    ambiguity = apart / np.maximum(apart + other, 1e-12)
    return MembershipEvidence(
        apart.astype(np.float32), other.astype(np.float32), cluster.astype(np.int64), foreign.astype(np.int64),
        ambiguity.astype(np.float32), _central(apart, names, len(sizes)),
    )  # fmt: skip


def _central(apart: npt.NDArray[np.float64], names: Labels, count: int) -> Labels:
    order = np.lexsort((np.arange(len(names)), apart, names))
    order = order[names[order] >= 0]
    found, first = np.unique(names[order], return_index=True)
    central = np.full(count, NOISE, np.int64)
    central[found] = order[first]
    return central


def overlap(labels: npt.ArrayLike, others: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return (N,) per row: intersection over union of its clusters in two clusterings; a noise row is its own cluster.

    Raises:
        InputError: if the lengths differ.
    """
    from packed_scenes.cluster.labels import singletons

    a, b = singletons(as_labels(labels)), singletons(as_labels(others))
    if len(a) != len(b):
        raise InputError(f"the two label vectors must have the same length, got {len(a)} and {len(b)}")
    _, cell, common = np.unique(a * (int(b.max(initial=0)) + 1) + b, return_inverse=True, return_counts=True)
    both = common[cell.ravel()]
    return np.asarray(both / (np.bincount(a)[a] + np.bincount(b)[b] - both), np.float64)


def reliable_rows(
    labels: npt.ArrayLike, tighter: npt.ArrayLike, looser: npt.ArrayLike, *, min_overlap: float = 0.5
) -> npt.NDArray[np.bool_]:
    """Return (N,) bool: the row's cluster is much the same at a tighter and at a looser threshold.

    Args:
        labels: (N,) names; noise is never reliable.
        tighter, looser: (N,) labels of the same rows at a lower and at a higher threshold.
        min_overlap: both overlaps (intersection over union) must be above this. At .5 a pair must stay a pair when the
            threshold falls, and may gain one member when it rises.
    """
    stable = np.minimum(overlap(labels, tighter), overlap(labels, looser))
    return np.asarray((stable > min_overlap) & (as_labels(labels) >= 0))


@dataclass(frozen=True)
class Reassignment:
    """What became of N rows.

    Attributes:
        labels: (N,) int64, canonical names; -1 = noise.
        moved, split, dropped: (N,) bool: went to the nearest cluster; left to be a cluster with others that left
            it or were noise; became noise.
    """

    labels: Labels
    moved: npt.NDArray[np.bool_]
    split: npt.NDArray[np.bool_]
    dropped: npt.NDArray[np.bool_]


def reassign(
    X: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    threshold: float,
    fixed: npt.NDArray[np.bool_] | None = None,
    single: str = "new",
) -> Reassignment:
    """Put noise and ambiguous members where they belong: the nearest cluster, a cluster of their own, or noise.

    A member is ambiguous if it is nearer to another cluster than to its own (``ambiguity`` > .5), or farther from its
    own than twice the threshold. Ambiguous and noise rows within the threshold of the nearest cluster, its ambiguous
    rows left out, go there; the rest are linked among themselves. All are judged at once, so the result does not depend
    on the order of the rows.

    Args:
        X: (N, D) vectors.
        labels: (N,) names, -1 = noise.
        threshold: mean cosine distance up to which clusters merge.
        fixed: (N,) bool, rows that a person has placed and that stay.
        single: what a row becomes that nothing is near to: ``"new"`` cluster or ``"noise"``.

    Raises:
        InputError: for shapes that disagree or an unknown ``single``.
    """
    if single not in ("new", "noise"):
        raise InputError(f"single must be 'new' or 'noise', got {single!r}")
    rows, names = check_vectors(X), as_labels(labels)
    found = membership_evidence(rows, names, threshold=threshold)
    alone = (names >= 0) & (np.bincount(np.maximum(names, 0))[np.maximum(names, 0)] == 1)
    loose = (names < 0) | (~alone & ((found.ambiguity > 0.5) | (found.own > 2 * threshold)))
    if fixed is not None:
        loose &= ~fixed
    core = np.where(loose, NOISE, names)  # what is left of the clusters judges the rows that are not
    again = membership_evidence(rows, core, threshold=threshold)
    moved = loose & (again.other <= threshold) & (again.cluster >= 0)
    out = np.where(moved, again.cluster, names)
    rest = np.flatnonzero(loose & ~moved)
    moved &= out != names  # some stay in their cluster
    split, dropped = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    if len(rest):
        fresh = canonical(reciprocal_merge(rows[rest], threshold))
        single_row = np.bincount(fresh)[fresh] == 1
        gone = single_row & (single == "noise")
        out[rest] = np.where(gone, NOISE, fresh + int(names.max(initial=NOISE)) + 1)
        split[rest], dropped[rest] = ~gone, gone
    return Reassignment(canonical(out), moved, split, dropped & (names >= 0))
