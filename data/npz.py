"""Arrays of a ``.npz`` file that anyone may have made: what its members announce is bounded before they are read.

Compressed members are archives inside the file: a hundred kilobytes can unpack to a hundred megabytes, and several
members can share the same bytes.
"""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.archive import RATIO_FLOOR, Limits
from packed_scenes.data.damage import one_line_of
from packed_scenes.data.errors import InputError

MAX_BYTES = 8 << 30  # of all arrays
Header = tuple[tuple[int, ...], bool, np.dtype[Any]]


def read_npz(
    path: str | Path, *, max_bytes: int = MAX_BYTES, ratio: float = Limits.ratio, remedy: str = "Make it again."
) -> dict[str, npt.NDArray[Any]]:
    """Read all arrays of a file.

    Args:
        path: the file.
        max_bytes: what the arrays may have in all.
        ratio: and how many times the file's size, above 1 MB; 1 = nothing is compressed.
        remedy: what to do about a bad one.

    Raises:
        InputError: if it is missing, damaged, holds Python objects or breaks a limit.
    """
    with one_line_of(path, "no readable .npz file", remedy=remedy), zipfile.ZipFile(path) as archive:
        members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
        for info in members:
            check_compression(info)
        total = sum(announced(npy_header(archive, info)) for info in members)
        size = Path(path).stat().st_size
        if total > max_bytes or total > max(RATIO_FLOOR, ratio * size):
            raise InputError(f"its arrays have {total / 1e6:,.0f} MB, more than they may", file=path, remedy=remedy)
        return {info.filename.removesuffix(".npy"): read_member(archive, info) for info in members}


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> npt.NDArray[Any]:
    """Read one array; Python objects are refused (ValueError)."""
    with archive.open(info) as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)


def npy_header(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Header:
    """Return shape, Fortran order and type of a member, without its numbers."""
    with archive.open(info) as stream:
        return read_npy_header(stream)


def read_npy_header(stream: IO[bytes]) -> Header:
    """Return shape, Fortran order and type of the array that begins here."""
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
    return read(stream)


def announced(header: Header) -> int:
    """Bytes that an array has by its header."""
    shape, _, dtype = header
    return math.prod(shape) * dtype.itemsize


def check_compression(info: zipfile.ZipInfo) -> None:
    """Refuse what NumPy does not write: the dictionary of LZMA can be gigabytes (ValueError)."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{info.filename[:100]} has an unusual compression")
