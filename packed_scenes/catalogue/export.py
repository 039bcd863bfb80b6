"""A catalogue as files for other tools: COCO, CSV, Parquet. Written whole or not at all."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from packed_scenes.catalogue import reading
from packed_scenes.data.errors import InputError
from packed_scenes.data.files import atomic_write, write_csv
from packed_scenes.data.objects import Objects

COLUMNS = (
    "object_id", "scene", "source", "taken", "key", "x1", "y1", "x2", "y2", "score", "class_id", "identity", "name",
    "noise", "probability",
)  # fmt: skip
_SQL = """
    SELECT object_id, scenes.name, source, taken, key, x1, y1, x2, y2, score, class_id, identity_id, identities.name,
        noise, probability {more}
    FROM objects JOIN scenes USING (scene_id) JOIN identities USING (identity_id) WHERE shown = 1
    ORDER BY scene_id, object_id
"""
BATCH = 20_000  # rows held at once: 10 MB of 128-d vectors


class Format(StrEnum):
    """Formats of :func:`export`."""

    COCO = "coco"
    CSV = "csv"
    PARQUET = "parquet"


def export(connection: sqlite3.Connection, path: Path, form: Format | str | None = None) -> int:
    """Write the shown objects to a file and return how many.

    COCO: the category is the identity; CSV: a row per object; Parquet: the same with the vectors, readable by DuckDB,
    pandas and polars.

    Args:
        connection: of :meth:`Store.read`.
        path: the file.
        form: ``coco``, ``csv`` or ``parquet``; None = by the suffix (``.json`` is COCO).

    Raises:
        InputError: if the format is unknown or the file cannot be written.
    """
    text = {"json": "coco"}.get(path.suffix.lower()[1:], path.suffix.lower()[1:]) if form is None else str(form)
    try:
        chosen = Format(text)
    except ValueError as error:
        raise InputError(f"unknown format {text!r}", file=path, remedy=f"Use {', '.join(Format)}.") from error
    return {Format.COCO: _coco, Format.CSV: _csv, Format.PARQUET: _parquet}[chosen](connection, path)


def _csv(connection: sqlite3.Connection, path: Path) -> int:
    numbers = itertools.count()

    def rows() -> Iterator[Sequence[object]]:
        yield COLUMNS
        for row, _ in zip(connection.execute(_SQL.format(more="")), numbers, strict=False):
            yield *row[:5], *(round(v, 3) for v in row[5:9]), round(row[9], 6), *row[10:14], round(row[14], 6)

    write_csv(path, rows())
    return next(numbers)


def _parquet(connection: sqlite3.Connection, path: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    held = connection.execute(_SQL.format(more=", vector") + " LIMIT 1").fetchone()
    width = 0 if held is None else len(held[-1]) // 4
    text, whole, real = pa.string(), pa.int64(), pa.float32()
    types = (whole, text, text, text, text, real, real, real, real, real, whole, whole, text, pa.bool_(), real)
    schema = pa.schema([*zip(COLUMNS, types, strict=True), ("vector", pa.list_(pa.float32(), max(width, 1)))])
    count = 0
    with atomic_write(path) as temporary, temporary.open("wb") as sink, pq.ParquetWriter(sink, schema) as writer:
        rows = connection.execute(_SQL.format(more=", vector"))
        while batch := rows.fetchmany(BATCH):
            values = zip(*(r[:-1] for r in batch), strict=True)
            # SQLite has no truth values: its 0 and 1 are cast.
            columns: list[Any] = [
                pa.array(c, whole).cast(t) if t == pa.bool_() else pa.array(c, t)
                for c, t in zip(values, types, strict=True)
            ]
            flat = np.frombuffer(b"".join(r[-1] for r in batch), "<f4")
            columns.append(pa.FixedSizeListArray.from_arrays(pa.array(flat), width))
            writer.write_table(pa.table(columns, schema=schema))
            count += len(batch)
    return count


def _coco(connection: sqlite3.Connection, path: Path) -> int:
    from packed_scenes.data.coco import write_coco
    from packed_scenes.data.labelled import LabelledScene

    identities = sorted(reading.identities(connection), key=lambda i: i.identity_id)
    index = {identity.identity_id: i for i, identity in enumerate(identities)}
    names = tuple(identity.label for identity in identities)
    count = 0
    labelled = []
    taken: set[str] = set()
    for scene in sorted(reading.scenes(connection), key=lambda s: s.scene_id):
        objects = reading.in_scene(connection, scene.name)
        truth = Objects.from_boxes(
            np.array([o.xyxy for o in objects], np.float32).reshape(-1, 4),
            score=[o.score for o in objects],
            object_id=[str(o.object_id) for o in objects],
            cluster=np.array([index[o.identity_id] for o in objects], np.int64),
        )
        file = Path(scene.source).name if scene.source else f"{scene.name}.jpg"
        if file in taken:  # photos of several folders share names such as IMG_0001.jpg; scene names are unique
            file = f"{scene.name}{Path(file).suffix}"
        taken.add(file)
        labelled.append(
            LabelledScene(Path(file), scene.name, truth, size=(scene.width, scene.height), categories=names)
        )
        count += len(objects)
    write_coco(path, labelled)
    return count
