"""Which known identity a vector looks like, if any: the one question behind adding to a catalogue and searching it.

The nearest member decides, not the nearest mean as in :class:`cluster.Assigner`: an identity merged by hand may hold
two looks of a thing that are far apart (front and back), so that its mean is near to neither; and where the user keeps
two look-alikes apart, the members say where the border runs. The mean only guards against chains.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.catalogue.records import Ints, Vectors
from pipeline.catalogue.settle import NEW

THRESHOLD = 0.18  # cosine distance where the run gives none: the calibrated cut of the first embedders
BLOCK = 1 << 25  # similarities held at once: 128 MB

Floats = npt.NDArray[np.float32]


class Recogniser:
    """Known identities, ready to be compared with.

    Args:
        known: vectors with identities.
        threshold: cosine distance at which identities part; None = :data:`THRESHOLD`.

    Memory: K x D float64 for K identities, and N x D float64 while it is made.
    """

    def __init__(self, known: Vectors, *, threshold: float | None = None) -> None:
        self._known = known
        self._limit = THRESHOLD if threshold is None else threshold
        if not len(known):
            return
        _, self._compact, self._size = np.unique(known.identity_id, return_inverse=True, return_counts=True)
        self._total = _sums(known.vector, self._compact, len(self._size))
        others = np.maximum(self._size[self._compact] - 1, 1)
        own = 1 - (np.einsum("nd,nd->n", known.vector, self._total[self._compact]) - 1) / others
        self._reach = np.full(len(self._size), self._limit)
        np.maximum.at(self._reach, self._compact, np.where(self._size[self._compact] > 1, own, 0))

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
        if not len(self._known) or not len(vectors):
            return np.full(len(vectors), NEW, np.int64)
        who = self._compact[row]
        mean = 1 - np.einsum("md,md->m", vectors, self._total[who]) / self._size[who]
        close = (1 - similarity <= self._limit) & (mean <= self._reach[who])
        return np.where(close, self._known.identity_id[row], NEW)


def recognise(known: Vectors, vectors: Floats, *, threshold: float | None = None) -> tuple[Ints, Floats]:
    """Give each vector the identity of its nearest member, if that is near enough (:meth:`Recogniser.judge`).

    Args:
        known: vectors with identities.
        vectors: (M, D) unit rows to recognise.
        threshold: cosine distance at which identities part; None = :data:`THRESHOLD`.

    Returns:
        (M,) identity numbers, -1 = new; (M,) cosine similarity to the nearest member, 0 where there is none.

    Memory: as :class:`Recogniser`, and 128 MB.
    """
    row, nearest = np.zeros(len(vectors), np.int64), np.zeros(len(vectors), np.float32)
    step = max(1, BLOCK // max(len(known), 1))
    for low in range(0, len(vectors) if len(known) else 0, step):
        similarity = vectors[low : low + step] @ known.vector.T
        best = similarity.argmax(axis=1)
        row[low : low + step] = best
        nearest[low : low + step] = similarity[np.arange(len(best)), best]
    return Recogniser(known, threshold=threshold).judge(vectors, row, nearest), nearest


def _sums(vectors: Floats, label: Ints, count: int) -> npt.NDArray[np.float64]:
    """Return (K, D) sums of the rows of each label 0 … K-1."""
    order = np.argsort(label, kind="stable")
    starts = np.searchsorted(label[order], np.arange(count))
    return np.asarray(np.add.reduceat(vectors[order].astype(np.float64), starts, axis=0))
