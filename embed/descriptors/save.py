"""Write a descriptor matrix where other tools expect it, with its rows' files beside it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from packed_scenes.data import InputError
from packed_scenes.data.files import atomic_write, write_csv, write_json
from packed_scenes.embed.descriptors.extraction import Extracted
from packed_scenes.embed.descriptors.matrix import parts


def save_matrix(found: Extracted, out: str | Path, *, labels: Sequence[str] | None = None) -> list[Path]:
    """Write ``out`` with its card, and what failed.

    Args:
        found: what :func:`packed_scenes.embed.descriptors.extract` gave.
        out: ``.npy`` (rows named by ``OUT.csv``: row, path, label) or ``.parquet`` (path, label, embedding).
        labels: (N,) labels, such as the pictures' folders; None = none.

    Returns:
        The files written: the matrix, its table if any, ``OUT.json`` (card), ``OUT.errors.csv`` if a file failed.
        Memory: parts of 16 MB.

    Raises:
        InputError: for another suffix, or a place that cannot be written.
    """
    out = Path(out)
    if out.suffix not in (".npy", ".parquet"):
        raise InputError(f"cannot write a matrix as {out.suffix or 'a file without suffix'}", file=out,
                         remedy="Say .npy or .parquet.")  # fmt: skip
    written = [out]
    paths = [str(path).encode(errors="backslashreplace").decode() for path in found.paths]
    if out.suffix == ".npy":
        with atomic_write(out) as temporary:
            shutil.copyfile(found.file, temporary)
        rows = [[i, path, *([labels[i]] if labels else [])] for i, path in enumerate(paths)]
        written.append(out.with_suffix(".csv"))
        write_csv(written[-1], [["row", "path", *(["label"] if labels else [])], *rows])
    else:
        _parquet(found, out, paths, labels)
    write_json(out.with_suffix(".json"), found.card)
    written.append(out.with_suffix(".json"))
    if found.failed:
        written.append(out.with_suffix(".errors.csv"))
        write_csv(written[-1], [("file", "reason"), *found.failed])
    return written


def _parquet(found: Extracted, out: Path, paths: list[str], labels: Sequence[str] | None) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kind = pa.list_(pa.float32(), found.matrix.shape[1])
    fields = [("path", pa.string()), *([("label", pa.string())] if labels else []), ("embedding", kind)]
    schema = pa.schema(fields)
    with atomic_write(out) as temporary, temporary.open("wb") as sink, pq.ParquetWriter(sink, schema) as writer:
        for start, part in parts(found.matrix):
            stop = start + len(part)
            columns = [pa.array(paths[start:stop], pa.string())]
            if labels:
                columns.append(pa.array(labels[start:stop], pa.string()))
            columns.append(pa.FixedSizeListArray.from_arrays(pa.array(part.ravel()), type=kind))
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
