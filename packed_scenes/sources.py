"""Where scenes come from: files, folders, arrays; and the name of each."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import list_images, sha256_file
from packed_scenes.data.scene import Scene

if TYPE_CHECKING:
    from packed_scenes.data.boxes import BoxFile

RESERVED = frozenset({"clusters.png", "objects.parquet", "run.json", "errors.csv"})  # files beside the scenes' folders
HELD_PIXELS = 64_000_000  # decoded pictures kept for drawing: a few large photos, 200 MB at most
MAX_NAME = 80  # file systems allow 255 bytes; scene names get suffixes and four bytes a letter at worst

Picture = str | Path | Scene | npt.NDArray[np.uint8]


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


def sources(pictures: Picture | Iterable[Picture], *, named: Mapping[str, str] | None = None) -> list[Source]:
    """List the scenes of files, folders, arrays and scenes, with unique names that are safe as folder names.

    Args:
        pictures: what to list; text with ``://`` is a URL (:mod:`packed_scenes.storage`).
        named: names already given, by path; they are kept and not given again.

    Raises:
        InputError: if a path does not exist or a folder holds no picture.
    """
    many = [pictures] if isinstance(pictures, str | Path | Scene | np.ndarray) else list(pictures)
    found: list[Source] = []
    for item in many:
        if isinstance(item, Scene):
            found.append(Source(item.name, held=item))
        elif isinstance(item, np.ndarray):
            found.append(Source("scene", held=Scene(item, "scene")))
        elif isinstance(item, str) and "://" in item:
            from packed_scenes.storage import list_stored

            found += list_stored(item)
        else:
            found += [Source(path.stem, path=path) for path in list_images([item])]
    unique: dict[str | int, Source] = {}
    for index, source in enumerate(found):
        unique.setdefault(index if source.held is not None else source.where, source)
    return _unique_names(list(unique.values()), named or {})


def given_boxes(path: str | Path, pictures: Picture | Iterable[Picture]) -> BoxFile:
    """Read the boxes given for pictures; YOLO boxes are fractions, so the size of a single picture is passed on.

    Raises:
        InputError: if the boxes, or the only picture, cannot be read.
    """
    from packed_scenes.data.boxes import read_boxes
    from packed_scenes.data.images import image_size

    found = sources(pictures)
    only = found[0].path if len(found) == 1 else None
    return read_boxes(path, size=None if only is None else image_size(only))


def safe_name(text: str) -> str:
    """Make text one safe folder name: no separators or control characters, no leading dot, not too long."""
    name = re.sub(r"[\x00-\x1f\x7f/\\:*?\"<>|]+", "_", text).strip(" .") or "scene"
    if len(name.encode()) > MAX_NAME:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        name = name.encode()[: MAX_NAME - 9].decode(errors="ignore") + "-" + digest
    return name


def _unique_names(found: Sequence[Source], named: Mapping[str, str]) -> list[Source]:
    """Name every scene: the stem, with its folder in front where stems repeat, then with a number."""
    stems = [safe_name(s.name) for s in found]
    taken = {name.casefold() for name in named.values()}
    repeated = {stem for stem, times in Counter(s.casefold() for s in stems).items() if times > 1} | taken
    done = []
    for source, stem in zip(found, stems, strict=True):
        if source.where in named:
            done.append(replace(source, name=named[source.where]))
            continue
        name = stem
        if stem.casefold() in repeated and source.path is not None:
            name = safe_name(f"{source.path.resolve().parent.name}_{stem}")
        base, number = name, 1
        while name.casefold() in taken or name.casefold() in RESERVED:
            number += 1
            name = f"{base}_{number}"
        taken.add(name.casefold())
        held = source.held and replace(source.held, name=name)
        done.append(replace(source, name=name, held=held))
    return done


class PictureCache:
    """The pictures decoded last, up to a number of pixels, so that drawing need not read again; safe in threads."""

    def __init__(self, pixels: int = HELD_PIXELS) -> None:
        self._pixels = pixels
        self._held: OrderedDict[str, Scene] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, source: Source) -> Scene:
        """Return the scene, from memory if it is still there."""
        held = self._held.get(source.name)
        if held is not None:
            return held
        scene = source.scene()
        if source.held is None:
            with self._lock:
                self._held[source.name] = scene
                while len(self._held) > 1 and sum(s.width * s.height for s in self._held.values()) > self._pixels:
                    self._held.popitem(last=False)
        return scene

    def drop(self, name: str) -> None:
        """Forget a scene whose picture has changed."""
        with self._lock:
            self._held.pop(name, None)
