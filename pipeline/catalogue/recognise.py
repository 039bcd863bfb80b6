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

THRESHOLD = 0.18  # cosine distance where the embedder's card gives none: the calibrated cut of the first embedders
BLOCK = 1 << 25  # similarities held at once: 128 MB


def recognise(
    known: Vectors, vectors: npt.NDArray[np.float32], *, threshold: float | None = None
) -> tuple[Ints, npt.NDArray[np.float32]]:
    """Give each vector the identity of its nearest member, if that is near enough.

    Near enough: the nearest member lies within the threshold; and the mean distance to all members does, too, or at
    least is no larger than that of some member to the others.

    Args:
        known: vectors with identities.
        vectors: (M, D) unit rows to recognise.
        threshold: cosine distance at which identities part; None = :data:`THRESHOLD`.

    Returns:
        (M,) identity numbers, -1 = new; (M,) cosine similarity to the nearest member, 0 where there is none.

    Memory: the vectors and 128 MB.
    """
    limit = THRESHOLD if threshold is None else threshold
    identity, nearest = np.full(len(vectors), NEW, np.int64), np.zeros(len(vectors), np.float32)
    if not len(known) or not len(vectors):
        return identity, nearest
    _, compact, size = np.unique(known.identity_id, return_inverse=True, return_counts=True)
    total = _sums(known.vector, compact, len(size))
    own = 1 - (np.einsum("nd,nd->n", known.vector, total[compact]) - 1) / np.maximum(size[compact] - 1, 1)
    reach = np.full(len(size), limit)
    np.maximum.at(reach, compact, np.where(size[compact] > 1, own, 0))
    step = max(1, BLOCK // len(known))
    for low in range(0, len(vectors), step):
        block = vectors[low : low + step]
        similarity = block @ known.vector.T
        best = similarity.argmax(axis=1)
        who = compact[best]
        nearest[low : low + step] = similarity[np.arange(len(block)), best]
        mean = 1 - np.einsum("nd,nd->n", block, total[who]) / size[who]
        close = (1 - nearest[low : low + step] <= limit) & (mean <= reach[who])
        identity[low : low + step] = np.where(close, known.identity_id[best], NEW)
    return identity, nearest


def _sums(vectors: npt.NDArray[np.float32], label: Ints, count: int) -> npt.NDArray[np.float64]:
    """Return (K, D) sums of the rows of each label 0 … K-1."""
    order = np.argsort(label, kind="stable")
    starts = np.searchsorted(label[order], np.arange(count))
    return np.add.reduceat(vectors[order].astype(np.float64), starts, axis=0)
