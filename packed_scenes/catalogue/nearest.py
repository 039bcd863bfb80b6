"""The nearest known vector of each of many, looked for only where a bound allows one within a threshold.

A member of an identity lies within the identity's radius of its mean direction, so by the triangle inequality of angles
a vector further from that direction than the radius and the threshold together is near to no member. With tens of
objects an identity most of the comparisons fall away: 200,000 vectors against 200,000 of 20,000 identities ask for a
tenth of the products. Where the bound excludes too little, all are compared.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from packed_scenes.catalogue.records import Ints, Vectors

BLOCK = 1 << 25  # similarities held at once: 128 MB
PAYS_FROM = 20_000  # known vectors: below, comparing all takes no longer
MOST = 64  # identities that a vector may be near to, on average, before all are compared
SLACK = 1e-3  # radians: float32 products near 1
Floats = npt.NDArray[np.float32]


def nearest(known: Vectors, vectors: Floats, *, limit: float) -> tuple[Ints, Floats]:
    """Find each vector's nearest known one, exactly wherever that is within ``limit``.

    Args:
        known: N vectors with identities.
        vectors: (M, D) unit rows.
        limit: cosine distance.

    Returns:
        (M,) rows of ``known`` and the cosine similarities to them; where none is within the limit, of some row, or 0
        and -1.

    Memory: 128 MB, the mean of each identity, and up to :data:`MOST` x 16 bytes a vector.
    """
    row, best = np.zeros(len(vectors), np.int64), np.full(len(vectors), -1, np.float32)
    if not len(known) or not len(vectors):
        return row, best
    if len(known) < PAYS_FROM:
        return _all(known.vector, vectors, row, best)
    order = np.argsort(known.identity_id, kind="stable")
    start = np.flatnonzero(np.diff(known.identity_id[order], prepend=-(1 << 62)))
    size = np.diff(start, append=len(order))
    mean = np.add.reduceat(known.vector[order], start, axis=0)
    mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), np.float32(1e-9))
    whose = np.repeat(np.arange(len(start)), size)
    member = np.einsum("nd,nd->n", known.vector[order], mean[whose])
    radius = np.arccos(np.clip(np.minimum.reduceat(member, start), -1, 1))
    reach = np.cos(np.minimum(radius + np.arccos(max(1 - limit, -1.0)) + SLACK, np.pi)).astype(np.float32)
    step, groups, asked = max(1, BLOCK // len(start)), [], []
    for low in range(0, len(vectors), step):
        block = vectors[low : low + step]
        group, rows = np.nonzero((mean @ block.T) >= reach[:, None])
        if len(group) > MOST * len(block) or size[group].sum() > len(known) * len(block) // 4:
            _all(known.vector, block, row[low : low + step], best[low : low + step])  # the bound excludes too little
        else:
            groups.append(group)
            asked.append(rows + low)
    if not groups:
        return row, best
    group = np.concatenate(groups)
    by_group = np.argsort(group, kind="stable")
    group, rows = group[by_group], np.concatenate(asked)[by_group]
    for part in np.split(np.arange(len(group)), np.flatnonzero(np.diff(group)) + 1) if len(group) else ():
        who, whom = group[part[0]], rows[part]
        members = order[start[who] : start[who] + size[who]]
        similarity = vectors[whom] @ known.vector[members].T
        at = similarity.argmax(axis=1)
        value = similarity[np.arange(len(at)), at]
        better = (value > best[whom]) | ((value == best[whom]) & (members[at] < row[whom]))
        row[whom[better]], best[whom[better]] = members[at][better], value[better]
    return row, best


def _all(known: Floats, vectors: Floats, row: Ints, best: Floats) -> tuple[Ints, Floats]:
    """Compare all; fills and returns ``row`` and ``best``."""
    step = max(1, BLOCK // len(known))
    for low in range(0, len(vectors), step):
        similarity = vectors[low : low + step] @ known.T
        at = similarity.argmax(axis=1)
        row[low : low + step] = at
        best[low : low + step] = similarity[np.arange(len(at)), at]
    return row, best
