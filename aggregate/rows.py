"""Shelf boards found from the boxes: which objects stand on the same board, in reading order.

1. Stacks: an object rests on another when its lower edge meets the other's upper edge. On 13 labelled shelf photos and
   the 63-object one, the gap between stacked objects is at most .01 of the smaller height, across a board at least .12.
2. Tilt: the slope between the bases of neighbours, as a linear function of height in the picture (a camera that looks
   up or down makes the boards converge), by medians, so that hidden bases don't matter.
3. Runs: neighbours whose bases agree, but for the tilt, stand on one board; runs of them bend with the board.
4. Lines: what is left is one dimension, the height of each run's base along the tilted boards; a new line begins
   where the next run's base is lower by more than a share of an object's height.
5. Boards: a line is a board unless, near those that stand on it, wider goods cross it or rest on others at its height,
   or it carries next to nothing of the photo's width and goods elsewhere contradict it. What seems to stand on a line
   that is none is part of a stack whose lower goods were not found, or not exactly: it stands on the board below, on
   top of what stands there.

Limits: bays beside each other whose boards are at different heights are read as one shelf; under a strong tilt, goods
that overhang what they rest on may count as a board of their own.

Memory: neighbouring pairs only, found with an R-tree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from packed_scenes.aggregate.adjacency import Floats, Ints, components, group_median, rectangles
from packed_scenes.data.objects import Objects

RESTS = (-0.35, 0.06)  # gap between stacked objects, as a share of the smaller height
OVER = 0.5  # share of the narrower object's width over which stacked objects overlap
NEW_BOARD = 0.4  # bases further apart than this share of the smaller height are on different boards
SAME_BASE = 0.25  # neighbours' bases that agree within this share of the smaller height are on one board
NEAR = 1.5  # widths to the left and right of an object over which its line is compared with other goods
WEAK = 0.25  # of the goods over the photo's whole width that contradict a line, fewer than this share stand on it
LEVEL = 0.5  # neighbours on a board overlap vertically by this share of the smaller height
MIN_SLOPES = 8  # fewer don't tell how the slope changes with height


@dataclass(frozen=True, eq=False)
class Rows:
    """Where each of N objects stands.

    Attributes:
        row: (N,) board, 0 = top.
        stack: (N,) position along the board, 0 = left; objects on top of each other share it.
        level: (N,) height in the stack, 0 = on the board.
        order: (N,) rows of the objects in reading order: boards from the top, left to right, stacks from the top.
        slope: (2,) a and b: boards descend by a + b * y pixels per pixel to the right at height y.
    """

    row: Ints
    stack: Ints
    level: Ints
    order: Ints
    slope: tuple[float, float]

    @property
    def count(self) -> int:
        """Number of boards."""
        return int(self.row.max(initial=-1)) + 1

    def level_height(self, x: Floats, y: Floats) -> Floats:
        """Follow the tilted boards from points (x, y) to x = 0 and return the heights there, in pixels."""
        a, b = self.slope
        return np.asarray(y - (a + b * y) * x)


def find_rows(objects: Objects) -> Rows:
    """Find the boards on which objects stand; see the module's text for how.

    Objects of no cluster count, too: what stands on the shelf need not be known.
    """
    count = len(objects)
    if not count:
        none = np.zeros(0, np.int64)
        return Rows(none, none, none, none, (0.0, 0.0))
    xyxy = objects.xyxy.astype(np.float64)
    above, below = _resting(xyxy)
    pile = components(count, np.stack([above, below], axis=1))
    lowest = np.lexsort((xyxy[:, 3], pile))
    foot = lowest[np.append(np.flatnonzero(np.diff(pile[lowest])), count - 1)]  # the lowest object of each pile
    slope = _tilt(xyxy[foot])
    found = Rows(pile, pile, pile, pile, slope)
    base = found.level_height((xyxy[foot, 0] + xyxy[foot, 2]) / 2, xyxy[foot, 3])
    run = _runs(xyxy[foot], slope)
    line = _split(group_median(base, run), group_median(xyxy[foot, 3] - xyxy[foot, 1], run))
    board = _boards(xyxy, foot, line, found)
    row = board[pile]
    on_top, under = _floating(xyxy, foot, row)
    pile = components(count, np.stack([np.append(above, on_top), np.append(below, under)], axis=1))
    lowest = np.lexsort((xyxy[:, 3], pile))
    foot = lowest[np.append(np.flatnonzero(np.diff(pile[lowest])), count - 1)]

    left = np.full(len(foot), np.inf)
    np.minimum.at(left, pile, xyxy[:, 0])
    by_board = np.lexsort((left, row[foot]))
    stack = np.empty(len(foot), np.int64)
    _, start, size = np.unique(row[foot][by_board], return_index=True, return_counts=True)
    stack[by_board] = np.arange(len(foot)) - np.repeat(start, size)
    level = np.empty(count, np.int64)
    upward = np.lexsort((-xyxy[:, 3], pile))
    _, start, size = np.unique(pile[upward], return_index=True, return_counts=True)
    level[upward] = np.arange(count) - np.repeat(start, size)
    order = np.lexsort((-level, stack[pile], row))
    return Rows(row, stack[pile], level, order, slope)


def _resting(xyxy: Floats) -> tuple[Ints, Ints]:
    """Return pairs (above, below) of objects of which one rests on the other, the closest support for each."""
    import shapely

    height = xyxy[:, 3] - xyxy[:, 1]
    reach = np.zeros_like(xyxy)
    reach[:, 3] = height * RESTS[1] + 1
    above, below = shapely.STRtree(rectangles(xyxy)).query(rectangles(xyxy + reach))
    width = xyxy[:, 2] - xyxy[:, 0]
    overlap = np.minimum(xyxy[above, 2], xyxy[below, 2]) - np.maximum(xyxy[above, 0], xyxy[below, 0])
    gap = (xyxy[below, 1] - xyxy[above, 3]) / np.minimum(height[above], height[below])
    lower = xyxy[below, 3] - xyxy[above, 3] > -RESTS[0] * np.minimum(height[above], height[below])
    keep = (overlap >= OVER * np.minimum(width[above], width[below])) & (gap >= RESTS[0]) & (gap <= RESTS[1]) & lower
    above, below, gap, overlap = above[keep], below[keep], gap[keep], overlap[keep]
    best = np.lexsort((below, -overlap, above))
    _, first = np.unique(above[best], return_index=True)
    return above[best][first], below[best][first]


def _neighbours(xyxy: Floats) -> tuple[Ints, Ints]:
    """Return pairs (left, right) of objects at the same height, at most the left one's width apart."""
    import shapely

    size = xyxy[:, 2:] - xyxy[:, :2]
    reach = np.zeros_like(xyxy)
    reach[:, 2] = size[:, 0]
    i, j = shapely.STRtree(rectangles(xyxy)).query(rectangles(xyxy + reach))
    x = (xyxy[:, 0] + xyxy[:, 2]) / 2
    overlap = np.minimum(xyxy[i, 3], xyxy[j, 3]) - np.maximum(xyxy[i, 1], xyxy[j, 1])
    right = (x[j] - x[i] > 0.5 * np.minimum(size[i, 0], size[j, 0])) & (
        overlap >= LEVEL * np.minimum(size[i, 1], size[j, 1])
    )
    return i[right], j[right]


def _tilt(xyxy: Floats) -> tuple[float, float]:
    """Estimate (a, b): the boards' slope in the picture is a + b * y."""
    i, j = _neighbours(xyxy)
    if not len(i):
        return 0.0, 0.0
    x, height = (xyxy[:, 0] + xyxy[:, 2]) / 2, xyxy[:, 3] - xyxy[:, 1]
    slope = (xyxy[j, 3] - xyxy[i, 3]) / (x[j] - x[i])
    y = (xyxy[i, 3] + xyxy[j, 3]) / 2
    flat = float(np.median(slope))
    if len(slope) < MIN_SLOPES:
        return flat, 0.0
    middle = float(np.median(y))
    upper, lower = y < middle, y >= middle
    if not upper.any() or float(np.median(y[lower]) - np.median(y[upper])) < float(np.median(height)):
        return flat, 0.0
    rise = float(np.median(slope[lower]) - np.median(slope[upper])) / float(np.median(y[lower]) - np.median(y[upper]))
    return float(np.median(slope - rise * y)), rise


def _runs(xyxy: Floats, slope: tuple[float, float]) -> Ints:
    """Number the runs of neighbours whose bases follow the tilt."""
    i, j = _neighbours(xyxy)
    x, height = (xyxy[:, 0] + xyxy[:, 2]) / 2, xyxy[:, 3] - xyxy[:, 1]
    a, b = slope
    step = xyxy[j, 3] - xyxy[i, 3] - (a + b * xyxy[i, 3]) * (x[j] - x[i])
    level = np.abs(step) <= SAME_BASE * np.minimum(height[i], height[j])
    return components(len(xyxy), np.stack([i, j], axis=1)[level])


def _boards(xyxy: Floats, foot: Ints, line: Ints, rows: Rows) -> Ints:
    """Say on which board each foot stands, from the lines 0, 1, … on which they seem to: see step 5 of the module."""
    import shapely

    a, b = rows.slope
    width, height = (xyxy[:, 2:] - xyxy[:, :2]).T
    x = (xyxy[:, 0] + xyxy[:, 2]) / 2
    strip = xyxy[foot].copy()
    strip[:, [0, 2]] += np.array([-NEAR, NEAR]) * width[foot, None]
    margin = SAME_BASE * height[foot]
    strip[:, 1], strip[:, 3] = xyxy[foot, 3] - margin, xyxy[foot, 3] + margin
    f, o = shapely.STRtree(rectangles(xyxy)).query(rectangles(strip))
    at = xyxy[foot[f], 3] + (a + b * xyxy[foot[f], 3]) * (x[o] - x[foot[f]])  # the line's height below or above o
    margin = SAME_BASE * np.minimum(height[foot[f]], height[o])
    stands = np.zeros(len(xyxy), np.bool_)
    stands[foot] = True
    crosses = (xyxy[o, 1] < at - margin) & (xyxy[o, 3] > at + margin)
    rests = (np.abs(xyxy[o, 3] - at) <= margin) & ~stands[o]
    against = np.unique(np.stack([line[f], o], axis=1)[crosses | rests], axis=0)
    lines = int(line.max()) + 1
    for_it = np.bincount(line, weights=width[foot], minlength=lines)
    board = for_it >= np.bincount(against[:, 0], weights=width[against[:, 1]], minlength=lines)

    base, top = rows.level_height(x, xyxy[:, 3]), rows.level_height(x, xyxy[:, 1])
    margin = SAME_BASE * height
    until = np.where(stands, base - margin, base + margin)  # over the whole width: crossed, or rested at
    level = group_median(base[foot], line)[np.unique(line, return_index=True)[1]]
    board &= for_it >= WEAK * (_weight_below(top + margin, width, level) - _weight_below(until, width, level))
    board[-1] = True  # whatever stands lowest stands on something
    number: Ints = np.cumsum(board) - board  # of the next board at or below each line
    return np.asarray(number[line])


def _weight_below(values: Floats, weights: Floats, at: Floats) -> Floats:
    """Return for each of ``at`` the sum of the weights whose values are smaller."""
    order = np.argsort(values, kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(weights[order])])
    return np.asarray(sums[np.searchsorted(values[order], at)])


def _floating(xyxy: Floats, foot: Ints, row: Ints) -> tuple[Ints, Ints]:
    """Return pairs (foot, what is beneath it on its board) of the lowest found objects of stacks that lack some."""
    import shapely

    lowest = np.full(int(row.max()) + 1, -np.inf)
    np.maximum.at(lowest, row, xyxy[:, 3])
    beneath = xyxy[foot].copy()
    beneath[:, 1], beneath[:, 3] = xyxy[foot, 3], np.maximum(lowest[row[foot]], xyxy[foot, 3])
    f, o = shapely.STRtree(rectangles(xyxy)).query(rectangles(beneath))
    i = foot[f]
    narrower = np.minimum(xyxy[i, 2] - xyxy[i, 0], xyxy[o, 2] - xyxy[o, 0])
    overlap = np.minimum(xyxy[i, 2], xyxy[o, 2]) - np.maximum(xyxy[i, 0], xyxy[o, 0])
    lower = xyxy[o, 1] + xyxy[o, 3] > 2 * xyxy[i, 3]  # its middle is below the foot's base
    keep = (row[i] == row[o]) & (overlap >= OVER * narrower) & lower
    i, o, overlap = i[keep], o[keep], overlap[keep]
    best = np.lexsort((o, -overlap, xyxy[o, 1], i))
    _, first = np.unique(i[best], return_index=True)
    return i[best][first], o[best][first]


def _split(base: Floats, height: Floats) -> Ints:
    """Number the boards from the top, by gaps between the sorted bases."""
    order = np.argsort(base, kind="stable")
    smaller = np.minimum(height[order][1:], height[order][:-1])
    begins = np.append(False, np.diff(base[order]) > NEW_BOARD * smaller)
    row = np.empty(len(base), np.int64)
    row[order] = np.cumsum(begins)
    return row
