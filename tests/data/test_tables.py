"""Tables and lists as spreadsheets and editors leave them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packed_scenes.data import InputError
from packed_scenes.data.tables import by_name, parse_table, read_table
from packed_scenes.data.text import read_lines

ROWS = [["a/1.jpg", "x"], ["b/1.jpg", "y, z"]]


@pytest.mark.parametrize(
    "data",
    [
        b'file,identity\na/1.jpg,x\nb/1.jpg,"y, z"\n',
        b'file,identity\na/1.jpg,x\nb/1.jpg,"y, z"',
        b'\xef\xbb\xbfFile,Identity\r\na/1.jpg,x\r\n"b/1.jpg","y, z"\r\n',
        b"file;identity\na/1.jpg;x\nb/1.jpg;y, z\n",
        b"sep=;\r\nfile;identity\r\na/1.jpg;x\r\nb/1.jpg;y, z\r\n",
        b"file\tidentity\ra/1.jpg\tx\rb/1.jpg\ty, z\r",
        b'\n file , identity ,,\n a/1.jpg , x ,,\n\n,,\nb/1.jpg,"y, z"  ,\n',
        'file,identity\na/1.jpg,x\nb/1.jpg,"y, z"\n'.encode("utf-16"),
    ],
)
def test_every_form_reads_the_same(data, tmp_path):
    (tmp_path / "t.csv").write_bytes(data)
    table = read_table(tmp_path / "t.csv", "file", "identity")
    assert [[cells["file"], cells["identity"]] for _, cells in table.records()] == ROWS


def test_windows_letters_lists_and_lines(tmp_path):
    (tmp_path / "t.csv").write_bytes("file,identity\n\na,Käse\n".encode("cp1252"))
    table = read_table(tmp_path / "t.csv")
    assert list(table.records()) == [(3, {"file": "a", "identity": "Käse"})]
    (tmp_path / "l.txt").write_bytes(b"\xef\xbb\xbfa.jpg  \r\n\r\nb.jpg")
    assert read_lines(tmp_path / "l.txt") == ["a.jpg", "b.jpg"]


def test_what_is_missing_is_said(tmp_path):
    (tmp_path / "t.csv").write_text("file,label\na,x\n")
    with pytest.raises(InputError, match=r"column 'identity' is missing; found file, label\. Columns: file,identity"):
        read_table(tmp_path / "t.csv", "file", "identity")
    with pytest.raises(InputError, match="line 2: is no valid CSV"):
        parse_table('a,b\n"c,d\n', file="t.csv", strict=True)


def test_rows_by_name():
    table = parse_table("file;n\n1.jpg;1\nb/2.jpg;2\n", file="t.csv")
    rows, unclear = by_name(table, ["a/1.jpg", "b/1.jpg", "b/2.jpg"])
    assert {row: cells["n"] for row, cells in rows.items()} == {2: "2"}
    assert "'1.jpg' fits" in unclear[0]
    with pytest.raises(InputError, match="lines 2 and 3 both name 'a' and differ"):
        by_name(parse_table("file,n\na,1\na,2\n", file="t.csv"), ["a"])


def test_lines_in_quotes_are_unpacked_once_and_no_text_recurses():
    table = parse_table('"file,n"\n"a,1"\n', file="t.csv")
    assert (table.header, table.rows, table.lines) == (("file", "n"), [["a", "1"]], [2])
    for text in ("a$>X,b,\n'c", "0 5;\n", "'" * 3000 + "=;,\nx", '"' * 4001 + ",a\nx"):
        assert len(parse_table(text.replace(",", "\t,"), file="t.csv").header) < 5


@given(st.text(alphabet="ab,;|\t\"'=\\ \n", max_size=60))
def test_any_text_is_a_table_or_refused(text):
    with suppress(InputError):
        table = parse_table(text, file="t.csv")
        assert len(table.rows) == len(table.lines)
