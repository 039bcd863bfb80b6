"""What should stand where, and how a shelf differs from it: missing, moved, extra.

Boards are matched in order from the top so that most products agree, and the products along each pair of boards by the
longest common subsequence. What stays unmatched on both sides with the same product has moved; the rest is missing or
extra.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from packed_scenes.aggregate.shelf import ShelfReport, product_name
from packed_scenes.data.cells import csv_text
from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE
from packed_scenes.data.tables import parse_table
from packed_scenes.data.text import read_text

MAX_FACINGS = 10_000  # of a planogram: a typing slip such as 1e9 should not fill memory
COLUMNS = ("row", "position", "product", "facings")
DIFFERENCE_COLUMNS = ("change", "product", "from_row", "from_position", "to_row", "to_position", "object_id")


@dataclass(frozen=True)
class Slot:
    """One facing.

    Attributes:
        product: name of the identity.
        row: board, 1 = top.
        position: 1, 2, … along the board, stacked objects one after the other.
        object_id: the object in the photo; empty in a planogram.
    """

    product: str
    row: int
    position: int
    object_id: str = ""


Layout = tuple[tuple[Slot, ...], ...]


@dataclass(frozen=True)
class Differences:
    """How a shelf differs from what was expected.

    Attributes:
        same: (expected, found) facings that agree.
        moved: (expected, found) facings of one product that stand elsewhere.
        missing: expected facings that are not there.
        extra: facings that were not expected.
        boards: (expected, found) boards that were matched, 1 = top.
        unseen: facings of either photo that the other does not show, so that nothing is said of them.
        joined: facings of either photo that the other shows as one box (a stack that was not told apart), so that
            nothing is said of them.
    """

    same: tuple[tuple[Slot, Slot], ...]
    moved: tuple[tuple[Slot, Slot], ...]
    missing: tuple[Slot, ...]
    extra: tuple[Slot, ...]
    boards: tuple[tuple[int, int], ...]
    unseen: int = 0
    joined: int = 0

    @property
    def agreement(self) -> float:
        """Share of expected facings that stand where they should; 1 where nothing was expected."""
        expected = len(self.same) + len(self.moved) + len(self.missing)
        return len(self.same) / expected if expected else 1.0


def layout_of(report: ShelfReport) -> Layout:
    """Return what stands on each board, left to right; objects of no cluster are left out."""
    boards: list[list[Slot]] = [[] for _ in range(report.rows.count)]
    cluster, ids, rows = report.objects.cluster, report.objects.object_id, report.rows
    assert cluster is not None
    for at in np.lexsort((rows.level, rows.stack, rows.row)).tolist():
        if cluster[at] != NOISE:
            board = boards[int(rows.row[at])]
            name = product_name(int(cluster[at]), report.names)
            board.append(Slot(name, int(rows.row[at]) + 1, len(board) + 1, str(ids[at])))
    return tuple(tuple(board) for board in boards)


def read_planogram(path: str | Path) -> Layout:
    """Read a planogram from a CSV file with the columns row, position, product and, optionally, facings.

    Rows count from the top, positions from the left; ``product`` is an identity's name or number as in the report;
    ``facings`` of one product beside each other need one line only.

    Raises:
        InputError: if the file cannot be read, a column is missing, or a value is no positive whole number.
    """
    path = Path(path)
    return parse_planogram(read_text(path, what="planogram", any_encoding=True), file=path)


def parse_planogram(text: str, *, file: str | Path | None = None) -> Layout:
    """Read a planogram from CSV text; see :func:`read_planogram`."""
    remedy = "A planogram needs the columns row, position, product and may have facings."
    table = parse_table(text, file=file or "planogram")
    missing = [name for name in COLUMNS[:3] if name not in table.header]
    if missing:
        found = ", ".join(table.header) or "none"
        raise InputError(f"column {missing[0]!r} is missing; found {found}", file=file, remedy=remedy)
    entries: list[tuple[int, int, str, int]] = []
    for number, line in table.records():
        product = line["product"]
        if not product:
            raise InputError(f"line {number} names no product", file=file, remedy=remedy)
        row, position = (_whole(line[name], name, number, file) for name in ("row", "position"))
        entries.append((row, position, product, _whole(line.get("facings") or "1", "facings", number, file)))
    facings, rows = sum(entry[3] for entry in entries), max((entry[0] for entry in entries), default=0)
    if max(facings, rows) > MAX_FACINGS:
        raise InputError(f"more than {MAX_FACINGS} facings or rows", file=file, remedy="Check the numbers.")
    boards: list[list[Slot]] = [[] for _ in range(rows)]
    for row, _, product, times in sorted(entries, key=lambda entry: entry[:2]):
        board = boards[row - 1]
        board += [Slot(product, row, len(board) + 1 + more) for more in range(times)]
    return tuple(tuple(board) for board in boards)


def planogram_csv(layout: Layout) -> str:
    """Write a layout as a planogram that :func:`read_planogram` reads: a good photo is the plan for the next ones."""
    lines: list[list[object]] = []
    for board in layout:
        for slot in board:
            if lines and lines[-1][0] == slot.row and lines[-1][2] == slot.product:
                lines[-1][3] = int(str(lines[-1][3])) + 1
            else:
                lines.append([slot.row, slot.position, slot.product, 1])
    return csv_text([COLUMNS, *lines])


def compare_layouts(expected: Layout, found: Layout) -> Differences:
    """Compare two layouts.

    Time: one longest common subsequence per pair of boards. Memory: that of the longest pair.
    """
    names = {slot.product: at for at, slot in enumerate(s for board in (*expected, *found) for s in board)}
    left, right = (
        [np.array([names[s.product] for s in board], np.int64) for board in side] for side in (expected, found)
    )
    score = np.array([[_common(a, b)[-1, -1] for b in right] for a in left], np.int64).reshape(len(left), len(right))
    boards = _align(len(left), len(right), lambda i, j: int(score[i, j]))
    same = []
    for i, j in boards:
        table = _common(left[i], right[j])
        same += [(expected[i][a], found[j][b]) for a, b in _trace(table, left[i], right[j])]
    taken = {slot for pair in same for slot in pair}
    moved, missing, extra = _elsewhere(
        *([s for board in side for s in board if s not in taken] for side in (expected, found))
    )
    return Differences(
        tuple(same), tuple(moved), tuple(missing), tuple(extra), tuple((i + 1, j + 1) for i, j in boards)
    )


def _elsewhere(
    expected: Iterable[Slot], found: Iterable[Slot]
) -> tuple[list[tuple[Slot, Slot]], list[Slot], list[Slot]]:
    """Match slots that are not where they should be by product, the nearest first: moved, missing and extra ones."""
    waiting: dict[str, list[Slot]] = defaultdict(list)
    for slot in found:
        waiting[slot.product].append(slot)
    moved, missing = [], []
    for slot in expected:
        if waiting[slot.product]:
            nearest = min(waiting[slot.product], key=lambda s: (abs(s.row - slot.row), abs(s.position - slot.position)))
            waiting[slot.product].remove(nearest)
            moved.append((slot, nearest))
        else:
            missing.append(slot)
    extra = sorted((s for slots in waiting.values() for s in slots), key=lambda s: (s.row, s.position))
    return moved, missing, extra


def differences_csv(differences: Differences) -> str:
    """Return the differences as CSV text: missing, moved, extra."""
    lines: list[tuple[object, ...]] = [
        ("missing", s.product, s.row, s.position, "", "", "") for s in differences.missing
    ]
    lines += [("moved", a.product, a.row, a.position, b.row, b.position, b.object_id) for a, b in differences.moved]
    lines += [("extra", s.product, "", "", s.row, s.position, s.object_id) for s in differences.extra]
    return csv_text([DIFFERENCE_COLUMNS, *lines])


def _common(left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the table of longest common subsequences of all prefixes, one array operation per element of ``left``."""
    table = np.zeros((len(left) + 1, len(right) + 1), np.int64)
    for i, product in enumerate(left):
        best = np.maximum(table[i, 1:], table[i, :-1] + (right == product))
        table[i + 1, 1:] = np.maximum.accumulate(best)
    return table


def _trace(
    table: npt.NDArray[np.int64], left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]
) -> list[tuple[int, int]]:
    """Read the matched pairs off the table, first to last."""
    i, j, pairs = len(left), len(right), []
    while i and j:
        if left[i - 1] == right[j - 1] and table[i, j] == table[i - 1, j - 1] + 1:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif table[i - 1, j] >= table[i, j - 1]:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]


def _align(left: int, right: int, score: Callable[[int, int], int]) -> list[tuple[int, int]]:
    """Match 0 … left-1 with 0 … right-1 in order for the largest sum of scores; of equals, the nearest numbers."""
    Step = tuple[int, int, tuple[tuple[int, int], ...]]
    best: list[list[Step]] = [[(0, 0, ())] * (right + 1) for _ in range(left + 1)]
    for i in range(left):
        for j in range(right):
            total, offset, pairs = best[i][j]
            joined = (total + score(i, j), offset - abs(i - j) - (score(i, j) == 0), (*pairs, (i, j)))
            best[i + 1][j + 1] = max(joined, best[i][j + 1], best[i + 1][j], key=lambda option: option[:2])
    return list(best[left][right][2])


def _whole(value: str | None, name: str, line: int, file: str | Path | None) -> int:
    text = (value or "").strip()
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
        raise InputError(
            f"line {line}: {name} must be a whole number from 1, got {text!r}", file=file, remedy="Correct this line."
        )
    return int(text)
