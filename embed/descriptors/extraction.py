"""Pictures -> descriptor matrix: decoded in parallel, described in batches, nothing done twice.

Threads read, hash, decode, mask and letterbox (OpenCV and the decoders release the interpreter's lock); the calling
thread runs the network. What is in flight is bounded, so memory does not grow with the number of pictures: canvases of
``4 x workers + 2 x batch`` crops, one whole picture per worker, one batch of activations, 200 bytes per picture.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError
from packed_scenes.embed.descriptors.cache import Cache
from packed_scenes.embed.descriptors.canvases import read_canvases
from packed_scenes.embed.masking import Masker, make_masker
from packed_scenes.embed.registry import names

__all__ = ["Extracted", "extract", "maker_of", "names"]

if TYPE_CHECKING:
    from packed_scenes.embed.embedder import Embedder

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Extracted:
    """A descriptor matrix with its rows' files.

    Attributes:
        matrix: (N, D) float32 read-only memory map; row i belongs to ``paths[i]``.
        paths: the N files that could be read, in the order given.
        failed: files that could not be read, with the reason.
        card: what made it: name, architecture, dimension, weights' hash, mask, how many rows came from the cache,
            seconds; JSON values.
        file: where the matrix lies.
        errors: of an autoencoder, the (N,) float32 reconstruction errors, 0…1 (large = unlike the rest); else None.
        errors_file: where they lie, a ``.npy``.
    """

    matrix: npt.NDArray[np.float32]
    paths: list[Path]
    failed: list[tuple[Path, str]]
    card: dict[str, Any]
    file: Path
    errors: npt.NDArray[np.float32] | None = None
    errors_file: Path | None = None


def extract(
    paths: Sequence[str | Path],
    name: str | Path,
    *,
    cache: str | Path,
    device: str = "auto",
    weights_file: str | Path | None = None,
    batch: int | None = None,
    workers: int | None = None,
    mask: str | Masker | None = None,
    progress: Progress | None = None,
    seed: int = 0,
) -> Extracted:
    """Describe pictures, each picture's content at most once per descriptor.

    Args:
        paths: picture files, one crop each.
        name: one of ``names()``, ``NAME=WEIGHTS``, or a ``.safetensors`` file. ``autoencoder`` without weights trains
            one on these pictures (once; kept in the cache folder).
        cache: folder for shards and matrices; needs twice the matrix' size.
        device: ``auto``, ``cpu``, ``cuda``.
        weights_file: the same as ``NAME=WEIGHTS``.
        batch: crops per pass of the network; default 32 on a CPU, 256 on a GPU.
        workers: decoding threads; default one per core, at most 8.
        mask: hide the background first: ``threshold``, ``grabcut``, ``deeplab``, ``deeplab=FILE``, or a masker.
        progress: called with how many pictures are done, and of how many.
        seed: of the training of an autoencoder; nothing else here is random.

    Raises:
        InputError: if there is no picture, none can be read, or the descriptor cannot be loaded.
    """
    from packed_scenes.embed.embedder import Embedder

    files = [Path(path) for path in paths]
    if not files:
        raise InputError("no picture to describe", remedy="Give a folder or files.")
    masker = make_masker(mask, device=device)
    if str(name) == "autoencoder" and weights_file is None:
        from packed_scenes.embed.autoencoder_training import trained_on

        weights_file = trained_on(files, cache=Path(cache), mask=masker, seed=seed, progress=progress)
    embedder = Embedder.load(name if weights_file is None else f"{name}={weights_file}", device=device)
    batch = batch or (32 if embedder.device == "cpu" else 256)
    maker = maker_of(embedder, str(name), masker)
    reconstructs = embedder.card.get("architecture") == "autoencoder"  # its error is one more column
    known = Cache(
        cache, maker | ({"errors": True} if reconstructs else {}), dimension=embedder.dimension + reconstructs
    )
    before, started = len(known), time.monotonic()
    contents: list[bytes | None] = [None] * len(files)
    failed: list[tuple[Path, str]] = []
    batches = _Batches(embedder, known, batch, errors=reconstructs)
    try:
        for row, (content, canvas, reason) in enumerate(read_canvases(files, embedder.cut, masker, known, workers)):
            if reason:
                failed.append((files[row], reason))
            contents[row] = content
            if canvas is not None and content is not None:
                batches.add(content, canvas)
            if progress is not None and (row % batch == batch - 1 or row == len(files) - 1):
                progress(row + 1, len(files))
        batches.describe()
    finally:
        known.flush()  # an interrupt keeps every finished row
    kept = {row: content for row, content in enumerate(contents) if content is not None}
    if not kept:
        raise InputError(
            f"none of the {len(files)} pictures can be read ({failed[0][1]})",
            file=failed[0][0],
            remedy="Name other pictures.",
        )
    card = maker | {
        "rows": len(kept), "dimension": embedder.dimension, "failed": len(failed), "computed": len(known) - before,
        "seconds": round(time.monotonic() - started, 3), "key": known.key,
    }  # fmt: skip
    return _gathered(known, list(kept.values()), [files[row] for row in kept], failed, card, errors=reconstructs)


class _Batches:
    """Canvases that wait for a full batch; each content is described once, and its vector goes to the cache."""

    def __init__(self, embedder: Embedder, known: Cache, batch: int, *, errors: bool) -> None:
        self._embedder, self._known, self._batch, self._errors = embedder, known, batch, errors
        self._waiting: dict[bytes, npt.NDArray[np.uint8]] = {}

    def add(self, content: bytes, canvas: npt.NDArray[np.uint8]) -> None:
        if content not in self._known:
            self._waiting.setdefault(content, canvas)
        if len(self._waiting) >= self._batch:
            self.describe()

    def describe(self) -> None:
        """Describe what waits."""
        if not self._waiting:
            return
        canvases = np.stack(list(self._waiting.values()))
        vectors = self._embedder.describe_canvases(canvases, batch=self._batch)
        if self._errors:
            vectors = np.column_stack([vectors, _reconstruction_errors(self._embedder, canvases)])
        self._known.add(list(self._waiting), vectors)
        self._waiting.clear()


def _gathered(
    known: Cache, contents: list[bytes], paths: list[Path], failed: list[tuple[Path, str]], card: dict[str, Any], *,
    errors: bool,
) -> Extracted:  # fmt: skip
    """The cached vectors in one matrix, and the reconstruction errors in another if there are such."""
    file = known.folder / f"matrix-{hashlib.sha256(b''.join(contents)).hexdigest()[:20]}.npy"
    matrix = known.gather(contents, file, columns=slice(card["dimension"]))
    if not errors:
        return Extracted(matrix, paths, failed, card, file, None, None)
    errors_file = file.with_name(file.name.replace("matrix-", "errors-"))
    return Extracted(
        matrix, paths, failed, card, file, known.gather(contents, errors_file, columns=card["dimension"]), errors_file
    )


def maker_of(embedder: Embedder, name: str, masker: Masker | None) -> dict[str, Any]:
    """JSON values that decide an embedder's vectors, for the cache's key; a short name first, for people."""
    short = Path(name.partition("=")[0]).stem or "descriptor"
    card = embedder.card
    return {
        "name": short,
        "architecture": card.get("architecture", ""),
        "options": card.get("options", {}),
        "weights": embedder.weights_hash or _state_hash(embedder),
        "canvas": embedder.cut,
        "keeps_length": embedder.runner.keeps_length,
        "mask": None if masker is None else masker.key,
    }


def _reconstruction_errors(embedder: Embedder, canvases: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    from packed_scenes.embed.autoencoder import Autoencoder, reconstruction_errors

    assert isinstance(embedder.network, Autoencoder)
    return reconstruction_errors(embedder.network, canvases)


def _state_hash(embedder: Embedder) -> str:
    digest = hashlib.sha256()
    for key, value in sorted(embedder.network.state_dict().items()):
        digest.update(key.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
