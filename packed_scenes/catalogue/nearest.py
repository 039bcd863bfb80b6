"""The nearest known vector of each of many, looked for only where a bound allows one within a threshold.

A member of an identity lies within the identity's radius of its mean direction, so by the triangle inequality of angles
a vector further from that direction than the radius and the threshold together is near to no member. The vectors that
are asked for come in clusters, too, and the same holds between the mean of a cluster and that of an identity. With ten
objects an identity and a cluster, a hundredth of the comparisons is left. Where the bound excludes too little, all are
compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packed_scenes.catalogue.records import Ints, Vectors

BLOCK = 1 << 25  # similarities held at once: 128 MB
PAIRS = 1 << 17  # pairs of rows multiplied at once
PAYS_FROM = 1 << 28  # known times asked vectors: below, comparing all takes no longer
MOST = 64  # identities that a vector may be near to, on average, before all are compared
SLACK = 1e-3  # radians: float32 products near 1
Floats = npt.NDArray[np.float32]


def nearest(known: Vectors, vectors: Floats, *, limit: float, cluster: Ints | None = None) -> tuple[Ints, Floats]:
    """Find each vector's nearest known one, exactly wherever that is within ``limit``.

    Args:
        known: N vectors with identities.
        vectors: (M, D) unit rows.
        limit: cosine distance.
        cluster: (M,) clusters of the vectors, below 0 = in none. They save comparisons and change no answer.

    Returns:
        (M,) rows of ``known`` and the cosine similarities to them; where none is within the limit, of some row, or 0
        and -1.

    Memory: 128 MB, a copy of the known vectors, and up to :data:`MOST` x 16 bytes a vector.
    """
    row, best = np.zeros(len(vectors), np.int64), np.full(len(vectors), -1, np.float32)
    if not len(known) or not len(vectors):
        return row, best
    if len(known) * len(vectors) < PAYS_FROM:
        _all(known.vector, vectors, np.arange(len(vectors)), row, best)
        return row, best
    angle = float(np.arccos(max(1 - limit, -1.0))) + SLACK
    there, asked = _balls(known.vector, known.identity_id), _clustered(vectors, cluster, angle)
    reach, always = there.radius + angle, there.radius + angle + asked.radius.max(initial=0) >= np.pi
    # mean . centre >= cos(reach + radius), in one product
    sides = np.where(always[:, None], np.float32(0), np.stack([-np.cos(reach), np.sin(reach)], axis=1))
    left = np.concatenate([there.mean, sides, 4 * always[:, None]], axis=1, dtype=np.float32)
    right = np.concatenate(
        [asked.mean, np.cos(asked.radius)[:, None], np.sin(asked.radius)[:, None], np.ones((len(asked.mean), 1))],
        axis=1, dtype=np.float32,
    )  # fmt: skip
    reach, step = np.where(reach >= np.pi, -2, np.cos(reach)), max(1, BLOCK // len(left))
    pairs = []
    for low in range(0, len(right), step):
        group, ball = np.nonzero(left @ right[low : low + step].T >= 0)
        rows, times = asked.rows(ball + low)
        every, _ = asked.rows(np.arange(low, min(low + step, len(right))))
        group = np.repeat(group, times)
        if len(group) <= MOST * len(every):
            kept = _products(there.mean, group, vectors, rows) >= reach[group]
            group, rows = group[kept], rows[kept]
            if there.size[group].sum() <= len(known) * len(every) // 4:
                pairs.append((group, rows))
                continue
        _all(known.vector, vectors, every, row, best)  # the bound excludes too little
    if pairs:
        group, rows = (np.concatenate(part) for part in zip(*pairs, strict=True))
        _members(known.vector, vectors, there, group, rows, row, best)
    return row, best


@dataclass(frozen=True)
class _Balls:
    """Groups of rows: ``order[start : start + size]`` of each, its mean direction, and the largest angle from it."""

    order: Ints
    start: Ints
    size: Ints
    mean: Floats
    radius: npt.NDArray[np.float64]

    def rows(self, balls: Ints) -> tuple[Ints, Ints]:
        """The rows of some groups one after another, and how many each has."""
        size = self.size[balls]
        first = np.cumsum(size) - size
        return self.order[np.arange(size.sum()) + np.repeat(self.start[balls] - first, size)], size


def _balls(vectors: Floats, group: Ints) -> _Balls:
    order = np.argsort(group, kind="stable")
    start = np.flatnonzero(np.diff(group[order], prepend=-(1 << 62)))
    size = np.diff(start, append=len(order))
    mean = np.add.reduceat(vectors[order], start, axis=0)
    mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), np.float32(1e-9))
    near = _products(mean, np.repeat(np.arange(len(start)), size), vectors, order)
    return _Balls(order, start, size, mean, np.arccos(np.clip(np.minimum.reduceat(near, start), -1, 1)))


def _clustered(vectors: Floats, cluster: Ints | None, angle: float) -> _Balls:
    """The balls of the clusters; noise and whatever lies further than ``angle`` from its cluster's mean is alone."""
    rows = np.arange(len(vectors))
    if cluster is None:
        return _Balls(rows, rows, np.ones(len(rows), np.int64), vectors, np.zeros(len(rows)))
    alone = cluster < 0
    group = np.where(alone, -1 - rows, cluster)
    wide = _balls(vectors, group)
    far = np.flatnonzero(wide.radius > angle)
    members, size = wide.rows(far)
    apart = _products(wide.mean, np.repeat(far, size), vectors, members) < np.cos(angle)
    if not apart.any():
        return wide
    group[members[apart]] = -1 - members[apart]
    return _balls(vectors, group)


def _products(one: Floats, at: Ints, two: Floats, rows: Ints) -> Floats:
    """(P,) dot products of ``one[at]`` and ``two[rows]``."""
    out = np.empty(len(at), np.float32)
    for low in range(0, len(at), PAIRS):
        part = slice(low, low + PAIRS)
        out[part] = np.einsum("pd,pd->p", one[at[part]], two[rows[part]])
    return out


def _members(known: Floats, vectors: Floats, there: _Balls, group: Ints, rows: Ints, row: Ints, best: Floats) -> None:
    """Compare vectors with all members of the identities that they may be near to; fills ``row`` and ``best``."""
    by_group = np.argsort(group, kind="stable")
    group, rows = group[by_group], rows[by_group]
    for part in np.split(np.arange(len(group)), np.flatnonzero(np.diff(group)) + 1) if len(group) else ():
        who, whom = group[part[0]], rows[part]
        members = there.order[there.start[who] : there.start[who] + there.size[who]]
        similarity = vectors[whom] @ known[members].T
        at = similarity.argmax(axis=1)
        value = similarity[np.arange(len(at)), at]
        better = (value > best[whom]) | ((value == best[whom]) & (members[at] < row[whom]))
        row[whom[better]], best[whom[better]] = members[at][better], value[better]


def _all(known: Floats, vectors: Floats, rows: Ints, row: Ints, best: Floats) -> None:
    """Compare some vectors with all known ones; fills ``row`` and ``best``."""
    step = max(1, BLOCK // len(known))
    for low in range(0, len(rows), step):
        part = rows[low : low + step]
        similarity = vectors[part] @ known.T
        at = similarity.argmax(axis=1)
        row[part], best[part] = at, similarity[np.arange(len(at)), at]
