"""What people drop into the web app: pictures and zip archives as bytes, under caps; what is wrong is said by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from packed_scenes.data.archive import Limits, read_zip
from packed_scenes.data.errors import InputError
from packed_scenes.data.images import decode_image
from packed_scenes.data.scene import Scene

MEGA = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Caps:
    """What one session may hold.

    Attributes:
        pictures: number of pictures.
        picture_pixels: pixels of one picture; 50 million is the largest common phone photo.
        total_pixels: pixels of all pictures, 3 bytes each in memory.
        archive_bytes: unpacked size of an archive.
    """

    pictures: int = 60
    picture_pixels: int = 50 * MEGA
    total_pixels: int = 240 * MEGA
    archive_bytes: int = 400 * MEGA


def read_uploads(
    files: Iterable[tuple[str, bytes]], *, caps: Caps | None = None
) -> tuple[list[Scene], list[tuple[str, str]]]:
    """Decode uploads in memory; nothing is written to disk, and names are never used as paths.

    Args:
        files: (name, content) as uploaded; zip archives are told by their first bytes.
        caps: the limits.

    Returns:
        The scenes that could be read, and (name, reason) of what had to be left out.
    """
    caps = caps or Caps()
    scenes: list[Scene] = []
    errors: list[tuple[str, str]] = []
    pixels = 0
    for name, content in _members(files, caps, errors):
        if len(scenes) >= caps.pictures:
            errors.append((name, f"only {caps.pictures} pictures at a time; use packed-scenes analyze for more"))
            continue
        try:
            room = min(caps.picture_pixels, caps.total_pixels - pixels)
            if room <= 0:
                raise InputError(f"all pictures together have more than {caps.total_pixels / MEGA:.0f} million pixels")
            image = decode_image(content, name=name, max_pixels=room)
        except InputError as error:
            errors.append((name, str(error).removeprefix(f"{name}: ")))
            continue
        pixels += image.shape[0] * image.shape[1]
        scenes.append(Scene(image, PurePath(name.replace("\\", "/")).stem or "scene"))
    return scenes, errors


def read_one(name: str, content: bytes, *, caps: Caps | None = None) -> Scene:
    """Decode one picture.

    Raises:
        InputError: if it is no picture, or breaks a cap.
    """
    image = decode_image(content, name=name, max_pixels=(caps or Caps()).picture_pixels)
    return Scene(image, PurePath(name.replace("\\", "/")).stem or "picture")


def _members(
    files: Iterable[tuple[str, bytes]], caps: Caps, errors: list[tuple[str, str]]
) -> Iterable[tuple[str, bytes]]:
    limits = Limits(files=caps.pictures * 10, total_bytes=caps.archive_bytes)
    for name, content in files:
        if not content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            yield name, content
            continue
        found = 0
        try:
            for member, inside in read_zip(content, name=name, limits=limits):
                found += 1
                yield member, inside
        except InputError as error:
            errors.append((name, str(error).removeprefix(f"{name}: ")))
        else:
            if not found:
                errors.append((name, "the archive holds no pictures"))
