"""Boxes as tables, in pixels.

With a header: the box is ``x1,y1,x2,y2`` (or ``x0,y0,x1,y1``, ``xmin,ymin,xmax,ymax``, ``x_min,y_min,x_max,y_max``,
``left,top,right,bottom``, or ``x,y,width,height``). Optional: ``object_id``, ``score`` (or ``confidence``, if all of it
lies within 0 and 1), ``class_id`` (or ``class``, ``label``, text),
``cluster``, ``probability``, ``congregation``, ``image`` (or ``frame``, a number) for many pictures, and the picture's
``image_width,image_height``. Other columns are left alone.

Without a header: ``image,x1,y1,x2,y2[,class[,image_width,image_height]]``, as SKU-110K and others have it. A score that
is left out is 1.

A row without a box says that its picture holds no object. A bad row is left out with a warning. A table of which every
value lies within 0 and 1 holds fractions of the picture's size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any, Self

import numpy as np

from packed_scenes.data.cells import csv_text
from packed_scenes.data.checks import Size, build_objects, entry_name, finite, identifier, integer, shorten
from packed_scenes.data.errors import InputError
from packed_scenes.data.faults import Faults
from packed_scenes.data.folders import IMAGE_SUFFIXES
from packed_scenes.data.objects import Objects
from packed_scenes.data.parsed_boxes import ParsedBoxes
from packed_scenes.data.tables import Table, parse_table

_CORNERS = (
    ("x1", "y1", "x2", "y2"), ("x0", "y0", "x1", "y1"), ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"), ("left", "top", "right", "bottom"),
)  # fmt: skip
_EXTENTS = (("x", "y", "w", "h"), ("x", "y", "width", "height"))  # width and height may be the picture's
_IDS = ("object_id", "id")
_SCENES = (
    "image",
    "frame",
    "file",
    "file_name",
    "filename",
    "image_name",
    "image_path",
    "path",
    "scene",
    "imageid",
    "image_id",
)
_CLASSES = ("class", "label", "category", "class_name")  # text; a table of crops may name image and frame: frame first
_SIZES = (("image_width", "image_height"), ("img_width", "img_height"), ("width", "height"))
_WHOLE = ("class_id", "cluster", "congregation")
_PARTS = ("score", "probability")
_BARE = ("image", "x1", "y1", "x2", "y2", "class", "image_width", "image_height")  # of a table without a header


@dataclass
class _Rows:
    """Cells of one picture, column by column, with their line numbers."""

    extra: Sequence[str]
    lines: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    boxes: list[list[float]] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    columns: dict[str, list[float]] = field(default_factory=dict)
    size: Size | None = None

    def add(self, line: int, key: str | None, box: list[float], label: str | None, values: dict[str, float]) -> None:
        self.lines.append(line)
        self.ids.append(str(len(self.ids)) if key is None else key)
        self.boxes.append(box)
        if label is not None:
            self.classes.append(label)
        for name in self.extra:
            self.columns.setdefault(name, []).append(values[name])


@dataclass(frozen=True)
class _Columns:
    """Which columns of a table hold what; None = it has none of the kind."""

    box: tuple[str, ...]
    scene: str | None
    key: str | None
    label: str | None
    sides: tuple[str, str] | None
    extra: list[str]

    @classmethod
    def of(cls, table: Table, file: str | Path) -> Self:
        header, box = table.header, _box_columns(table.header, file)
        used = (*box, *_SCENES, *_IDS, *_WHOLE, *_PARTS)
        if twice := next((name for name in used if header.count(name) > 1), None):
            raise InputError(f"the column {twice!r} appears twice", file=file, remedy="Rename one of them.")
        sides = next((pair for pair in _SIZES if not set(pair) & set(box) and set(pair) <= set(header)), None)
        label = None if "class_id" in header else table.column(*_CLASSES)
        extra = [name for name in (*_WHOLE, *_PARTS) if name in header]
        return cls(box, table.column(*_SCENES), table.column(*_IDS), label, sides, extra)

    def size(self, cells: Mapping[str, str]) -> Size | None:
        """(width, height) of the picture, if a row has it."""
        values = [finite(cells[side]) for side in self.sides or ()]
        good = values and all(v is not None and v >= 1 for v in values)
        return (int(values[0] or 0), int(values[1] or 0)) if good else None

    def read_box(self, own: _Rows, line: int, cells: Mapping[str, str], table: Table) -> None:
        """Add the box of a row to those of its picture."""
        where = f"line {line}"
        x1, y1, x2, y2 = (_cell(cells[c], c, table, where) for c in self.box)
        corners = [x1, y1, x1 + x2, y1 + y2] if self.box in _EXTENTS else [x1, y1, x2, y2]
        key = None if self.key is None else identifier(cells[self.key], file=table.file, where=where)
        values = {name: _column(cells[name], name, table, where) for name in self.extra}
        own.add(line, key, corners, None if self.label is None else cells[self.label] or "object", values)


def parse_csv(text: str, *, file: str | Path) -> ParsedBoxes:
    """Turn a table into objects by picture name (``""`` without such a column).

    Args:
        text: the content of the file.
        file: for messages.

    Raises:
        InputError: without box columns, or with the line, if no row is good.
    """
    table = _with_header(parse_table(text, file=file, strict=True))
    columns = _Columns.of(table, file)
    rows: dict[str, _Rows] = {}
    faults = Faults(file)
    for (line, cells), row in zip(table.records(), table.rows, strict=True):
        where = f"line {line}"
        with faults.entry(where):
            if len(row) > len(table.header) or (len(row) < len(table.header) and columns.scene is None):
                raise InputError(
                    f"{where}: has {len(row)} cells, the header has {len(table.header)}", file=file,
                    remedy="Correct it.",
                )  # fmt: skip
            name = "" if columns.scene is None else entry_name(cells[columns.scene], file=file, where=where)
            own = rows.setdefault(name, _Rows(columns.extra))
            own.size = own.size or columns.size(cells)
            if columns.scene is not None and not any(cells[c] for c in columns.box):
                faults.good += 1  # a picture without objects
            else:
                columns.read_box(own, line, cells, table)
    return _given(rows, faults, file)


def _given(rows: Mapping[str, _Rows], faults: Faults, file: str | Path) -> ParsedBoxes:
    """Join the rows of all pictures; the largest value shows whether they are fractions of the picture."""
    names = tuple(sorted({label for own in rows.values() for label in own.classes}))
    found = ParsedBoxes(names=names)
    largest = max((abs(v) for own in rows.values() for box_ in own.boxes for v in box_), default=0.0)
    found.fractions = 0 < largest <= 1
    for name, own in rows.items():
        found.scenes[name], more = _objects(own, file, names, faults)
        found.warnings += more
        if own.size is not None:
            found.sizes[name] = own.size
    faults.check()
    found.warnings = [*faults.warnings(), *found.warnings]
    if found.fractions:
        found.warnings.append(f"{file}: all values lie within 0 and 1: taken as fractions of the pictures' sizes")
    if not found.scenes:
        found.scenes = {"": Objects.empty()}  # whatever the pictures are: they hold none
    return found


def _with_header(table: Table) -> Table:
    """Give a table without a header the columns of SKU-110K: its first line holds a name and four numbers (or none)."""
    cells = table.header
    numbers = [finite(cell) is not None for cell in cells[1:]]
    name = finite(cells[0]) is None if cells else False  # a picture may be called 0001, beside a class that is text
    bare = 5 <= len(cells) <= len(_BARE) and (
        (name and (all(numbers[:4]) or not any(cells[1:5]))) or (all(numbers[:4]) and numbers[4:5] == [False])
    )
    bare |= len(cells) == 1 and PurePath(cells[0]).suffix in IMAGE_SUFFIXES  # the first picture holds no object
    if not bare:
        return _with_score(table)
    first = [table.raw_header[i] for i in range(len(cells))]
    lines = [table.header_line, *table.lines]
    width = max([len(cells), 5, *map(len, table.rows)])
    return Table(table.file, _BARE[:width], [first, *table.rows], lines, table.delimiter)


def _with_score(table: Table) -> Table:
    """Call a column ``confidence`` by the name it has here, if it is one."""
    if "score" in table.header or table.header.count("confidence") != 1:
        return table
    at = table.header.index("confidence")
    values = [finite(row[at]) for row in table.rows if at < len(row) and row[at]]
    if not values or not all(v is not None and 0 <= v <= 1 for v in values):
        return table
    return replace(table, header=tuple("score" if name == "confidence" else name for name in table.header))


def _objects(rows: _Rows, path: str | Path, names: tuple[str, ...], faults: Faults) -> tuple[Objects, list[str]]:
    columns: dict[str, Any] = {
        name: np.array(values, np.float32 if name in _PARTS else np.int64) for name, values in rows.columns.items()
    }
    if rows.classes:
        columns["class_id"] = np.array([names.index(label) for label in rows.classes], np.int64)
    return build_objects(
        rows.boxes, file=path, where=lambda row: f"line {rows.lines[row]}", object_id=rows.ids, faults=faults, **columns
    )


def _box_columns(header: Sequence[str], path: str | Path) -> tuple[str, ...]:
    for names in (*_CORNERS, *_EXTENTS):
        if all(name in header for name in names):
            return names
    shown = ", ".join(shorten(name) for name in header[:8]) or "nothing"
    raise InputError(
        f"is no box file that is known; as CSV it lacks the columns x1, y1, x2, y2 (found: {shown})",
        file=path,
        remedy='Use {"id": {"x1": …, "y1": …, "x2": …, "y2": …}}, COCO, CSV, YOLO, VOC, CVAT or Label Studio.',
    )


def _cell(text: str, what: str, table: Table, where: str) -> float:
    value = finite(text.replace(",", ".") if table.delimiter != "," else text)
    if value is None:
        raise InputError(
            f"{where}: {what} must be a finite number, got {shorten(text)}", file=table.file, remedy="Correct it."
        )
    return value


def _column(text: str, name: str, table: Table, where: str) -> float:
    if not text and name in _PARTS:
        return 1.0  # not said
    value = _cell(text, name, table, where)
    if name in _WHOLE:
        return integer(value, name, file=table.file, where=where, low=0 if name == "class_id" else -1)
    if not 0 <= value <= 1:
        raise InputError(
            f"{where}: {name} must be within 0 and 1, got {shorten(text)}", file=table.file, remedy="Correct it."
        )
    return value


def format_csv(scenes: Mapping[str, Objects]) -> str:
    """Return CSV with the columns that all scenes have (no vectors), ``image`` first unless the one name is ``""``."""
    named = list(scenes) != [""]
    extra = [
        n for n in ("cluster", "probability", "congregation") if all(getattr(o, n) is not None for o in scenes.values())
    ]
    rows: list[list[object]] = [
        [*(["image"] if named else []), "object_id", "x1", "y1", "x2", "y2", "score", "class_id", *extra]
    ]
    for name, objects in scenes.items():
        columns = [
            objects.object_id.tolist(),
            *(column.tolist() for column in objects.xyxy.astype(float).round(3).T),
            objects.score.astype(float).round(6).tolist(),
            objects.class_id.tolist(),
            *(
                np.round(getattr(objects, n).astype(float), 6).tolist() if n in _PARTS else getattr(objects, n).tolist()
                for n in extra
            ),
        ]
        rows += ([*([name] if named else []), *row] for row in zip(*columns, strict=True))
    return csv_text(rows)
