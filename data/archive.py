"""Zip archives from outside, such as an upload: no member leaves the folder, and what is unpacked is bounded.

Checked before anything is unpacked: the number of members, names (no absolute path, no ``..``, no drive, no control
character, none twice), links and encryption (refused), the compression method (stored and deflate only; the others can
ask for gigabytes of dictionary). Checked again while unpacking, because headers lie: the bytes of each member and of
all together. Members are never opened as archives themselves here. Memory: one member at a time.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from packed_scenes.data.checks import safe_name, shorten
from packed_scenes.data.errors import InputError
from packed_scenes.data.files import check_file
from packed_scenes.data.folders import IMAGE_SUFFIXES

_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
RATIO_FLOOR = 1 << 20  # a megabyte of white PNG or CSV may well compress a thousandfold, and is small
_LINK = 0xA000
_REMEDY = "Send a plain zip of pictures, in parts if it is large."


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an archive may hold.

    Attributes:
        files: members, folders included.
        member_bytes: unpacked size of one member.
        total_bytes: unpacked size of all read members.
        ratio: unpacked size over packed size of a member above 1 MB. Deflate itself ends at 1032.
    """

    files: int = 10_000
    member_bytes: int = 256 << 20
    total_bytes: int = 2 << 30
    ratio: float = 200.0


def read_zip(
    source: str | Path | bytes,
    *,
    name: str | None = None,
    suffixes: Collection[str] = IMAGE_SUFFIXES,
    limits: Limits | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Give the members with one of the suffixes, in the archive's order, as (safe relative name, content).

    Folders, hidden files and the ``__MACOSX`` shadow are skipped.

    Args:
        source: the archive's path or bytes.
        name: for messages; default: the path.
        suffixes: lower case, with the dot.
        limits: what is allowed.

    Raises:
        InputError: if it is no zip archive, is damaged, or breaks a limit; before the first member where headers tell.
    """
    limits = limits or Limits()
    file = name or ("archive" if isinstance(source, bytes) else str(source))
    if not isinstance(source, bytes):
        check_file(source, what="zip")
    try:
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
            total = 0
            for info, safe in _chosen(archive, file, suffixes, limits):
                content = _unpack(archive, info, file, limits)
                total += len(content)
                if total > limits.total_bytes:
                    raise InputError(
                        f"unpacks to more than {limits.total_bytes / 1e6:,.0f} MB", file=file, remedy=_REMEDY
                    )
                yield safe, content
    # NotImplementedError and RuntimeError: encryption and features that zipfile does not know; the rest: damage.
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"is no zip archive that can be read ({error})", file=file, remedy=_REMEDY) from error
    except (ValueError, OverflowError, UnicodeError, IndexError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"is a damaged zip archive ({error})", file=file, remedy=_REMEDY) from error


def _chosen(
    archive: zipfile.ZipFile, file: str, suffixes: Collection[str], limits: Limits
) -> list[tuple[zipfile.ZipInfo, str]]:
    """Check all headers before anything is unpacked."""
    members = archive.infolist()
    if len(members) > limits.files:
        raise InputError(f"holds {len(members):,} files, the limit is {limits.files:,}", file=file, remedy=_REMEDY)
    chosen: list[tuple[zipfile.ZipInfo, str]] = []
    for i, info in enumerate(members):
        safe = safe_name(info.filename, file=file, where=f"member {i}")
        parts = PurePosixPath(safe).parts
        if info.is_dir() or any(part.startswith((".", "__MACOSX")) for part in parts):
            continue
        if PurePosixPath(safe).suffix.lower() not in suffixes:
            continue
        if stat.S_IFMT(info.external_attr >> 16) == _LINK:
            raise InputError(f"member {shorten(safe)} is a link", file=file, remedy=_REMEDY)
        if info.flag_bits & 0x1:
            raise InputError(f"member {shorten(safe)} is encrypted", file=file, remedy="Send it without a password.")
        if info.compress_type not in _METHODS:
            raise InputError(f"member {shorten(safe)} uses an unusual compression", file=file, remedy=_REMEDY)
        _check_size(safe, info.file_size, info.compress_size, file, limits)
        chosen.append((info, safe))
    if sum(info.file_size for info, _ in chosen) > limits.total_bytes:
        raise InputError(f"unpacks to more than {limits.total_bytes / 1e6:,.0f} MB", file=file, remedy=_REMEDY)
    names = [safe for _, safe in chosen]
    if len(set(names)) != len(names):
        twice = next(n for i, n in enumerate(names) if n in names[:i])
        raise InputError(f"member {shorten(twice)} is there twice", file=file, remedy=_REMEDY)
    return chosen


def _check_size(name: str, size: int, packed: int, file: str, limits: Limits) -> None:
    if size > limits.member_bytes:
        raise InputError(
            f"member {shorten(name)} unpacks to more than {limits.member_bytes / 1e6:,.0f} MB",
            file=file,
            remedy=_REMEDY,
        )
    if size > RATIO_FLOOR and size > limits.ratio * max(packed, 1):
        raise InputError(
            f"member {shorten(name)} unpacks to more than {limits.ratio:g} times its size", file=file, remedy=_REMEDY
        )


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, file: str, limits: Limits) -> bytes:
    with archive.open(info) as member:
        content = member.read(limits.member_bytes + 1)
    _check_size(info.filename, len(content), info.compress_size, file, limits)
    return content
