"""Descriptor vectors on disk, found again by the content of the picture and of whatever made the vector.

A cache folder has one folder per *maker* (network, its weights, its way of cutting crops, the mask); in it lie shards
of up to 1,024 rows, each a safetensors file with the pictures' SHA-256 (n, 32) uint8 and the vectors (n, D) float32.
Shards are written whole or not at all and never changed, so a process killed at any point loses the rows of at most one
shard, two processes can share a folder, and a file that was moved or renamed is still known.

Memory: the index holds about 200 bytes per known picture; vectors stay on disk.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.files import atomic_write, write_json

FORMAT = 1  # raise it whenever the same picture and maker would give other numbers
SHARD = 1024

_log = logging.getLogger(__name__)

Vectors = npt.NDArray[np.float32]


def key_of(maker: dict[str, Any]) -> str:
    """Hash the JSON values that decide what comes out."""
    return hashlib.sha256(json.dumps([FORMAT, maker], sort_keys=True).encode()).hexdigest()[:20]


class Cache:
    """The vectors of one maker.

    Args:
        root: the cache folder that all makers share.
        maker: JSON values that decide the vectors; kept beside them as ``maker.json``.
        dimension: D.
        shard: rows per shard; what a kill can cost at most.
    """

    def __init__(self, root: str | Path, maker: dict[str, Any], *, dimension: int, shard: int = SHARD) -> None:
        self.key = key_of(maker)
        self.folder = Path(root) / f"{maker.get('name', 'descriptor')}-{self.key}"
        self.dimension, self.shard = dimension, shard
        self._place: dict[bytes, tuple[int, int]] = {}
        self._files: list[Path] = []
        self._waiting: dict[bytes, Vectors] = {}
        if not (self.folder / "maker.json").is_file():
            write_json(self.folder / "maker.json", maker)
        for file in sorted(self.folder.glob("shard-*.safetensors")):
            self._open(file)

    def __contains__(self, content: bytes) -> bool:
        return content in self._place or content in self._waiting

    def __len__(self) -> int:
        return len(self._place) + len(self._waiting)

    def add(self, contents: Sequence[bytes], vectors: Vectors) -> None:
        """Keep rows; every ``shard`` rows a file is written."""
        for content, vector in zip(contents, vectors, strict=True):
            if content not in self:
                self._waiting[content] = vector
        while len(self._waiting) >= self.shard:
            self._write(self.shard)

    def flush(self) -> None:
        """Write what waits, as one smaller shard."""
        if self._waiting:
            self._write(len(self._waiting))

    def gather(self, contents: Sequence[bytes], out: Path, *, columns: slice | int = slice(None)) -> Vectors:
        """Assemble the rows of these pictures, in this order, as a memory-mapped ``.npy``.

        Args:
            contents: SHA-256 of each row's picture; all must be known and flushed.
            out: file to write, named after the rows; one that is there already is kept.
            columns: which of the D columns; one number gives a vector.

        Returns:
            (N, d) or (N,) float32, read-only memory map. Memory: one shard.
        """
        if not out.is_file():
            place = np.array([self._place[content] for content in contents], np.int64).reshape(-1, 2)
            order = np.argsort(place[:, 0], kind="stable")
            starts = np.searchsorted(place[order, 0], np.arange(len(self._files) + 1))
            tail = () if isinstance(columns, int) else (len(range(self.dimension)[columns]),)
            with atomic_write(out) as temporary:
                matrix = np.lib.format.open_memmap(temporary, "w+", np.float32, (len(contents), *tail))
                for number, file in enumerate(self._files):
                    rows = order[starts[number] : starts[number + 1]]
                    if len(rows):
                        matrix[rows] = _read(file)[1][place[rows, 1]][:, columns]
                matrix.flush()
                del matrix
        return np.load(out, mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]

    def _open(self, file: Path) -> None:
        from safetensors import SafetensorError

        try:
            contents, vectors = _read(file)
            if vectors.shape != (len(contents), self.dimension):
                raise ValueError(f"has vectors of shape {vectors.shape}")
        except (SafetensorError, OSError, ValueError, KeyError) as error:  # foreign or damaged: it costs its rows only
            _log.warning("%s: left out of the cache (%s); its pictures are computed again", file, error)
            return
        number = len(self._files)
        self._files.append(file)
        for row, content in enumerate(contents):
            self._place.setdefault(content.tobytes(), (number, row))

    def _write(self, count: int) -> None:
        from safetensors.numpy import save_file

        contents = list(self._waiting)[:count]
        vectors = np.stack([self._waiting[content] for content in contents])
        joined = b"".join(contents)
        file = self.folder / f"shard-{hashlib.sha256(joined).hexdigest()[:20]}.safetensors"
        with atomic_write(file) as temporary:
            save_file({"content": np.frombuffer(joined, np.uint8).reshape(-1, 32), "vectors": vectors}, temporary)
        number = len(self._files)
        self._files.append(file)
        for row, content in enumerate(contents):
            self._place[content] = (number, row)
            del self._waiting[content]


def _read(file: Path) -> tuple[npt.NDArray[np.uint8], Vectors]:
    from safetensors.numpy import load_file

    tensors = load_file(file)
    return tensors["content"], tensors["vectors"]
