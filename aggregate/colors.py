"""Colours of clusters: one per cluster over all scenes of a run, clearly different where they stand side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from packed_scenes.aggregate.adjacency import rectangles
from packed_scenes.data.objects import Objects

Color = tuple[int, int, int]
Labs = npt.NDArray[np.float64]

# Farthest-first choice in CIELAB among sRGB colours of lightness 42-86 and chroma above 42, so that each is visible as
# an outline on dark and on light goods; the two nearest are 33 apart (a just noticeable difference is about 2.3).
PALETTE: tuple[Color, ...] = (
    (0, 120, 255), (0, 240, 0), (255, 0, 0), (0, 225, 225), (135, 120, 0), (255, 0, 165), (180, 0, 255),
    (255, 150, 150), (0, 165, 75), (240, 165, 255), (195, 225, 15), (0, 180, 255), (255, 150, 0), (225, 0, 75),
    (195, 225, 135), (165, 60, 120), (165, 75, 15), (165, 60, 195), (255, 195, 120), (105, 90, 165), (60, 75, 255),
    (255, 210, 45), (0, 240, 180), (255, 45, 240),
)  # fmt: skip
MAX_COLORS = 256  # beyond, colours of one photo repeat: more could not be distinguished anyway
NOISE_COLOR: Color = (214, 214, 214)

NEIGHBOUR_GAP = 0.5  # boxes closer than this share of their mean size are neighbours
MAX_DISTANCE = 60.0  # colour distance beyond which more makes no difference
REUSE_PENALTY = 1000.0  # what a colour's use by another cluster weighs, as a colour distance: more than any distance
CANDIDATES_PER_CLUSTER = 1.5  # colours per cluster, so that the last ones can still be chosen by their neighbours


def assign_colors(parts: Sequence[Objects], *, fixed: Mapping[int, Color] | None = None) -> dict[int, Color]:
    """Give every cluster of a run a colour.

    Clusters that stand side by side in any scene get colours far apart; no colour is used twice among up to
    ``MAX_COLORS`` clusters. The same objects always get the same colours, in whatever order the
    scenes come.

    Args:
        parts: the objects of all scenes of the run, with ``cluster`` set.
        kept: colours that clusters have already and keep.

    Returns:
        Cluster -> (red, green, blue), 0 … 255. Noise has none.
    """
    clusters, count = np.unique(
        np.concatenate([np.zeros(0, np.int64), *(_identities(part) for part in parts)]), return_counts=True
    )
    pairs = np.concatenate([np.zeros((0, 2), np.int64), *(_neighbours(part) for part in parts)])
    return _choose(clusters, count, pairs, fixed or {})


def colors_of(labels: npt.NDArray[np.int64]) -> dict[int, Color]:
    """Give every cluster of a folder of crops a colour: crops stand nowhere, so only how often a colour is used counts.

    Args:
        labels: (N,) clusters; -1 is noise and has none.
    """
    clusters, count = np.unique(labels[labels >= 0], return_counts=True)
    return _choose(clusters, count, np.zeros((0, 2), np.int64), {})


def _choose(
    clusters: npt.NDArray[np.int64],
    count: npt.NDArray[np.int64],
    pairs: npt.NDArray[np.int64],
    fixed: Mapping[int, Color],
) -> dict[int, Color]:
    """Choose colours for the clusters, most objects first, each far from those of its neighbours in ``pairs``."""
    neighbours: list[list[int]] = [[] for _ in clusters]
    for a, b in np.unique(np.searchsorted(clusters, pairs), axis=0).tolist():
        neighbours[a].append(b)
        neighbours[b].append(a)
    colors = palette(round(CANDIDATES_PER_CLUSTER * len(clusters)) if len(clusters) > len(PALETTE) else 0)
    colors = tuple(dict.fromkeys([*colors, *(fixed[c] for c in clusters.tolist() if c in fixed)]))
    apart = _distances(lab(colors))
    used = np.zeros(len(colors))
    chosen = np.full(len(clusters), -1)
    for place, cluster in enumerate(clusters.tolist()):
        if cluster in fixed:
            chosen[place] = colors.index(fixed[cluster])
            used[chosen[place]] += 1
    for place in np.lexsort((clusters, -count)).tolist():
        if chosen[place] >= 0:
            continue
        taken = chosen[[n for n in neighbours[place] if chosen[n] >= 0]]
        nearest = apart[:, taken].min(axis=1) if len(taken) else np.full(len(colors), MAX_DISTANCE)
        chosen[place] = int(np.argmax(np.minimum(nearest, MAX_DISTANCE) - REUSE_PENALTY * used))
        used[chosen[place]] += 1
    return {int(c): colors[i] for c, i in zip(clusters, chosen, strict=True)}


@lru_cache(maxsize=8)
def palette(count: int) -> tuple[Color, ...]:
    """Return at least ``count`` different colours, at most ``MAX_COLORS``: ``PALETTE``, then farthest-first onwards.

    The nearest two of 64 are 18 apart in CIELAB, of 128 12.
    """
    if count <= len(PALETTE):
        return PALETTE
    grid = [(r, g, b) for r in range(0, 256, 15) for g in range(0, 256, 15) for b in range(0, 256, 15)]
    points = lab(grid)
    chroma = np.linalg.norm(points[:, 1:], axis=1)
    fit = np.flatnonzero((points[:, 0] > 36) & (points[:, 0] < 90) & (chroma > 26))
    chosen = list(PALETTE)
    nearest = np.linalg.norm(points[fit, None] - lab(PALETTE)[None], axis=2).min(axis=1)
    while len(chosen) < min(count, MAX_COLORS):
        at = int(np.argmax(nearest))
        chosen.append(grid[fit[at]])
        nearest = np.minimum(nearest, np.linalg.norm(points[fit] - points[fit[at]], axis=1))
    return tuple(chosen)


def lab(colors: Sequence[Color]) -> Labs:
    """Convert sRGB (0 … 255) to CIELAB (D65), (N, 3)."""
    value = np.asarray(colors, np.float64).reshape(-1, 3) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]])
    x, y, z = (_cube_root(v) for v in (xyz / [0.9505, 1.0, 1.089]).T)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


@lru_cache(maxsize=1024)
def is_light(color: Color) -> bool:
    """Say whether black text reads better on this colour than white text."""
    return bool(lab([color])[0, 0] > 62)


def _cube_root(value: Labs) -> Labs:
    return np.where(value > (6 / 29) ** 3, np.cbrt(value), value / (3 * (6 / 29) ** 2) + 4 / 29)


def _distances(points: Labs) -> Labs:
    return np.asarray(np.linalg.norm(points[:, None] - points[None], axis=2))


def _identities(part: Objects) -> npt.NDArray[np.int64]:
    return np.zeros(0, np.int64) if part.cluster is None else part.cluster[part.cluster >= 0]


def _neighbours(part: Objects) -> npt.NDArray[np.int64]:
    """Return (P, 2) clusters that stand side by side, the smaller first."""
    if part.cluster is None or not len(part):
        return np.zeros((0, 2), np.int64)
    import shapely

    margin = np.sqrt(np.prod(part.size.astype(np.float64), axis=1))[:, None] * NEIGHBOUR_GAP / 2
    grown = rectangles(part.xyxy + np.concatenate([-margin, -margin, margin, margin], axis=1))
    i, j = shapely.STRtree(grown).query(grown)
    a, b = part.cluster[i], part.cluster[j]
    keep = (a < b) & (a >= 0)
    return np.unique(np.stack([a[keep], b[keep]], axis=1), axis=0)
