"""Small file duties shared by all: whole-or-nothing writes, whole reads, hashes."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from packed_scenes.data.cells import write_rows
from packed_scenes.data.errors import InputError
from packed_scenes.data.hidden import json_text
from packed_scenes.data.locks import begin_file

MAX_BYTES = 1 << 30  # a whole file is held in memory once while it is read


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that becomes ``path`` when the block ends well.

    A reader never sees half a file; when the block fails the temporary file is removed and the old file stays. The
    temporary name keeps the suffix, because image and table writers choose their format by it. What processes that were
    killed left in this folder goes.

    Raises:
        InputError: if the folder cannot be written.
    """
    path = Path(path)
    try:
        if "\0" in str(path):
            raise ValueError("a NUL in the name")
        handle, temporary = begin_file(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"cannot write here ({reason})", file=path, remedy="Choose another --out or free space."
        ) from error
    try:
        if os.name == "nt":  # where an open file cannot be replaced
            os.close(handle)
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise InputError(
            f"cannot write ({error.strerror or error})", file=path, remedy="Free space or choose another --out."
        ) from error
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
        if os.name != "nt":
            os.close(handle)


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text whole or not at all.

    What UTF-8 cannot hold (file names of undecodable bytes, as Python shows them) is written as a backslash escape.
    """
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_csv(path: str | Path, rows: Iterable[Iterable[object]]) -> None:
    """Write rows as CSV (:mod:`packed_scenes.data.cells`), the header first, in UTF-8, whole or not at all."""
    with atomic_write(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        write_rows(file, rows)


def write_json(path: str | Path, value: Any) -> None:
    """Write strict JSON (:func:`~packed_scenes.data.hidden.json_text`), indented by one space, whole or not at all."""
    write_text(path, json_text(value, indent=1) + "\n")


def read_bytes(path: str | Path, *, max_bytes: int = MAX_BYTES, what: str = "picture") -> bytes:
    """Read a whole regular file, with clear errors; pipes and devices are refused, because they may never end.

    Raises:
        InputError: if it is missing, no regular file, unreadable, empty or larger than ``max_bytes``.
    """
    size = check_file(path, what=what)
    if size > max_bytes:
        raise InputError(
            f"{size / 1e6:,.0f} MB is more than the limit of {max_bytes / 1e6:,.0f} MB", file=path, remedy="Split it."
        )
    try:
        with open(path, "rb") as file:
            return file.read(max_bytes)
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})", file=path, remedy="Check its permissions and the disk."
        ) from error


def check_file(path: str | Path, *, what: str = "picture") -> int:
    """Return the size in bytes of a regular, non-empty file.

    Raises:
        InputError: if it is missing, no regular file (a pipe or device may never end), or empty.
    """
    size = _regular_size(path, what)
    if size == 0:
        raise InputError("the file is empty (0 bytes)", file=path, remedy="Copy it again from its source.")
    return size


def _regular_size(path: str | Path, what: str) -> int:
    try:
        status = Path(path).stat()
    except FileNotFoundError as error:
        raise InputError("no such file", file=path, remedy="Check the path.") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"cannot be read ({reason})", file=repr(str(path)[:200])[1:-1], remedy="Check the path."
        ) from error
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe or a device"
        raise InputError(f"is {kind}, not a {what} file", file=path, remedy=f"Name a {what} file.")
    return status.st_size


def sha256_file(path: str | Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits, reading it in blocks.

    Raises:
        InputError: if it is missing, no regular file or unreadable.
    """
    _regular_size(path, "data")
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
