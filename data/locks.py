"""Locks that the system takes away with the process that holds them: of a folder, and of files that are being written.

A lock lies on the folder or file itself, so nothing of it stays on the disk, and no clock or process number decides
whether its holder lives. Where the system knows no such locks (Windows, some network drives) nothing is locked and
nothing of others is removed.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from packed_scenes.data.errors import InputError

PREFIX = ".writing-"  # of temporary files
_swept: set[str] = set()  # folders that this process has cleaned
_sweeping = Lock()


@contextmanager
def lock_folder(folder: str | Path) -> Iterator[None]:
    """Hold a folder for this process while the block runs; one that is made for it goes again if it stays empty.

    Raises:
        InputError: if another process holds it, or it cannot be made.
    """
    folder = Path(folder)
    made = False
    try:
        made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY) if os.name != "nt" else None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"cannot write here ({reason})", file=folder, remedy="Choose another --out or free space."
        ) from error
    try:
        if handle is not None and not _lock(handle):
            raise InputError(
                "another process is writing into this folder",
                file=folder,
                remedy="Wait for it, or choose another --out.",
            )
        yield
    finally:
        if handle is not None:
            os.close(handle)
        if made:
            with suppress(OSError):
                folder.rmdir()


def begin_file(path: Path) -> tuple[int, Path]:
    """Make a locked temporary file beside ``path``, with its suffix, and remove those of processes that died.

    Returns:
        The open file, which must stay open while it is written, and its path.

    Raises:
        OSError: if the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _sweeping:
        first = str(path.parent) not in _swept
        _swept.add(str(path.parent))
    if first:
        sweep(path.parent)
    while True:
        handle, name = tempfile.mkstemp(prefix=PREFIX, suffix=path.suffix, dir=path.parent)
        if os.name != "nt":
            _lock(handle, wait=True)
            if not os.fstat(handle).st_nlink:  # somebody took it for a dead one's before it was locked
                os.close(handle)
                continue
        return handle, Path(name)


@contextmanager
def hold_file(path: Path) -> Iterator[None]:
    """Keep a locked empty file while the block runs, for :func:`is_held`; one that a dead process left is taken over.

    Raises:
        InputError: if it cannot be made.
    """
    while True:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise InputError(
                f"cannot write here ({error.strerror})", file=path.parent, remedy="Free space or change permissions."
            ) from error
        if os.name == "nt":
            break
        _lock(handle, wait=True)
        if os.fstat(handle).st_nlink:  # else a sweep took it before it was locked
            break
        os.close(handle)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(handle)


def is_held(path: Path) -> bool | None:
    """Whether a living process holds a file of :func:`hold_file`; None where the system has no locks."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        return None if os.name == "nt" else _held(handle)
    finally:
        os.close(handle)


def sweep(folder: Path, *, below: bool = False) -> None:
    """Remove the temporary files of processes that died, in a folder, or ``below`` it too."""
    if os.name == "nt":
        return
    for stale in list((folder.rglob if below else folder.glob)(f"{PREFIX}*")):
        with suppress(OSError):
            handle = os.open(stale, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                if _lock(handle):
                    stale.unlink()
            finally:
                os.close(handle)


def _lock(handle: int, *, wait: bool = False) -> bool:
    """Lock an open file or folder; False if another process has it."""
    held = _held(handle, wait=wait)
    if held is None:  # a drive without locks: a folder is free then, and nobody's file is taken for a dead one's
        return stat.S_ISDIR(os.fstat(handle).st_mode)
    return not held


def _held(handle: int, *, wait: bool = False) -> bool | None:
    """Lock an open file or folder unless somebody else has it; None where the system has no locks."""
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False
