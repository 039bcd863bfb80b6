"""What the judge is told about each pair of the lists, each object and the whole set.

All figures follow from cosine distances (and boxes), so they do not know the axes of the embedder; nearly all compare a
distance with other distances of the same set, so they do not know its unit either; and all change smoothly with the
vectors: ranks are counted softly, neighbours are shared by degrees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.base import Vectors
from packed_scenes.cluster.decision import box_pairs, merges
from packed_scenes.cluster.decision.lists import DENSE, LENGTH, Floats, Ints, Lists, common, nearest
from packed_scenes.data.extras import installed

FLOOR = 0.02  # added before a logarithm: distances below are all "the same picture"
NEIGHBOURS = (1, 2, 4, 8)  # a pair's distance is compared with that of these neighbours of both
PROFILE = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # an object is described by the distances of these neighbours
SHARED = (2, 6)  # neighbours count as shared by their distance in units of that of these
STEP = 0.08  # width, in the logarithm of the distance, within which a rank is undecided
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
BLOCK = 2**23  # numbers in a block of lists of lists


@dataclass(frozen=True)
class Features:
    """Figures of one set of N objects.

    Attributes:
        lists: the pairs that are judged.
        pairs: gives the (n, k, P) float32 figures of the pairs of some rows.
        object: (N, O) float32. whole: (S,) float32.
    """

    lists: Lists
    pairs: Callable[[slice], Floats]
    object: Floats
    whole: Floats

    @property
    def pair(self) -> Floats:
        """(N, k, P) float32 figures of all pairs, 5 KB an object."""
        return self.pairs(slice(None))


def describe(
    X: Vectors,
    *,
    xyxy: npt.NDArray[np.float64] | None = None,
    scene: Ints | None = None,
    unit: float | None = None,
    tree: bool = True,
) -> Features:
    """Compute the figures of (N, D) float32 unit rows, N >= 2; those of the pairs when they are asked for.

    Args:
        X: the vectors. xyxy: (N, 4) boxes in pixels of their scenes. scene: (N,) scene numbers.
        unit: the embedder's own threshold, a cosine distance, if it has one: in a set of few objects that are nearly
            all single, what the embedder's distances usually mean is most of what there is to know.
        tree: look at average linkage, too, up to ``DENSE`` rows.

    Memory: 1.2 KB an object, and while they are computed two copies of the vectors.
    """
    lists = nearest(X)
    distance, index = lists.distance, lists.index
    k = lists.length
    padded = np.concatenate([distance, np.repeat(distance[:, -1:], LENGTH - k, axis=1)], axis=1)
    near = {m: _log(padded[:, m - 1]) for m in sorted({*NEIGHBOURS, *PROFILE})}
    compared: list[Floats] = [*_ranks(_log(distance), index)]  # (N, k) each
    for m in SHARED:
        width = padded[:, m - 1 : m] + np.float32(FLOOR)
        weight = np.exp(-0.7 * (distance / width) ** 2).astype(np.float32)
        shared, own = common(index, weight), 1 + (weight**2).sum(axis=1)
        compared.append(_of_either(shared, own, index))
    middle, spread = X.mean(axis=0), Spread(X, lists)
    usual = _log(np.maximum((1 - X @ middle) * (len(X) / (len(X) - 1)), 1e-3))
    compared.extend((spread.profiles, spread.centred))
    whole = np.concatenate([
        np.quantile(near[1], QUANTILES), np.quantile(near[3], QUANTILES[1:4]), np.quantile(near[8], QUANTILES[1:4]),
        np.quantile(usual, QUANTILES[::2]), [np.log(len(X)) / 3, spread.dimensions / 2, k / LENGTH],
    ]).astype(np.float32)  # fmt: skip
    typical = whole[2]  # the usual distance of the nearest, its lowest tenth, the usual distance of all
    references = typical, whole[0], whole[12]
    of_unit = None if unit is None else _log(np.float32(unit))
    known = (0.0, 0.0) if of_unit is None else (1.0, float(typical - of_unit))
    whole = np.append(whole, np.array(known, np.float32))
    met = merges.of_pairs(X, index, typical=float(typical), xyxy=xyxy, scene=scene, unit=unit) if tree else None

    def pairs(rows: slice) -> Floats:
        others, log = index[rows], _log(distance[rows])
        figures: list[Floats] = [distance[rows], np.sqrt(distance[rows]), log]

        def against(value: Floats) -> None:
            one, two = value[rows][:, None], value[others]
            figures.extend((log - np.minimum(one, two), log - np.maximum(one, two)))

        for m in NEIGHBOURS:
            against(near[m])
        figures.extend(value[rows] for value in compared)
        against(usual)
        figures.extend(log - reference for reference in references)
        parts = [
            np.stack(figures, axis=-1), box_pairs.of_pairs(index, xyxy, scene, rows=rows),
            (np.zeros_like(log) if of_unit is None else log - of_unit)[..., None],
            np.zeros((*others.shape, merges.COUNT), np.float32) if met is None else met[rows],
        ]  # fmt: skip
        return np.concatenate(parts, axis=-1, dtype=np.float32)

    objects = np.stack([*(near[m] for m in PROFILE), usual], axis=1) - typical
    return Features(lists, pairs, objects.astype(np.float32), whole)


def _of_either(shared: Floats, own: Floats, index: Ints) -> Floats:
    """(N, k) what two lists share, as a part of what is on either, block by block in place."""
    step = max(1, BLOCK // index.shape[1])
    for low in range(0, len(index), step):
        rows = slice(low, low + step)
        shared[rows] /= own[rows][:, None] + own[index[rows]] - shared[rows]
    return shared


def _log(value: Any) -> Any:
    return np.log(value + np.float32(FLOOR))


def _ranks(log: Floats, index: Ints) -> tuple[Floats, Floats]:
    """How many neighbours of each of the two are nearer than the other one: (N, k) of the fewer and of the more."""
    if len(log) > DENSE and installed("numba"):
        from packed_scenes.cluster.decision import loops

        own, theirs = loops.ranks(log, index, STEP)
    else:
        own, theirs = shared_counts(log, index)
    own, theirs = (np.log1p(np.maximum(counted - np.float32(0.5), 0)) for counted in (own, theirs))
    return np.minimum(own, theirs), np.maximum(own, theirs)


def shared_counts(log: Floats, index: Ints) -> tuple[Floats, Floats]:
    """Count (smoothly) the nearer neighbours of each object, and of each of its listed rows: (N, k) both."""
    count, k = log.shape
    own, theirs = np.empty_like(log), np.empty_like(log)
    step = max(1, BLOCK // (k * k))
    for low in range(0, count, step):
        here = log[low : low + step, :, None]
        for out, other in ((own, log[low : low + step, None]), (theirs, log[index[low : low + step]])):
            out[low : low + step] = _sigmoid((here - other) / np.float32(STEP)).sum(axis=2)
    return own, theirs


def _sigmoid(value: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(value, -30, 30))), np.float32)


class Spread:
    """Cosines of the pairs once what all objects have in common is taken out.

    Attributes:
        centred: (N, k) cosine of the vectors less their mean: a shift of the whole set changes nothing.
        profiles: (N, k) correlation of the two objects' distances to all objects, which is the cosine in the metric of
            the covariance, so that no N x N matrix is needed.
        dimensions: logarithm of the participation ratio of the covariance: in how many directions the set extends.
    """

    def __init__(self, X: Vectors, lists: Lists) -> None:
        centred = X - X.mean(axis=0)
        if X.shape[1] < len(X):
            turned = centred @ (centred.T @ centred)
            own, far = np.einsum("nd,nd->n", centred, centred), np.einsum("nd,nd->n", centred, turned)
            inner, outer = along(centred, centred, lists.index), along(turned, centred, lists.index)
        else:
            gram = centred @ centred.T
            square = gram @ gram
            own, far = np.diag(gram), np.diag(square)
            inner, outer = (np.take_along_axis(part, lists.index, axis=1) for part in (gram, square))
        one, two = np.sqrt(own) + np.float32(1e-6), np.sqrt(np.maximum(far, 1e-9))
        self.centred: Floats = inner / (one[:, None] * one[lists.index])
        self.profiles: Floats = outer / (two[:, None] * two[lists.index])
        self.dimensions = float(np.log(max(float(own.sum()) ** 2, 1e-9) / max(float(far.sum()), 1e-9)))


def along(one: Floats, two: Floats, index: Ints) -> Floats:
    """(N, k) dot products of the rows of ``one`` with the rows of ``two`` that their lists name."""
    if len(one) <= 1024:
        return np.take_along_axis(one @ two.T, index, axis=1)
    out = np.empty(index.shape, np.float32)
    step = max(1, BLOCK // (index.shape[1] * one.shape[1]))
    for low in range(0, len(one), step):
        out[low : low + step] = np.einsum("nd,nkd->nk", one[low : low + step], two[index[low : low + step]])
    return out
