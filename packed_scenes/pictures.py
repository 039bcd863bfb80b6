"""A picture to be analysed, read when it is needed, and the few that stay decoded."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL.Image import Image

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import sha256_file
from packed_scenes.data.scene import Scene

CACHED_PIXELS = 64_000_000  # decoded pictures kept for drawing: a few large photos, 200 MB at most

Picture = str | Path | Scene | Image | npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Source:
    """One scene to be: a file that is read when it is needed, or a picture in memory."""

    name: str
    path: Path | None = None
    held: Scene | None = None

    @property
    def where(self) -> str:
        """The picture's path, or the scene's name if it has none: for messages, and to find its boxes."""
        return self.name if self.path is None else str(self.path)

    def content(self) -> bytes | None:
        """Return the file's bytes; None for a picture in memory.

        Raises:
            InputError: if the file cannot be read.
        """
        from packed_scenes.data.files import read_bytes

        return None if self.path is None else read_bytes(self.path)

    def scene(self) -> Scene:
        """Read (or return) the scene.

        Raises:
            InputError: if the file is no readable picture.
        """
        if self.held is not None:
            return self.held
        from packed_scenes.data.images import read_image

        assert self.path is not None
        return Scene(read_image(self.path), self.name)

    def fingerprint(self) -> str:
        """Return a hash of the content: of the file's bytes, or of the pixels."""
        if self.path is not None:
            try:
                return sha256_file(self.path)
            except OSError as error:
                raise InputError(
                    f"cannot read ({error.strerror})", file=self.path, remedy="Check the path and its rights."
                ) from error
        assert self.held is not None
        return hashlib.sha256(np.ascontiguousarray(self.held.image).tobytes()).hexdigest()


class PictureCache:
    """The pictures decoded last, up to a number of pixels, so that drawing need not read again; safe in threads."""

    def __init__(self, pixels: int = CACHED_PIXELS) -> None:
        self._pixels = pixels
        self._cached: OrderedDict[str, Scene] = OrderedDict()
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, int]:
        """Copies and pickles (which go to other processes) read the pictures again."""
        return {"pixels": self._pixels}

    def __setstate__(self, state: dict[str, int]) -> None:
        PictureCache.__init__(self, state["pixels"])

    def get(self, source: Source) -> Scene:
        """Return the scene, from memory if it is still there."""
        held = self._cached.get(source.name)
        if held is not None:
            return held
        scene = source.scene()
        if source.held is None:
            with self._lock:
                self._cached[source.name] = scene
                while len(self._cached) > 1 and sum(s.width * s.height for s in self._cached.values()) > self._pixels:
                    self._cached.popitem(last=False)
        return scene

    def drop(self, name: str) -> None:
        """Drop a scene whose picture has changed."""
        with self._lock:
            self._cached.pop(name, None)
