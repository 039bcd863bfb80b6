"""Identities that are larger than the lists: the clusters of a first decision are decided on again, by their means.

A list holds 32 neighbours. Where an identity has hundreds of members, none of its lists reaches across it, and a
decision leaves it in pieces. It shows: by its own probabilities such a decision has an expected BCubed F above 1, as
its clusters are larger than the identities that the lists account for. The means of the pieces are few, so that their
lists reach farther. What is decided on them is taken if the judge is sure of it (``SURE``); means of different
identities, which it has hardly seen in training, it is not sure of.
"""

from __future__ import annotations

import numpy as np

from packed_scenes.cluster.base import Vectors
from packed_scenes.cluster.decision.graph import decide_on_lists
from packed_scenes.cluster.decision.judging import judge
from packed_scenes.cluster.decision.network import Weights
from packed_scenes.cluster.labels import Labels, cluster_sums
from packed_scenes.data.arrays import unit_rows

SURE = 0.8  # BCubed F to be expected of what is decided on the means


def join_pieces(X: Vectors, labels: Labels, value: float, weights: Weights) -> tuple[Labels, float]:
    """Return coarser (N,) names and their expected BCubed F as long as ``value``, that of ``labels``, is above 1; else
    ``labels`` and ``value``.

    Args:
        X: (N, D) float32 unit rows. labels: (N,) names 0 … K-1. weights: of the judge.
    """
    while value > 1 and labels.max() > 1:
        means = np.ascontiguousarray(unit_rows(cluster_sums(X, labels)[0]), np.float32)
        joined, expected = decide_on_lists(means, judge(means, weights=weights), None)
        if expected < SURE or joined.max() == labels.max():
            break
        labels, value = joined[labels], expected
    return labels, value
