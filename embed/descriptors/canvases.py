"""Picture files as the canvases of an embedder, read in threads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError
from packed_scenes.data.files import read_bytes
from packed_scenes.data.images import decode_image
from packed_scenes.data.letterbox import letterbox
from packed_scenes.data.read_ahead import map_ahead
from packed_scenes.embed.descriptors.cache import Cache
from packed_scenes.embed.masking import Masker, apply_mask

Canvas = tuple[bytes | None, npt.NDArray[np.uint8] | None, str]


def read_canvases(
    files: Sequence[Path],
    cut: dict[str, Any],
    masker: Masker | None,
    known: Cache | frozenset[bytes] = frozenset(),
    workers: int | None = None,
) -> Iterator[Canvas]:
    """Read, hash, decode, mask and letterbox files in threads, in order.

    Args:
        files: pictures.
        cut: arguments of :func:`packed_scenes.embed.crops.letterbox`.
        masker: hides the background, or None.
        known: contents that need no canvas.
        workers: threads.

    Yields:
        (SHA-256, canvas or None where the content is known, ""), or (None, None, reason) for an unreadable file.
    """
    workers = workers or min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2)

    def load(file: Path) -> Canvas:
        try:
            data = read_bytes(file)
            content = hashlib.sha256(data).digest()
            if content in known:
                return content, None, ""
            image = decode_image(data, name=str(file))
            if masker is not None:
                image = apply_mask(image, masker(image))
            return content, letterbox(image, **cut), ""
        except InputError as error:
            return None, None, error.message

    yield from map_ahead(load, files, workers=workers, ahead=4 * workers + 32)
