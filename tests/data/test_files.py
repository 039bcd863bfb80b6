"""Whole-or-nothing writes under every kind of trouble, and listing pictures in hostile folders."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from packed_scenes.data import InputError, write_image
from packed_scenes.data.files import (
    atomic_write,
    read_bytes,
    sha256_file,
    write_csv,
    write_json,
    write_text,
)
from packed_scenes.data.folders import list_images


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_writes_into_new_folders_and_replaces(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b.txt"
    write_text(file, "one")
    write_text(file, "two — ü")
    assert file.read_text(encoding="utf-8") == "two — ü"
    assert names(file.parent) == ["b.txt"]
    assert file.stat().st_mode & 0o777 == 0o644


def test_failure_inside_keeps_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    write_text(file, "old")

    def half() -> None:
        with atomic_write(file) as temporary:
            temporary.write_text("half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        half()
    assert file.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_temporary_file_keeps_the_suffix(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "a.png") as temporary:
        assert temporary.suffix == ".png"
        assert temporary.name.startswith(".")
        assert temporary.parent == tmp_path


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_full_disk_when_writing(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    write_text(file, "old")

    def full() -> None:
        with atomic_write(file), open("/dev/full", "w") as device:
            device.write("x" * 100_000)

    with pytest.raises(InputError, match=r"a\.txt: cannot write \(No space left on device\)\. Free space"):
        full()
    assert file.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("step", ["files.os.fsync", "locks.tempfile.mkstemp"])
def test_full_disk_at_each_step(step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    file = tmp_path / "a.json"
    write_json(file, {"old": 1})
    monkeypatch.setattr(f"packed_scenes.data.{step}", full)
    with pytest.raises(InputError, match=r"No space left on device\)\. "):
        write_json(file, {"new": 1})
    monkeypatch.undo()
    assert file.read_text() == '{\n "old": 1\n}\n'
    assert names(tmp_path) == ["a.json"]


def test_full_disk_under_an_encoder(tmp_path: Path) -> None:
    """A real limit: the child may write no file above 4 kB, and its encoder meets that in the middle."""
    code = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
import numpy as np
from packed_scenes.data import InputError, write_image
try:
    write_image(sys.argv[1], np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8))
except InputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "a.png"], capture_output=True, text=True, check=True)
    assert "a.png: cannot write (File too large)" in done.stdout
    assert names(tmp_path) == []


def test_read_only_and_impossible_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file" / "a.txt", tmp_path / ("x" * 300), tmp_path / ("y" * 300) / "a", tmp_path / "a\0b"):
        with pytest.raises(InputError, match="cannot write"):
            write_text(place, "text")

    def denied(*_: Any, **__: Any) -> Any:
        raise PermissionError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("packed_scenes.data.locks.tempfile.mkstemp", denied)
    with pytest.raises(InputError, match=r"cannot write here \(Read-only file system\)\. Choose another --out"):
        write_text(tmp_path / "a.txt", "text")
    monkeypatch.undo()
    assert names(tmp_path) == ["file"]


def test_target_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(InputError, match=r"a\.txt: cannot write"):
        write_text(tmp_path / "a.txt", "text")
    assert names(tmp_path) == ["a.txt"]


def test_kill_in_the_middle_never_shows_half_a_file(tmp_path: Path) -> None:
    """A child rewrites one file over and over; whenever it is killed, the file is one whole version."""
    code = """
import itertools, sys
from packed_scenes.data.files import write_text
for i in itertools.count():
    write_text(sys.argv[1], f"{i % 10}" * 3_000_000)
"""
    file = tmp_path / "a.txt"
    rng = np.random.default_rng(0)
    for _ in range(6):
        child = subprocess.Popen([sys.executable, "-c", code, file])
        while not file.exists():
            time.sleep(0.005)
        time.sleep(float(rng.uniform(0, 0.05)))
        child.send_signal(signal.SIGKILL)
        child.wait()
        text = file.read_text()
        assert len(text) == 3_000_000
        assert len(set(text)) == 1
    assert list_images_or_none(tmp_path) == []  # what a killed writer left is hidden from listings
    file.unlink()


def list_images_or_none(folder: Path) -> list[Path]:
    try:
        return list_images([folder])
    except InputError:
        return []


def test_json_is_strict_and_odd_names_survive(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert names(tmp_path) == []
    odd = os.fsdecode(b"caf\xe9.jpg")
    write_text(tmp_path / "a.txt", odd)
    assert (tmp_path / "a.txt").read_text() == "caf\\udce9.jpg"


def test_sha256_and_limits(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"abc")
    assert sha256_file(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(InputError, match="no such file"):
        sha256_file(tmp_path / "b")
    with pytest.raises(InputError, match="is more than the limit"):
        read_bytes(file, max_bytes=2)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is a pipe or a device"):
        sha256_file(tmp_path / "pipe")


def test_list_images(tmp_path: Path) -> None:
    pixels = np.zeros((2, 2, 3), np.uint8)
    for name in ("b.png", "a.jpg", "sub/c.tif", "été 写真.png"):
        write_image(tmp_path / name, pixels)
    (tmp_path / "upper.JPG").write_bytes(b"x")
    for name in (".hidden.png", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "sub" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "self.png").symlink_to(tmp_path / "self.png")
    found = [p.relative_to(tmp_path).as_posix() for p in list_images([tmp_path])]
    assert found == ["a.jpg", "b.png", "self.png", "upper.JPG", "été 写真.png", "sub/c.tif"]
    assert list_images([tmp_path, tmp_path / "a.jpg"]) == list_images([tmp_path])
    assert list_images([tmp_path / "notes.txt"]) == [tmp_path / "notes.txt"]
    with pytest.raises(InputError, match="cannot be read"):
        read_bytes(tmp_path / "self.png")  # a link to itself is a picture's failure, not the folder's


def test_list_images_says_what_it_could_not_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_image(tmp_path / "a.png", np.zeros((2, 2, 3), np.uint8))
    (tmp_path / "locked").mkdir()
    real = os.scandir

    def guarded(path: Any) -> Any:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr("os.scandir", guarded)
    lines: list[str] = []
    assert list_images([tmp_path], warn=lines.append) == [tmp_path / "a.png"]
    assert lines == [f"{tmp_path}/locked: the folder cannot be opened (Permission denied), it is left out"]


def test_list_images_refuses(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no picture in this folder"):
        list_images([tmp_path])
    for name in ("none", "x" * 5000, "a\0b"):
        with pytest.raises(InputError, match="no such file or folder"):
            list_images([tmp_path / name])


def test_csv_holds_every_name(tmp_path):
    write_csv(tmp_path / "a.csv", iter([("file", "count"), ("a,\ud800 é.png", 2)]))
    assert (tmp_path / "a.csv").read_bytes() == 'file,count\n"\'\\a,\\ud800 é.png",2\n'.encode()
    with pytest.raises(RuntimeError):
        write_csv(tmp_path / "a.csv", _broken())
    assert (tmp_path / "a.csv").read_text("utf-8").startswith("file,count")


def _broken():
    yield ("file",)
    raise RuntimeError
