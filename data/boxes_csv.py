"""Boxes as CSV with a header.

The box is ``x1,y1,x2,y2`` (or ``x0,y0,x1,y1``, ``xmin,ymin,xmax,ymax``, ``left,top,right,bottom``, or
``x,y,width,height``) in pixels. Optional: ``object_id``, ``score``, ``class_id``, ``cluster``, ``probability``,
``congregation``, and ``image`` (or ``frame``, a number) for many pictures. Other columns are left alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from packed_scenes.data.checks import Size, build_objects, finite, identifier, integer, safe_name, shorten
from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import Objects

_CORNERS = (
    ("x1", "y1", "x2", "y2"), ("x0", "y0", "x1", "y1"), ("xmin", "ymin", "xmax", "ymax"),
    ("left", "top", "right", "bottom"),
)  # fmt: skip
_EXTENTS = (("x", "y", "width", "height"), ("x", "y", "w", "h"))
_IDS = ("object_id", "id")
_SCENES = ("image", "frame", "file", "file_name", "filename", "scene")  # a table of crops may name both: frame first
_WHOLE = ("class_id", "cluster", "congregation")
_PARTS = ("score", "probability")


@dataclass
class _Rows:
    """Cells of one picture, column by column, with their line numbers."""

    lines: list[int]
    ids: list[str]
    boxes: list[list[float]]
    columns: dict[str, list[float]]


def parse_csv(
    text: str, *, file: str | Path, size: Callable[[str], Size | None]
) -> tuple[dict[str, Objects], list[str]]:
    """Turn CSV text into objects by picture name (``""`` without such a column).

    Args:
        text: the content of the file.
        file: for messages.
        size: gives the (width, height) of a picture by its name, or None.

    Returns:
        Objects by picture, and a warning for each picture whose boxes had to be clipped.

    Raises:
        InputError: with the line, for a cell or box that is not right, or without box columns.
    """
    path = file
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    scenes: dict[str, _Rows] = {}
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        box = _box_columns(header, path)
        extent = box in _EXTENTS
        at = {name: header.index(name) for name in header}
        scene_at = next((at[name] for name in _SCENES if name in at), None)
        id_at = next((at[name] for name in _IDS if name in at), None)
        extra = [name for name in (*_WHOLE, *_PARTS) if name in at]
        for cells in reader:
            line = reader.line_num
            if not any(cells):
                continue
            if len(cells) != len(header):
                raise InputError(
                    f"line {line}: has {len(cells)} cells, the header has {len(header)}",
                    file=path,
                    remedy="Correct it.",
                )
            where = f"line {line}"
            name = "" if scene_at is None else safe_name(cells[scene_at].strip(), file=path, where=where)
            rows = scenes.setdefault(name, _Rows([], [], [], {column: [] for column in extra}))
            x1, y1, x2, y2 = (_cell(cells[at[c]], c, path, where) for c in box)
            rows.boxes.append([x1, y1, x1 + x2, y1 + y2] if extent else [x1, y1, x2, y2])
            rows.ids.append(str(len(rows.ids)) if id_at is None else identifier(cells[id_at], file=path, where=where))
            rows.lines.append(line)
            for column in extra:
                rows.columns[column].append(_column(cells[at[column]], column, path, where))
    except csv.Error as error:
        raise InputError(
            f"line {reader.line_num}: is no valid CSV ({error})", file=path, remedy="Export it again."
        ) from error
    made: dict[str, Objects] = {}
    warnings: list[str] = []
    for name, rows in scenes.items():
        made[name], more = _rows_to_objects(rows, path, size(name))
        warnings += more
    return made or {"": Objects.empty()}, warnings


def _rows_to_objects(rows: _Rows, path: str | Path, size: Size | None) -> tuple[Objects, list[str]]:
    columns: dict[str, Any] = {
        name: np.array(values, np.float32 if name in _PARTS else np.int64) for name, values in rows.columns.items()
    }
    return build_objects(
        rows.boxes, file=path, where=lambda row: f"line {rows.lines[row]}", object_id=rows.ids, size=size, **columns
    )


def _box_columns(header: Sequence[str], path: str | Path) -> tuple[str, ...]:
    if len(set(header)) != len(header):
        raise InputError("a column name appears twice", file=path, remedy="Rename one of them.")
    for names in (*_CORNERS, *_EXTENTS):
        if all(name in header for name in names):
            return names
    shown = ", ".join(shorten(name) for name in header[:8]) or "nothing"
    raise InputError(
        f"is no box file that is known; as CSV it lacks the columns x1, y1, x2, y2 (found: {shown})",
        file=path,
        remedy='Use {"id": {"x1": …, "y1": …, "x2": …, "y2": …}}, COCO, CSV or YOLO.',
    )


def _cell(text: str, what: str, path: str | Path, where: str) -> float:
    value = finite(text)
    if value is None:
        raise InputError(
            f"{where}: {what} must be a finite number, got {shorten(text)}", file=path, remedy="Correct it."
        )
    return value


def _column(text: str, name: str, path: str | Path, where: str) -> float:
    value = _cell(text, name, path, where)
    if name in _WHOLE:
        return integer(value, name, file=path, where=where, low=0 if name == "class_id" else -1)
    if not 0 <= value <= 1:
        raise InputError(
            f"{where}: {name} must be within 0 and 1, got {shorten(text)}", file=path, remedy="Correct it."
        )
    return value


def format_csv(scenes: Mapping[str, Objects]) -> str:
    """Return CSV with the columns that all scenes have (no vectors), ``image`` first unless the one name is ``""``."""
    named = list(scenes) != [""]
    extra = [
        n for n in ("cluster", "probability", "congregation") if all(getattr(o, n) is not None for o in scenes.values())
    ]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*(["image"] if named else []), "object_id", "x1", "y1", "x2", "y2", "score", "class_id", *extra])
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
        writer.writerows([*([name] if named else []), *row] for row in zip(*columns, strict=True))
    return stream.getvalue()
