"""Descriptor matrices that someone already has: ``.npy``, ``.npz``, ``.parquet``, and pickles on explicit trust.

A matrix is mapped, not read: ``.npy`` as it lies, an uncompressed ``.npz`` member at its place inside the archive;
compressed members and Parquet columns are unpacked once, in parts, into an unnamed temporary file (of the matrix' size)
and mapped there. Values are checked in parts of 16 MB.
"""

from __future__ import annotations

import os
import pickle
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError
from packed_scenes.data.arrow import check_unpacked, texts
from packed_scenes.data.checks import MAX_NAME_LENGTH
from packed_scenes.data.damage import UNREADABLE, one_line_of, reason
from packed_scenes.data.files import check_file
from packed_scenes.data.npz import announced, check_compression, npy_header, read_member, read_npy_header

PART = 1 << 24  # bytes read at once
SAME = "One row of as many numbers per picture."  # what a matrix must be
VECTOR_NAMES = ("embedding", "vector", "features", "descriptor")
PATH_NAMES = ("path", "file", "filename", "image")
LABEL_NAMES = ("label", "class", "identity", "category", "cluster", "type")

Matrix = npt.NDArray[Any]


@dataclass(frozen=True)
class Table:
    """A matrix with what its file says about the rows.

    Attributes:
        matrix: (N, D) memory map of float16, float32 or float64 (integers come as float32).
        paths: (N,) strings, or None.
        labels: (N,) strings, or None.
    """

    matrix: Matrix
    paths: list[str] | None = None
    labels: list[str] | None = None


def load_matrix(path: str | Path, *, trust: bool = False) -> Matrix:
    """Map a descriptor matrix; see :func:`load_table`."""
    return load_table(path, trust=trust).matrix


def load_table(path: str | Path, *, trust: bool = False) -> Table:
    """Map a descriptor matrix with its paths and labels, where the file has them.

    Args:
        path: ``.npy``; ``.npz`` (its only two-dimensional numeric array, ``paths`` and ``labels`` beside it);
            ``.parquet`` (one list column, or all its float columns; a path and a label column by their usual names).
        trust: also open pickles (``.pkl``, and object arrays in ``.npy``): they can run code of whoever made them.

    Raises:
        InputError: if the file is missing, of another kind, no (N, D) matrix of finite numbers, or a pickle without
            trust.
    """
    path = Path(path)
    check_file(path, what="matrix")
    readers = {".npy": _npy, ".npz": _npz, ".parquet": _parquet, ".pkl": _pickle, ".pickle": _pickle}
    if path.suffix.lower() not in readers:
        raise InputError(
            f"a matrix is no {path.suffix or 'file without suffix'}", file=path, remedy=f"Known: {', '.join(readers)}."
        )
    table = readers[path.suffix.lower()](path, trust)
    check_matrix(table.matrix, file=path)
    for column in (table.paths, table.labels):
        if column is not None and len(column) != len(table.matrix):
            raise InputError(f"{len(column)} paths or labels for {len(table.matrix)} rows", file=path, remedy=SAME)
    return table


def check_matrix(matrix: Matrix, *, file: str | Path | None = None) -> None:
    """Raise InputError unless this is a non-empty (N, D) matrix of finite numbers."""
    if matrix.dtype.kind not in "fiu":
        raise InputError(f"holds {matrix.dtype} values, numbers are needed", file=file, remedy="Save it as float32.")
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise InputError(f"a matrix must have shape (N, D), got {matrix.shape}", file=file, remedy=SAME)
    if matrix.dtype.kind == "f":
        for start, part in parts(matrix):
            bad = np.flatnonzero(~np.isfinite(part).all(1))
            if len(bad):
                raise InputError(
                    f"row {start + bad[0]} has a NaN or infinite value", file=file, remedy="Leave such rows out."
                )


def parts(matrix: Matrix) -> Iterator[tuple[int, Matrix]]:
    """Yield (first row, rows) in parts of about 16 MB."""
    step = max(1, PART // max(1, matrix.shape[1] * matrix.dtype.itemsize))
    for start in range(0, len(matrix), step):
        yield start, matrix[start : start + step]


def _npy(path: Path, trust: bool) -> Table:
    try:
        return Table(np.load(path, mmap_mode="r", allow_pickle=False))
    except UNREADABLE as error:
        with open(path, "rb") as file:
            objects = file.read(6) == b"\x93NUMPY" and "object" in str(error).lower()
        if not objects:
            raise InputError(
                f"no readable .npy file ({reason(error)})", file=path, remedy="Save it by numpy.save."
            ) from error
    _demand_trust(path, trust, "holds Python objects")
    with one_line_of(path, "cannot be unpickled", remedy="Save it by numpy.save.", kinds=(Exception,)):
        content = np.load(path, allow_pickle=True)
    return Table(_stacked(content, path))


def _npz(path: Path, trust: bool) -> Table:
    with one_line_of(path, "no readable .npz file", remedy="Save it by numpy.savez."), zipfile.ZipFile(path) as archive:
        arrays = {
            info.filename.removesuffix(".npy"): info for info in archive.infolist() if info.filename[-4:] == ".npy"
        }
        for info in arrays.values():
            check_compression(info)
        shapes = {name: npy_header(archive, info) for name, info in arrays.items()}
        wanted = [n for n, (shape, _, dtype) in shapes.items() if len(shape) == 2 and dtype.kind in "fiu"]
        if len(wanted) != 1:
            found = ", ".join(f"{n} {shapes[n][0]} {shapes[n][2]}" for n in shapes) or "nothing"
            raise InputError(
                f"must hold one two-dimensional numeric array, found {found}", file=path, remedy="Save one alone."
            )
        matrix = _member(path, archive, arrays[wanted[0]])
        strings = {
            key: _strings(archive, arrays[key], len(matrix))
            for key in ("paths", "labels")
            if key in arrays and shapes[key][2].kind in "USiu"
        }
    return Table(matrix, strings.get("paths"), strings.get("labels"))


def _strings(archive: zipfile.ZipFile, info: zipfile.ZipInfo, rows: int) -> list[str]:
    """The text of each row: no more of them than rows, none longer than a name may be."""
    header = npy_header(archive, info)
    if header[0] != (rows,) or announced(header) > rows * 4 * MAX_NAME_LENGTH:
        raise InputError(
            f"{info.filename!r} must hold one text per row, got {header[0]} of {header[2]}",
            file=archive.filename, remedy=SAME,
        )  # fmt: skip
    return [str(value) for value in read_member(archive, info).tolist()]


def _member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Matrix:
    with archive.open(info) as stream:
        shape, fortran, dtype = read_npy_header(stream)
        order: Any = "F" if fortran else "C"
        if info.compress_type == zipfile.ZIP_STORED:
            with open(path, "rb") as file:
                file.seek(info.header_offset + 26)  # the local header's two lengths: name, extra
                name, extra = struct.unpack("<HH", file.read(4))
                file.seek(name + extra, 1)
                read_npy_header(file)
                place = file.tell()
            return np.memmap(path, dtype, "r", offset=place, shape=shape, order=order)
        room = tempfile.TemporaryFile()  # noqa: SIM115  (the map keeps it alive)
        left = announced((shape, fortran, dtype))
        while left > 0 and (block := stream.read(min(PART, left))):  # no more than announced: archives can be bombs
            left -= room.write(block)
        room.flush()
        return np.memmap(room, dtype, "r", shape=shape, order=order)


def _parquet(path: Path, trust: bool) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = (pa.ArrowException, *UNREADABLE)
    with one_line_of(path, "no readable Parquet file", remedy="Write it again.", kinds=kinds):
        mapped = pa.memory_map(os.fsencode(path))  # as text it would have to be UTF-8
        source = pq.ParquetFile(mapped)
        check_unpacked(source.metadata, path.stat().st_size, file=path)
        schema = source.schema_arrow
        vector, numeric = _vector_columns(schema, path)
        named = _text_columns(schema, vector)
        # Each text once: repeated ones take no room in the file, and would take it here.
        strings = [name for name in named.values() if pa.types.is_string(schema.field(name).type)]
        source = pq.ParquetFile(mapped, read_dictionary=strings)
        room = tempfile.TemporaryFile()  # noqa: SIM115  (the map keeps it alive)
        columns: dict[str, list[str]] = {kind: [] for kind in named}
        width, count = 0, 0
        wanted = ([vector] if vector else numeric) + list(named.values())
        for piece in source.iter_batches(batch_size=8192, columns=wanted):
            piece.validate(full=True)  # a damaged file can point outside its own dictionary
            rows = _vectors(piece, vector, numeric, path, count)
            if count and rows.shape[1] != width:
                raise InputError(
                    f"row {count} has {rows.shape[1]} values, the first has {width}", file=path, remedy=SAME
                )
            width, count = rows.shape[1], count + len(rows)
            room.write(np.ascontiguousarray(rows, np.float32).tobytes())
            for kind in columns:
                columns[kind] += texts(piece.column(named[kind]), file=path)
    room.flush()
    if not count or not width:
        raise InputError(f"a matrix must have shape (N, D), got ({count}, {width})", file=path, remedy=SAME)
    matrix = np.memmap(room, np.float32, "r", shape=(count, width))
    return Table(matrix, columns.get("paths"), columns.get("labels"))


def _text_columns(schema: Any, vector: str | None) -> dict[str, str]:
    """The columns that hold ``paths`` and ``labels``, where there are such."""
    found = {}
    for kind, known in (("paths", PATH_NAMES), ("labels", LABEL_NAMES)):
        name = next((n for n in schema.names if n.lower() in known and n != vector), None)
        if name is not None:
            found[kind] = name
    return found


def _vector_columns(schema: Any, path: Path) -> tuple[str | None, list[str]]:
    """The list column that holds the vectors, or None and the float columns that do."""
    import pyarrow as pa

    kinds = (pa.types.is_list, pa.types.is_fixed_size_list, pa.types.is_large_list)
    lists = [field.name for field in schema if any(kind(field.type) for kind in kinds)]
    vector = next((name for name in VECTOR_NAMES if name in lists), lists[0] if len(lists) == 1 else None)
    numeric = [field.name for field in schema if pa.types.is_floating(field.type)]
    if vector is None and not numeric:
        raise InputError(
            "has neither a list column nor float columns", file=path, remedy=f"Name one {VECTOR_NAMES[0]!r}."
        )
    return vector, numeric


def _vectors(piece: Any, vector: str | None, numeric: list[str], path: Path, first: int) -> Matrix:
    if vector is None:
        return np.stack([piece.column(n).to_numpy(zero_copy_only=False) for n in numeric], 1).astype(np.float32)
    column = piece.column(vector)
    if column.null_count:
        raise InputError(f"a row after row {first} has no vector", file=path, remedy="Leave such rows out.")
    import pyarrow.compute as pc

    lengths = set(pc.list_value_length(column).to_pylist())
    if len(lengths) > 1:
        raise InputError(f"the vectors in column {vector!r} have different lengths", file=path, remedy=SAME)
    return column.flatten().to_numpy(zero_copy_only=False).astype(np.float32).reshape(len(column), -1)  # type: ignore[no-any-return]


def _pickle(path: Path, trust: bool) -> Table:
    _demand_trust(path, trust, "is a pickle")
    with one_line_of(path, "cannot be unpickled", remedy="Write it again.", kinds=(Exception,)):
        content = pickle.loads(path.read_bytes())
    if isinstance(content, dict):
        return Table(_stacked(list(content.values()), path), paths=[str(key) for key in content])
    return Table(_stacked(content, path))


def _demand_trust(path: Path, trust: bool, what: str) -> None:
    if not trust:
        raise InputError(
            f"{what}, which can run code of whoever made it", file=path, remedy="Save it as float32, or say --trust."
        )


def _stacked(content: Any, path: Path) -> Matrix:
    try:
        array = np.asarray(content)
        return np.stack([np.asarray(row, np.float32) for row in array]) if array.dtype == object else array
    except (ValueError, TypeError) as error:
        raise InputError(f"no matrix of numbers ({error})", file=path, remedy=SAME) from error
