"""The one form of a picture in memory: a uint8 (H, W, 3) RGB array."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.depth import scale_depth
from packed_scenes.data.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

_ORIENTATION_TAG = 274  # of EXIF
SWAPPED = (5, 6, 7, 8)  # orientations that exchange width and height
_DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")


def check_image(image: npt.NDArray[np.uint8], *, what: str = "image", file: str | Path | None = None) -> None:
    """Raise InputError unless the array is a non-empty uint8 (H, W, 3) picture.

    Args:
        image: the array.
        what: it is, and ``file`` where it is, for the message.
    """
    good = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3
    if not good or image.shape[2] != 3 or not image.size:
        found = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise InputError(
            f"{what} must be uint8 (H, W, 3), got {found}", file=file,
            remedy="Give RGB values of 0 to 255, colours in the last axis.",
        )  # fmt: skip


def as_rgb(picture: Any) -> npt.NDArray[np.uint8]:
    """Return a picture in memory as (H, W, 3) uint8 RGB: an array of that form, or a Pillow image, which becomes what
    reading its file gives.

    Raises:
        InputError: if it is something else.
    """
    if not isinstance(picture, np.ndarray):
        from PIL import Image

        if isinstance(picture, Image.Image):
            return _from_pillow(picture)
        raise InputError(
            f"a picture must be an array or a Pillow image, got {type(picture).__name__}",
            remedy="Read the file with packed_scenes.data.read_image.",
        )
    check_image(picture)
    return picture


def _from_pillow(image: Image) -> npt.NDArray[np.uint8]:
    try:
        pixels = pillow_pixels(image, "image")
    except (OSError, ValueError) as error:  # a file that is cut off, or closed
        raise InputError(f"the picture cannot be decoded ({error})", remedy="Copy it again.") from error
    return orient(pixels, orientation_of(image))


def orientation_of(image: Image) -> int:
    """Return the EXIF orientation (1 … 8) that an image still needs; 1 where it says none."""
    if image.format == "TIFF":
        return 1  # Pillow turns TIFF itself
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # broken metadata is no reason to refuse the pixels
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def pillow_pixels(image: Image, name: str) -> npt.NDArray[np.uint8]:
    """Return the pixels of a Pillow image of any mode: deep ones by the depth they use, transparent ones over white.

    Raises:
        InputError: if it holds no finite value; ``name`` is for messages.
    """
    from PIL import Image

    if image.mode in _DEEP:
        image.load()
        return scale_depth(np.asarray(image), name)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image if image.mode == "RGBA" else image.convert("RGBA")  # convert copies even where nothing changes
        opaque = Image.new("RGB", rgba.size, (255, 255, 255))
        opaque.paste(rgba, mask=rgba)
        return np.asarray(opaque)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def orient(pixels: npt.NDArray[np.uint8], orientation: int) -> npt.NDArray[np.uint8]:
    """Turn and mirror a picture as its EXIF orientation (1 … 8) says."""
    if orientation in SWAPPED:
        pixels = pixels.transpose(1, 0, 2)
    # After the exchange of axes each remaining case is a flip of rows, of columns, or of both.
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.require(pixels, requirements=["C", "W"])  # Pillow's arrays are read-only
