"""Matrix files that somebody damaged end in one line, or in a matrix."""

import io
import os
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.data import InputError
from packed_scenes.embed.descriptors.extraction import Extracted
from packed_scenes.embed.descriptors.matrix import load_table
from packed_scenes.embed.descriptors.save import save_matrix


def content(kind: str) -> bytes:
    out = io.BytesIO()
    rows = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    paths = np.array([f"{i}.png" for i in range(6)])
    if kind == "npy":
        np.save(out, rows)
    elif kind == "objects":
        np.save(out, np.array([list(row) for row in rows.tolist()] + [None], object)[:6], allow_pickle=True)
    elif kind == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table({"path": pa.array(paths.tolist()), "vector": pa.array(rows.tolist())}), out)
    elif kind == "npz":
        np.savez(out, features=rows, paths=paths)
    else:
        np.savez_compressed(out, features=rows, paths=paths)
    return out.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["npy", "objects", "npz", "compressed", "parquet"])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_matrix_is_one_line_or_a_matrix(kind: str, data: st.DataObject) -> None:
    file = bytearray(content(kind))
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.one_of(st.integers(0, min(200, len(file) - 1)), st.integers(0, len(file) - 1)))
        file[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(file)), st.integers(0, len(file))))
    with tempfile.TemporaryDirectory() as folder:
        suffix = {"npy": "npy", "objects": "npy", "parquet": "parquet"}.get(kind, "npz")
        path = Path(folder) / f"x.{suffix}"
        path.write_bytes(bytes(file[:cut]))
        try:
            assert load_table(path).matrix.ndim == 2
        except InputError as error:
            line = str(error)
        else:
            return
        assert path.name in line
        assert "\n" not in line


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6, -4), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6, 4",
        '"""',
    ],
)
@pytest.mark.parametrize("packed", [None, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_headers_that_promise_what_is_not_there(tmp_path: Path, header: str, packed: int | None) -> None:
    text = header.encode("latin1").ljust(117) + b"\n"
    array = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(96)
    path = tmp_path / ("x.npy" if packed is None else "x.npz")
    if packed is None:
        path.write_bytes(array)
    else:
        with zipfile.ZipFile(path, "w", packed) as archive:
            archive.writestr("features.npy", array)
    with pytest.raises(InputError, match=path.name):
        load_table(path)


def test_a_compressed_member_is_unpacked_no_further_than_it_announces(tmp_path: Path) -> None:
    out = io.BytesIO()
    np.save(out, np.ones((6, 4), np.float32))
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("features.npy", out.getvalue() + bytes(50_000_000))
    assert np.array_equal(load_table(tmp_path / "x.npz").matrix, np.ones((6, 4)))


def test_one_long_text_repeated_is_refused_before_it_fills_the_memory(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(50, np.int32)), pa.array(["x" * 100_000]))
    rows = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(200, np.float32)), 4)
    for column in (texts, texts.cast(pa.string())):
        pq.write_table(pa.table({"path": column, "embedding": rows}), tmp_path / "m.parquet")
        with pytest.raises(InputError, match="more than 1000 characters"):
            load_table(tmp_path / "m.parquet")
    pq.write_table(pa.table({"path": pa.array(["a", None] * 25), "embedding": rows}), tmp_path / "m.parquet")
    assert load_table(tmp_path / "m.parquet").paths == ["a", "None"] * 25


def test_paths_that_would_fill_the_memory_are_one_line(tmp_path):
    for name, paths in (("long", np.zeros(3, "<U5000")), ("many", np.zeros(9_000_000, "<U1"))):
        np.savez_compressed(tmp_path / f"{name}.npz", features=np.ones((3, 2), np.float32), paths=paths)
        with pytest.raises(InputError, match=r"paths\.npy' must hold one text per row"):
            load_table(tmp_path / f"{name}.npz")


@pytest.mark.skipif(sys.platform != "linux", reason="only here a name may be any bytes")
def test_parquet_in_a_folder_whose_name_is_no_text(tmp_path):
    """So every accent comes in the C locale without Python's UTF-8 mode; Arrow wants UTF-8 in a path."""
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    rows = np.ones((1, 2), np.float32)
    save_matrix(Extracted(rows, [Path("a.png")], [], {}, file=folder / "none"), folder / "m.parquet")
    assert load_table(folder / "m.parquet").paths == ["a.png"]
