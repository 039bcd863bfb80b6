"""Which known identity a vector looks like, if any: the one question behind adding to a catalogue and searching it.

The nearest member decides, not the nearest mean as in :class:`packed_scenes.cluster.Assigner`: an identity merged by
hand may hold two looks of a thing that are far apart (front and back), so that its mean is near to neither; and where
the user keeps two look-alikes apart, the members say where the border runs. The mean only guards against chains.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from packed_scenes.catalogue.assign_identities import NEW
from packed_scenes.catalogue.nearest import nearest
from packed_scenes.catalogue.records import Ints, Vectors
from packed_scenes.data.thresholds import UNCALIBRATED

Floats = npt.NDArray[np.float32]


class Recogniser:
    """Known identities, ready to be compared with.

    Args:
        known: vectors with identities.
        threshold: cosine distance at which identities part; None = :data:`packed_scenes.data.thresholds.UNCALIBRATED`.

    Memory: N x 16 bytes. The members of an identity are looked at only when a vector comes near to one.
    """

    def __init__(self, known: Vectors, *, threshold: float | None = None) -> None:
        self._known = known
        self._limit = UNCALIBRATED if threshold is None else threshold
        self._order = np.argsort(known.identity_id, kind="stable")
        self._sorted = known.identity_id[self._order]

    def judge(self, vectors: Floats, row: Ints, similarity: Floats) -> Ints:
        """Say whether vectors belong to the identity of their nearest member.

        They do if that member lies within the threshold, and the mean distance to all members does, too, or at least is
        no larger than that of some member to the others.

        Args:
            vectors: (M, D) unit rows.
            row: (M,) row of the nearest known vector.
            similarity: (M,) cosine similarity to it.

        Returns:
            (M,) identity numbers, -1 = new.
        """
        identity = np.full(len(vectors), NEW, np.int64)
        if not len(self._known) or not len(vectors):
            return identity
        near = 1 - similarity <= self._limit
        whose = self._known.identity_id[row]
        order = np.flatnonzero(near)[np.argsort(whose[near], kind="stable")]
        for rows in np.split(order, np.flatnonzero(np.diff(whose[order])) + 1) if len(order) else ():
            number = whose[rows[0]]
            low, high = np.searchsorted(self._sorted, [number, number + 1])
            members = self._known.vector[self._order[low:high]].astype(np.float64)
            total = members.sum(axis=0)
            own = 1 - (members @ total - 1) / max(len(members) - 1, 1)
            reach = max(self._limit, own.max() if len(members) > 1 else 0)
            identity[rows[1 - vectors[rows] @ total / len(members) <= reach]] = number
        return identity


def recognise(
    known: Vectors, vectors: Floats, *, threshold: float | None = None, cluster: Ints | None = None
) -> tuple[Ints, Floats]:
    """Give each vector the identity of its nearest member, if that is near enough (:meth:`Recogniser.judge`).

    Args:
        known: vectors with identities.
        vectors: (M, D) unit rows to recognise.
        threshold: cosine distance at which identities part; None = :data:`packed_scenes.data.thresholds.UNCALIBRATED`.
        cluster: (M,) clusters of the vectors, if known: faster, the same answer.

    Returns:
        (M,) identity numbers, -1 = new; (M,) cosine similarity to the nearest member, where one is near enough.

    Memory: 128 MB, a copy of the known vectors, and one identity's as float64.
    """
    limit = UNCALIBRATED if threshold is None else threshold
    row, similarity = nearest(known, vectors, limit=limit, cluster=cluster)
    return Recogniser(known, threshold=threshold).judge(vectors, row, similarity), similarity
