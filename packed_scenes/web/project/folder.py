"""The folder of a project: what lies where, one process at a time, copies of photos, export and import as one zip.

``project.json`` (name, settings, weights), ``log.jsonl`` and ``rows/`` (:mod:`packed_scenes.web.project.history`),
``photos/`` (copies, named by their hash), ``frames/`` (of videos), ``teach/`` (networks trained on it; those in use go
with a zip: ONNX and safetensors, which hold no code), ``lock``.
"""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from packed_scenes.data.archive import Limits, read_zip
from packed_scenes.data.errors import InputError
from packed_scenes.data.files import atomic_write, write_json
from packed_scenes.data.folders import IMAGE_SUFFIXES
from packed_scenes.data.locks import sweep
from packed_scenes.data.text import load_json

FORMAT = "packed-scenes project"
ABOUT, LOCK = "project.json", "lock"
ASIDE = ".aside-"  # folders that last for one answer begin so
PHOTO_FILE = re.compile(r"photos/[0-9a-f]{16}\.[a-z]{2,4}")
TAUGHT_EMBEDDER = re.compile(r"teach/embedders/[0-9a-f]{16}\.safetensors")
MEMBERS = re.compile(
    r"(project\.json|log\.jsonl|rows/[0-9]{6,9}\.npz|photos/[0-9a-f]{16}\.[a-z]{2,4}"
    r"|teach/embedders/[0-9a-f]{16}\.(safetensors|json)|teach/used/detector\.(onnx|json))"
)
IMPORT = Limits(files=20_000, member_bytes=1 << 30, total_bytes=4 << 30, ratio=400.0)


class ProjectFolder:
    """A project's folder, held by this process until :meth:`close`.

    Raises:
        InputError: if it is no project, or another process has it open.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: BinaryIO | None = _hold(path)
        try:
            self.about: dict[str, Any] = load_json((path / ABOUT).read_text(encoding="utf-8"))
            if self.about.get("format") != FORMAT or self.about.get("version") != 1:
                raise InputError("is no project of this version", file=path / ABOUT, remedy="Update the program.")
        except (OSError, ValueError, AttributeError) as error:
            self.close()
            if isinstance(error, InputError):
                raise
            raise InputError("is no readable project", file=path, remedy=f"A project holds {ABOUT}.") from error

    @classmethod
    def create(cls, path: Path, *, name: str, settings: dict[str, Any]) -> ProjectFolder:
        """Make a new project's folder.

        Raises:
            InputError: if there is something already.
        """
        sweep(path)  # of a process that was killed while it made the folder
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise InputError("is there already", file=path, remedy="Choose another name.")
        made = datetime.now(UTC).isoformat(timespec="seconds")
        write_json(path / ABOUT, {"format": FORMAT, "version": 1, "name": name, "made": made, "settings": settings})
        return cls(path)

    def save_about(self, **values: Any) -> None:
        """Write more about the project; None takes a value away."""
        self.about = {k: v for k, v in (self.about | values).items() if v is not None}
        write_json(self.path / ABOUT, self.about)

    def keep_photo(self, content: bytes, sha256: str, suffix: str) -> str:
        """Keep a copy of a photo and return its name within the folder."""
        name = f"photos/{sha256[:16]}{suffix.lower() if suffix.lower() in IMAGE_SUFFIXES else '.jpg'}"
        if not (self.path / name).exists():
            with atomic_write(self.path / name) as temporary:
                temporary.write_bytes(content)
        return name

    def close(self) -> None:
        """Let another process have it."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def clear(path: Path) -> None:
    """Remove what no project keeps: uploads that wait, frames, what was made for one answer that a crash cut short."""
    for left in (path / "incoming", path / "frames", *path.glob(f"{ASIDE}*")):
        shutil.rmtree(left, ignore_errors=True)


def remove(path: Path) -> None:
    """Remove a project's folder; renamed before, so that a kill leaves no half project."""
    aside = path.with_name(f".deleting-{path.name}")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.rmtree(path.rename(aside))


def is_project(path: Path) -> bool:
    """Whether a folder holds a project."""
    return (path / ABOUT).is_file()


def export_zip(path: Path, photos: Iterable[tuple[str, Path]], out: Path, *, bare: bool = False) -> None:
    """Write a project as one zip, photos included.

    Args:
        path: its folder.
        photos: (SHA-256, file) of photos that lie elsewhere; they are put into ``photos/``.
        out: the zip; whole or not at all.
        bare: leave the copies of photos out.
    """
    with atomic_write(out) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        held = set()
        for file in sorted(p for p in path.rglob("*") if p.is_file()):
            name = file.relative_to(path).as_posix()
            if MEMBERS.fullmatch(name) and not (bare and name.startswith("photos/")):
                stored = zipfile.ZIP_STORED if name.startswith("photos/") else zipfile.ZIP_DEFLATED
                archive.write(file, name, stored)
                held.add(name.rsplit(".")[0])
        for sha256, file in photos:
            name = f"photos/{sha256[:16]}"
            if name not in held and file.is_file():
                archive.write(file, name + file.suffix.lower(), zipfile.ZIP_STORED)
                held.add(name)


def import_zip(content: Path, path: Path) -> None:
    """Unpack an exported project into a new folder; nothing but a project's own files is taken.

    Raises:
        InputError: if it is no exported project, or the folder is there already.
    """
    if path.exists():
        raise InputError("is there already", file=path, remedy="Choose another name.")
    aside = path.parent / f".importing-{path.name}"
    shutil.rmtree(aside, ignore_errors=True)
    try:
        suffixes = {".json", ".jsonl", ".npz", ".safetensors", ".onnx", *IMAGE_SUFFIXES}
        for name, data in read_zip(content, name="the archive", suffixes=suffixes, limits=IMPORT):
            if MEMBERS.fullmatch(name):
                (aside / name).parent.mkdir(parents=True, exist_ok=True)
                (aside / name).write_bytes(data)
        if not is_project(aside):
            raise InputError("the archive holds no project", remedy="Take one that was exported here.")
        aside.rename(path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _hold(path: Path) -> BinaryIO:
    """Lock a folder for this process; the system lets go when the process ends, however it ends."""
    if not path.is_dir():
        raise InputError("no such project", file=path, remedy="Check the path.")
    try:
        file = open(path / LOCK, "a+b")  # noqa: SIM115  (held until close)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", file=path, remedy="Copy it elsewhere.") from error
    try:
        _system_lock(file)
    except OSError as error:
        file.close()
        raise InputError("is open in another process", file=path, remedy="Close it there first.") from error
    return file


def _system_lock(file: BinaryIO) -> None:
    if os.name == "nt":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
