"""``Objects`` as an Arrow table and back, for Parquet files; embeddings are fixed-size lists.

Columns are made from buffers: ``pyarrow.array`` and ``Array.to_numpy`` import pandas where it is installed, which takes
longer than writing the file. For the same reason files are read by ``pyarrow.parquet.ParquetFile``, not ``read_table``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.checks import MAX_NAME_LENGTH, text_array
from packed_scenes.data.damage import UNREADABLE, one_line_of
from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import Objects

if TYPE_CHECKING:
    import pyarrow as pa

BOX = ("x1", "y1", "x2", "y2")
UNPACKED = 256 << 20  # bytes that the values of any Parquet file may take
RATIO = 200  # and those of a larger one, as many times its size
WIDTH = {
    "BOOLEAN": 1,
    "INT32": 4,
    "INT64": 8,
    "INT96": 12,
    "FLOAT": 4,
    "DOUBLE": 8,
    "BYTE_ARRAY": 4,
}  # bytes of a value
OPTIONAL = ("cluster", "probability", "congregation")


def numbers(values: npt.NDArray[Any]) -> pa.Array:
    """Return a one-dimensional numeric array as an Arrow array, without missing values."""
    import pyarrow as pa

    values = np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(values)])


def strings(values: Sequence[str]) -> pa.Array:
    """Return text as an Arrow array of strings; at most 2 GiB of UTF-8 in all."""
    import pyarrow as pa

    encoded = [value.encode() for value in values]
    offsets = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum([len(value) for value in encoded], out=offsets[1:])
    parts = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), parts)


def to_arrow(objects: Objects) -> pa.Table:
    """Return object_id, x1, y1, x2, y2, score, class_id, the columns in use, then embedding; one row per object."""
    import pyarrow as pa

    columns = {
        "object_id": strings(objects.object_id.tolist()),
        **{name: numbers(objects.xyxy[:, i]) for i, name in enumerate(BOX)},
        "score": numbers(objects.score),
        "class_id": numbers(objects.class_id),
        **{name: numbers(getattr(objects, name)) for name in OPTIONAL if getattr(objects, name) is not None},
    }
    if objects.embedding is not None:
        width = max(objects.embedding.shape[1], 1)
        columns["embedding"] = pa.FixedSizeListArray.from_arrays(numbers(objects.embedding.ravel()), width)
    return pa.Table.from_arrays(list(columns.values()), names=list(columns))


def read_parquet(source: Path | IO[bytes], *, without: Collection[str] = ()) -> pa.Table:
    """Read a Parquet file whose content is checked: a damaged one can point outside its own buffers.

    Args:
        source: a file, by path or open.
        without: columns to leave out.

    Returns:
        Its table; each text is held once (:func:`texts`), as repeated ones take no room in the file.

    Raises:
        FileNotFoundError: if there is none.
        InputError: if it cannot be read.
    """
    if isinstance(source, Path):  # opened here: arrow wants UTF-8 in a path, which a name need not be
        try:
            stream = source.open("rb")
        except FileNotFoundError:
            raise
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror})", file=source, remedy="Check the path.") from error
        with stream:
            return _read_parquet(stream, source, without)
    return _read_parquet(source, None, without)


def _read_parquet(source: IO[bytes], file: Path | None, without: Collection[str]) -> pa.Table:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile, read_schema

    kinds = (pa.ArrowException, *UNREADABLE)
    with one_line_of(file, "no readable Parquet file", remedy="Write it again.", kinds=kinds):
        schema = read_schema(source)
        strings = [field.name for field in schema if pa.types.is_string(field.type)]
        with ParquetFile(source, read_dictionary=strings) as opened:
            check_unpacked(opened.metadata, _size_of(source), file=file)
            table = opened.read([name for name in schema.names if name not in without])
        table.validate(full=True)
    return table


def check_unpacked(metadata: Any, size: int, *, file: Path | None = None) -> None:
    """Refuse a Parquet file whose values take far more than the file: equal ones are stored once, and not read so.

    Args:
        metadata: ``pyarrow.parquet.FileMetaData``.
        size: bytes of the file.
        file: for the message.

    Raises:
        InputError: if they take more than :data:`UNPACKED` bytes and :data:`RATIO` times the file.
    """
    total = 0
    for group in range(metadata.num_row_groups):
        parts = metadata.row_group(group)
        for number in range(parts.num_columns):
            part = parts.column(number)
            width = WIDTH.get(part.physical_type) or max(metadata.schema.column(number).length, 1)
            total += max(part.num_values * width, part.total_uncompressed_size)
    if total > max(UNPACKED, RATIO * size):
        raise InputError(
            f"its values take {total / 1e6:,.0f} MB, more than {RATIO} times the file", file=file,
            remedy="Do not use it.",
        )  # fmt: skip


def _size_of(source: IO[bytes]) -> int:
    at = source.tell()
    size = source.seek(0, 2)
    source.seek(at)
    return size


def texts(column: Any, *, file: Path | None = None) -> list[str]:
    """Return an Arrow array or chunked array as text, equal ones in one chunk as one object.

    Raises:
        InputError: if one, of ``file``, is longer than any name may be.
    """
    import pyarrow as pa

    if hasattr(column, "chunks"):
        return [text for chunk in column.chunks for text in texts(chunk, file=file)]
    coded = pa.types.is_dictionary(column.type)
    known = [str(value) for value in (column.dictionary if coded else column).to_pylist()]
    if max(map(len, known), default=0) > MAX_NAME_LENGTH:
        raise InputError(f"a text has more than {MAX_NAME_LENGTH} characters", file=file, remedy="Shorten it.")
    return ["None" if at is None else known[at] for at in column.indices.to_pylist()] if coded else known


def from_arrow(table: pa.Table) -> Objects:
    """Inverse of :func:`to_arrow`; only the four box columns are required.

    Raises:
        InputError: if a box column is missing or a value is out of its range.
    """
    import pyarrow as pa

    missing = [name for name in BOX if name not in table.column_names]
    if missing:
        raise InputError(f"box columns missing: {', '.join(missing)}; found {', '.join(table.column_names)}")
    kinds = (pa.ArrowException, AttributeError, *UNREADABLE)
    with one_line_of(None, "a column is of another type than it should be", kinds=kinds):
        return _objects(table)


def _objects(table: pa.Table) -> Objects:
    names = set(table.column_names)
    xyxy = np.stack([_values(table[name]) for name in BOX], axis=1).astype(np.float32)
    columns = {name: _values(table[name]) for name in ("score", "class_id", *OPTIONAL) if name in names}
    if "object_id" in names:
        columns["object_id"] = text_array(texts(table["object_id"]))
    if "embedding" in names:
        chunks = table["embedding"].chunks
        flat = np.concatenate([_values(c.flatten()) for c in chunks]) if chunks else np.zeros(0)
        width = getattr(table.schema.field("embedding").type, "list_size", 0) or len(flat) // max(len(xyxy), 1)
        columns["embedding"] = flat.astype(np.float32).reshape(len(xyxy), width)
    return Objects.from_boxes(xyxy, **columns)


def _values(column: Any) -> npt.NDArray[Any]:
    """Return an Arrow array or chunked array as a NumPy array of its own type."""
    if hasattr(column, "chunks"):
        parts = [_values(chunk) for chunk in column.chunks]
        return np.concatenate(parts) if parts else np.zeros(0, column.type.to_pandas_dtype())
    if column.null_count or column.type.id not in _plain():
        return np.asarray(column.to_pylist())
    dtype = np.dtype(column.type.to_pandas_dtype())
    return np.frombuffer(column.buffers()[1], dtype, count=len(column), offset=column.offset * dtype.itemsize)


def _plain() -> set[int]:
    """Return the ids of the Arrow types whose buffer is a NumPy array."""
    import pyarrow as pa

    made = (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())
    return {kind.id for kind in (*made, pa.float32(), pa.float64())}
