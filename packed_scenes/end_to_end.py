"""Scores of identities on detected boxes: misses and false alarms count against them.

Detected boxes are first matched to true ones (IoU 0.5). Then, with C(i) the detected boxes in the cluster of detection
i and I(t) the true boxes of identity t, misses included:

- pairwise: a true pair is found if both boxes were detected and share a cluster; a predicted pair is right if both are
  matched and share their identity. So a pair with a false alarm costs precision, a pair with a missed box costs recall.
- BCubed: precision is the mean over detected boxes of the share of C(i) with i's identity (0 for a false alarm);
  recall is the mean over true boxes of the share of I(t) in the same cluster (0 for a miss).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packed_scenes.data.arrays import pairs_within
from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class EndToEnd:
    """Counts and sums of one or several scenes; add them to pool scenes.

    Attributes:
        pairs_both, pairs_predicted, pairs_true: pairs of boxes together in both, in the prediction, in truth.
        precision_sum, recall_sum: BCubed precision summed over detected, recall summed over true boxes.
        n_detected, n_true: how many boxes count.
    """

    pairs_both: int = 0
    pairs_predicted: int = 0
    pairs_true: int = 0
    precision_sum: float = 0.0
    recall_sum: float = 0.0
    n_detected: int = 0
    n_true: int = 0

    def __add__(self, other: EndToEnd) -> EndToEnd:
        return EndToEnd(**{name: getattr(self, name) + getattr(other, name) for name in vars(self)})

    @property
    def pairwise_f(self) -> float:
        """F of pairs; 1 if there is no pair on either side."""
        total = self.pairs_predicted + self.pairs_true
        return 2 * self.pairs_both / total if total else 1.0

    @property
    def bcubed_f(self) -> float:
        """F of BCubed precision and recall; 1 if there is no box on either side."""
        if not self.n_detected and not self.n_true:
            return 1.0
        precision = self.precision_sum / self.n_detected if self.n_detected else 0.0
        recall = self.recall_sum / self.n_true if self.n_true else 0.0
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def end_to_end(identity: Ints, cluster: Ints, match: Ints) -> EndToEnd:
    """Score the identities of detected boxes.

    Args:
        identity: (T,) true identity of every true box; negative = its own.
        cluster: (D,) cluster of every detected box that counts; -1 = noise, its own.
        match: (D,) row of the true box that each detected box matches, -1 = false alarm; no true row twice.

    Raises:
        InputError: if shapes disagree or a true row is matched twice.
    """
    identity, cluster, match = (np.asarray(a, np.int64) for a in (identity, cluster, match))
    hit = match >= 0
    if match.shape != cluster.shape or identity.ndim != 1 or len(np.unique(match[hit])) != hit.sum():
        raise InputError(
            f"match must be (D,) like cluster {cluster.shape} and name each true row once, got {match.shape}"
        )
    if hit.any() and match.max() >= len(identity):
        raise InputError(f"match names row {match.max()} of {len(identity)} true boxes")
    identity, cluster = _own_names(identity), _own_names(cluster)
    true_size, cluster_size = np.bincount(identity), np.bincount(cluster)
    true_of, cluster_of = identity[match[hit]], cluster[hit]
    _, cell, size = np.unique(np.stack([true_of, cluster_of]), axis=1, return_inverse=True, return_counts=True)
    same = size[cell.ravel()]
    return EndToEnd(
        pairs_both=pairs_within(size),
        pairs_predicted=pairs_within(cluster_size),
        pairs_true=pairs_within(true_size),
        precision_sum=float((same / cluster_size[cluster_of]).sum()),
        recall_sum=float((same / true_size[true_of]).sum()),
        n_detected=len(cluster),
        n_true=len(identity),
    )


def _own_names(labels: Ints) -> Ints:
    """Names 0 … K-1, every negative label its own."""
    labels = labels.copy()
    own = labels <= NOISE
    labels[own] = labels.max(initial=-1) + 1 + np.arange(own.sum())
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)
