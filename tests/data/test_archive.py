"""Zip archives: what comes out, and what must not."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from packed_scenes.data import InputError
from packed_scenes.data.archive import Limits, read_zip


def packed(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content, compress_type=method)
    return stream.getvalue()


def read(data: bytes, **limits: int | float) -> list[tuple[str, bytes]]:
    return list(read_zip(data, name="up.zip", limits=Limits(**limits)))  # type: ignore[arg-type]


def test_pictures_come_out_and_nothing_else(tmp_path: Path) -> None:
    data = packed(
        ("a.JPG", b"1"), ("sub/été.png", b"2"), ("sub/", b""), ("notes.txt", b"3"), (".hidden.png", b"4"),
        ("__MACOSX/._a.png", b"5"), ("win\\b.png", b"6"),
    )  # fmt: skip
    assert read(data) == [("a.JPG", b"1"), ("sub/été.png", b"2"), ("win/b.png", b"6")]
    (tmp_path / "a.zip").write_bytes(data)
    assert list(read_zip(tmp_path / "a.zip")) == read(data)
    assert list(read_zip(data, suffixes={".txt"})) == [("notes.txt", b"3")]


@pytest.mark.parametrize(
    "name", ["../a.png", "x/../../a.png", "/etc/a.png", "C:/a.png", "..\\a.png", "a\x1b.png", "x" * 2000 + ".png"]
)
def test_names_cannot_climb_out(name: str) -> None:
    for members in ([(name, b"1")], [("ok.png", b"1"), (name, b"1")]):
        with pytest.raises(InputError, match=r"up\.zip: member \d: unsafe or empty picture name"):
            next(read_zip(packed(*members), name="up.zip"))  # headers are checked before the first member is given


def test_links_encryption_methods_and_doubles_are_refused() -> None:
    link = zipfile.ZipInfo("a.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(InputError, match=r"member 'a\.png' is a link"):
        read(packed((link, b"/etc/passwd")))
    with pytest.raises(InputError, match="unusual compression"):
        read(packed(("a.png", b"1" * 100), method=zipfile.ZIP_LZMA))
    data = bytearray(packed(("a.png", b"1")))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    with pytest.raises(InputError, match=r"is encrypted.*without a password"):
        read(bytes(data))
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = packed(("a.png", b"1"), ("a.png", b"2"))
    with pytest.raises(InputError, match=r"member 'a\.png' is there twice"):
        read(twice)


def test_bombs_are_refused() -> None:
    zeros = packed(("a.png", bytes(30 << 20)))
    assert len(zeros) < 40_000
    with pytest.raises(InputError, match="more than 200 times its size"):
        read(zeros)
    with pytest.raises(InputError, match="unpacks to more than 1 MB"):
        read(zeros, member_bytes=1_000_000)
    assert len(read(zeros, ratio=2000)[0][1]) == 30 << 20
    many = packed(*[(f"{i}.png", b"x" * 1000) for i in range(20)])
    with pytest.raises(InputError, match="holds 20 files, the limit is 19"):
        read(many, files=19)
    with pytest.raises(InputError, match="unpacks to more than 0 MB"):
        read(many, total_bytes=19_999)
    assert len(read(many, total_bytes=20_000)) == 20


def test_headers_that_lie_do_not_help() -> None:
    data = bytearray(packed(("a.png", bytes(30 << 20))))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(signature) + offset
        data[at : at + 4] = (1000).to_bytes(4, "little")
    with pytest.raises(InputError, match=r"no zip archive that can be read|times its size"):
        read(bytes(data))


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"PK\x03\x04" + bytes(50), packed(("a.png", b"1" * 500))[:-30]],
    ids=["empty", "text", "no directory", "cut"],  # a zip holds the time: the name would differ from run to run
)
def test_no_archive(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^up\.zip: ") as caught:
        read(content)
    assert caught.value.remedy
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.zip: "):
        list(read_zip(tmp_path / "a.zip"))


def test_damage_inside() -> None:
    data = bytearray(packed(("a.png", bytes(range(256)) * 20)))
    data[60] ^= 0xFF
    with pytest.raises(InputError, match="no zip archive that can be read"):
        read(bytes(data))
