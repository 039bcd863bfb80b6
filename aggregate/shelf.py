"""The shelf report: facings per identity and board, shares of the shelf, gaps where goods may be missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from packed_scenes.aggregate.adjacency import Floats, Ints
from packed_scenes.aggregate.rows import Rows, find_rows
from packed_scenes.data.cells import csv_text
from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE, Objects

EMPTY = 0.6  # of the narrower neighbour's width: a free stretch this wide may be a missing facing
UNKNOWN = "?"

LINE_COLUMNS = ("scene", "row", "cluster", "name", "facings", "places", "share_of_row", "share_count", "share_area")
TOTAL_COLUMNS = ("scene", "cluster", "name", "facings", "places", "share_count", "share_area")
GAP_COLUMNS = ("scene", "row", "x1", "y1", "x2", "y2", "room", "left", "right")


@dataclass(frozen=True)
class Share:
    """What one identity has of a board, or of the whole shelf.

    Attributes:
        cluster: the identity; -1 = objects of no cluster.
        name: its name; the cluster's number where none was given, ``"?"`` for -1.
        row: board, 1 = top; 0 = the whole shelf.
        facings: number of its objects.
        places: number of its places along the board; stacked objects share one.
        of_row: share of the board's objects (of the shelf's, for row 0).
        of_count: share of the shelf's objects.
        of_area: share of the shelf's box area.
    """

    cluster: int
    name: str
    row: int
    facings: int
    places: int
    of_row: float
    of_count: float
    of_area: float


@dataclass(frozen=True)
class Gap:
    """A free stretch on a board between two objects: an out-of-stock candidate.

    Attributes:
        row: board, 1 = top.
        bbox: (x1, y1, x2, y2) of the free space in pixels, between the neighbours and up to the lower one's top.
        room: how many objects of the narrower neighbour's width fit, rounded, at least 1.
        left: name of the neighbour on the left.
        right: name of the neighbour on the right.
    """

    row: int
    bbox: tuple[float, float, float, float]
    room: int
    left: str
    right: str


@dataclass(frozen=True, eq=False)
class ShelfReport:
    """One photo of a shelf.

    Attributes:
        scene: its name.
        objects: what stands there, with ``cluster``.
        rows: the boards and the reading order.
        lines: share per board and identity: boards from the top, most facings first.
        totals: share per identity over all boards, most facings first, unknown ones last.
        gaps: out-of-stock candidates in reading order.
        names: cluster -> name, as given.
    """

    scene: str
    objects: Objects
    rows: Rows
    lines: tuple[Share, ...]
    totals: tuple[Share, ...]
    gaps: tuple[Gap, ...]
    names: Mapping[int, str]


def shelf_report(objects: Objects, *, scene: str = "scene", names: Mapping[int, str] | None = None) -> ShelfReport:
    """Report what stands on a shelf.

    Args:
        objects: N objects of one photo with ``cluster`` set; objects of no cluster are counted as ``"?"``.
        scene: the photo's name.
        names: cluster -> name for people.

    Raises:
        InputError: if the objects have no cluster yet.
    """
    if objects.cluster is None:
        raise InputError("objects have no cluster yet", remedy="Cluster them first.")
    names = dict(names or {})
    rows = find_rows(objects)
    total = max(len(objects), 1)
    area = np.prod(objects.size.astype(np.float64), axis=1)
    lines = _shares(objects.cluster, rows, area, rows.row + 1, names, total)
    totals = _shares(objects.cluster, rows, area, np.zeros(len(objects), np.int64), names, total)
    return ShelfReport(scene, objects, rows, lines, totals, _gaps(objects, rows, names), names)


def product_name(cluster: int, names: Mapping[int, str]) -> str:
    """Return the name of a cluster: as given, else its number, ``"?"`` for noise."""
    return names.get(cluster, UNKNOWN if cluster == NOISE else str(cluster))


def shelf_csv(reports: Iterable[ShelfReport]) -> str:
    """Return facings and shares as CSV text: a line per scene, board and identity; no totals."""
    return csv_text(
        [
            LINE_COLUMNS,
            *(
                (
                    report.scene,
                    s.row,
                    s.cluster,
                    s.name,
                    s.facings,
                    s.places,
                    *(f"{v:.4f}" for v in (s.of_row, s.of_count, s.of_area)),
                )
                for report in reports
                for s in report.lines
            ),
        ]
    )


def totals_csv(reports: Iterable[ShelfReport]) -> str:
    """Return facings and shares over all boards as CSV text: a line per scene and identity."""
    return csv_text(
        [
            TOTAL_COLUMNS,
            *(
                (report.scene, s.cluster, s.name, s.facings, s.places, f"{s.of_count:.4f}", f"{s.of_area:.4f}")
                for report in reports
                for s in report.totals
            ),
        ]
    )


def gaps_csv(reports: Iterable[ShelfReport]) -> str:
    """Return the out-of-stock candidates as CSV text."""
    return csv_text(
        [
            GAP_COLUMNS,
            *(
                (report.scene, g.row, *(f"{v:.1f}" for v in g.bbox), g.room, g.left, g.right)
                for report in reports
                for g in report.gaps
            ),
        ]
    )


def _shares(
    cluster: Ints, rows: Rows, area: Floats, board: Ints, names: Mapping[int, str], total: int
) -> tuple[Share, ...]:
    """Count facings, places and area per (board, cluster)."""
    keys, group, facings = np.unique(
        np.stack([board, cluster], axis=1), axis=0, return_inverse=True, return_counts=True
    )
    group = group.reshape(-1)
    spots = np.unique(np.stack([group, rows.row, rows.stack], axis=1), axis=0)[:, 0]
    places = np.bincount(spots, minlength=len(keys))
    surface = np.bincount(group, weights=area, minlength=len(keys))
    on_board = dict(zip(*(v.tolist() for v in np.unique(board, return_counts=True)), strict=True))
    order = np.lexsort((keys[:, 1], -facings, keys[:, 1] == NOISE, keys[:, 0]))
    return tuple(
        Share(
            cluster=(c := int(keys[at, 1])),
            name=product_name(c, names),
            row=(r := int(keys[at, 0])),
            facings=int(facings[at]),
            places=int(places[at]),
            of_row=float(facings[at] / on_board[r]),
            of_count=float(facings[at] / total),
            of_area=float(surface[at] / area.sum()),
        )
        for at in order.tolist()
    )


def _gaps(objects: Objects, rows: Rows, names: Mapping[int, str]) -> tuple[Gap, ...]:
    """Find free stretches between neighbours on a board; space beyond its ends is not judged."""
    assert objects.cluster is not None
    if len(objects) < 2:
        return ()
    xyxy = objects.xyxy.astype(np.float64)
    order = np.lexsort((xyxy[:, 0], rows.row))
    # The furthest right edge so far on each board: boards are laid end to end, so one running maximum serves all.
    shift = rows.row[order] * (np.ptp(xyxy[:, [0, 2]]) * 2 + 1)
    edge = xyxy[order, 2] + shift
    reached = np.maximum.accumulate(edge)
    holder = order[np.maximum.accumulate(np.where(edge >= reached, np.arange(len(order)), 0))]
    left, right = holder[:-1], order[1:]
    free = xyxy[right, 0] - xyxy[left, 2]
    width = np.minimum(*(xyxy[side, 2] - xyxy[side, 0] for side in (left, right)))
    found = np.flatnonzero((rows.row[left] == rows.row[right]) & (free >= EMPTY * width))
    gaps = []
    for a, b, room in zip(left[found].tolist(), right[found].tolist(), (free / width)[found].tolist(), strict=True):
        bottom = (_board(xyxy, rows, a) + _board(xyxy, rows, b)) / 2
        top = min(max(xyxy[a, 1], xyxy[b, 1]), bottom - 1)
        bbox = tuple(round(float(v), 2) for v in (xyxy[a, 2], top, xyxy[b, 0], bottom))
        beside = [product_name(int(objects.cluster[side]), names) for side in (a, b)]
        gaps.append(Gap(int(rows.row[a]) + 1, (bbox[0], bbox[1], bbox[2], bbox[3]), max(1, round(room)), *beside))
    return tuple(gaps)


def _board(xyxy: Floats, rows: Rows, at: int) -> float:
    """Return the height of the board under an object: the lowest edge of its stack."""
    return float(xyxy[(rows.row == rows.row[at]) & (rows.stack == rows.stack[at]), 3].max())
