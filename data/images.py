"""Pictures in and out: what a camera, a phone, a scanner or a web page left in a file, as (H, W, 3) uint8 RGB.

The header is checked first (format allow-list, pixel limit), so a decompression bomb costs nothing. The pixels:

* EXIF orientation is applied; other metadata, colour profiles included, is ignored (a profile engine would add its own
  attack surface and about 0.1 s per photo, and pictures of one camera shift together).
* Grey becomes three equal channels, transparency is laid over white, palette and CMYK (Adobe's too) become RGB.
* 16-bit, 32-bit and float pictures are scaled by the bit depth they really use: 12-bit data in a 16-bit file divide by
  4095, float data up to 1 multiply by 255. It depends on the maximum only, so that exposures stay comparable.
* Of an animation or a multi-page file the first frame is taken, with a warning.

Plain JPEG goes through OpenCV, which fills RGB directly: 16 ms against 30 ms for Pillow on a 2464 x 3280 shelf photo,
with equal pixels (both use libjpeg-turbo). OpenCV fills the rest of a cut file with grey without a word, so only a file
with its end marker is decoded there.
"""

from __future__ import annotations

import io
import logging
import re
import sys
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, UnidentifiedImageError

from packed_scenes.data.depth import scale_depth
from packed_scenes.data.errors import InputError
from packed_scenes.data.files import atomic_write, check_file, read_bytes
from packed_scenes.data.rgb import SWAPPED, check_image, orient, orientation_of, pillow_pixels

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "AVIF")
EXIF_BLOCKS = 200  # cameras write one for each picture in the file; Pillow's time grows with the square of their number
HEADER_READS = 200_000  # of the file while its header is read; Pillow takes comments and filling byte by byte
MAX_PIXELS = 200_000_000  # the largest phone sensor makes 199.8 million; decoding needs up to 15 bytes per pixel

# Pillow warns at its own limit and fails at twice that: make its failure coincide with ours, and suppress its warning.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", module=r"PIL\.")  # a line for each broken tag, of which a TIFF may have 65,535

_log = logging.getLogger(__name__)

Warn = Callable[[str], None]
RGB = npt.NDArray[np.uint8]


def read_image(path: str | Path, *, max_pixels: int = MAX_PIXELS, warn: Warn | None = None) -> RGB:
    """Read a picture file as (H, W, 3) uint8 RGB; the content decides the format, not the suffix.

    Args:
        path: JPEG, PNG, WEBP, BMP, TIFF, GIF, PPM, HEIC or AVIF file.
        max_pixels: refuse larger pictures before decoding; beyond 200 million raise ``PIL.Image.MAX_IMAGE_PIXELS`` too.
        warn: receives one line when something was left out (further frames); default: the log.

    Raises:
        InputError: if the file is missing, unreadable, empty, no picture, of another format, cut off or too large.
    """
    return decode_image(read_bytes(path), name=str(path), max_pixels=max_pixels, warn=warn)


def decode_image(data: bytes, *, name: str, max_pixels: int = MAX_PIXELS, warn: Warn | None = None) -> RGB:
    """Decode picture bytes (an upload, an archive member) as :func:`read_image` does; ``name`` is for messages.

    Raises:
        InputError: as :func:`read_image`.
    """
    try:
        with _open(_HeaderBytes(data), data, name, max_pixels) as image:
            deep_colour = _has_16_bit_colour(image)  # before the pixels are loaded, which drops it
            orientation = _orientation(image, data)
            if _is_plain_jpeg(image, data):
                fast = _decode_jpeg(data)
                if fast is not None:
                    return orient(fast, orientation)
            if image.format not in ("MPO", "HEIF") and getattr(
                image, "is_animated", False
            ):  # those are a photo with its own previews
                # not how many: Pillow would read a TIFF page by page, 17 s for a million in 114 MB
                (warn or _log.warning)(f"{name}: holds several frames, only the first is used")
                image.seek(0)
            return orient(_to_rgb(image, data, name, deep_colour=deep_colour), orientation)
    except InputError:
        raise
    except MemoryError as error:
        raise InputError("not enough memory to decode", file=name, remedy="Use a smaller picture.") from error
    # Decoders fail on hostile bytes with nearly every exception there is (OSError, SyntaxError, struct.error, …).
    except Exception as error:
        reason = str(error) or type(error).__name__
        if "trunc" in reason.lower():
            raise InputError("the picture is cut off", file=name, remedy="Copy it again from its source.") from error
        raise InputError(
            f"cannot decode the picture ({reason})", file=name, remedy="Save it again as JPEG or PNG."
        ) from error


def image_size(path: str | Path) -> tuple[int, int]:
    """Return (width, height) as :func:`read_image` would give it, EXIF orientation included, without decoding.

    Raises:
        InputError: if the file is missing, empty or no picture of an allowed format.
    """
    check_file(path)
    try:
        with _HeaderFile(io.FileIO(path)) as file, _open(file, file.peek(12), str(path), None) as image:
            data = read_bytes(path) if image.format == "PNG" else b""
            width, height = image.size
            return (height, width) if _orientation(image, data) in SWAPPED else (width, height)
    except InputError:
        raise
    except Exception as error:  # see decode_image
        raise InputError(
            f"cannot read the picture header ({error})", file=path, remedy="Save it again as JPEG or PNG."
        ) from error


def write_image(path: str | Path, image: RGB, *, quality: int = 92) -> None:
    """Write (H, W, 3) uint8 RGB whole or not at all; the suffix chooses the format.

    Args:
        path: target; ``.jpg``, ``.png``, ``.webp``, ``.bmp``, ``.tif`` or ``.ppm``.
        image: (H, W, 3) uint8 RGB.
        quality: JPEG and WebP quality, 1 to 100.

    Raises:
        InputError: if the suffix is unknown or the place cannot be written.
    """
    suffix = Path(path).suffix.lower()
    known = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".bmp": "BMP", ".tif": "TIFF",
             ".tiff": "TIFF", ".ppm": "PPM"}  # fmt: skip
    if suffix not in known:
        raise InputError(
            f"cannot write pictures as {suffix or 'a file without suffix'}",
            file=path,
            remedy=f"Known: {', '.join(known)}.",
        )
    check_image(image, file=path)
    options = {"quality": quality} if known[suffix] in ("JPEG", "WEBP") else {}
    try:
        with atomic_write(path) as temporary:
            if known[suffix] == "PNG":
                Path(temporary).write_bytes(_encode_png(image))
            else:
                Image.fromarray(np.ascontiguousarray(image)).save(temporary, format=known[suffix], **options)
    except ValueError as error:  # the format's own limits, such as 65,535 pixels a side for JPEG
        if isinstance(error, InputError):
            raise
        raise InputError(f"cannot write the picture ({error})", file=path, remedy="Write it as PNG.") from error


def _encode_png(image: RGB) -> bytes:
    """Encode by OpenCV: a contact sheet of 13 MB takes 70 ms where Pillow takes 200, for a fifth more bytes."""
    import cv2

    done, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError("the encoder refused it")
    return data.tobytes()


class _Header:
    """A stream that refuses to be read for ever while a header is looked for."""

    reads, exif = HEADER_READS, EXIF_BLOCKS

    def read(self, size: int | None = -1, /) -> bytes:
        data: bytes = super().read(size)  # type: ignore[misc]  # of the stream that it is put before
        self.reads -= 1
        self.exif -= data.startswith(b"Exif\0\0")
        if self.reads < 0:
            raise ValueError("its header has no end")
        if self.exif < 0:
            raise ValueError(f"more than {EXIF_BLOCKS} EXIF blocks")
        return data

    def unbounded(self) -> None:
        """Let the picture itself be read."""
        self.reads = self.exif = sys.maxsize


class _HeaderBytes(_Header, io.BytesIO):
    pass


class _HeaderFile(_Header, io.BufferedReader):
    pass


def _open(stream: _HeaderBytes | _HeaderFile, start: bytes, name: str, max_pixels: int | None) -> Image.Image:
    formats = _with_heif() if start[4:8] == b"ftyp" else FORMATS  # the box that HEIC and AVIF begin with
    try:
        image = Image.open(stream, formats=formats)
        stream.unbounded()
    except UnidentifiedImageError as error:
        if not start:
            raise InputError(
                "the file is empty (0 bytes)", file=name, remedy="Copy it again from its source."
            ) from error
        raise InputError(
            "is no picture that can be read", file=name, remedy=f"Use {', '.join(FORMATS)} or HEIC."
        ) from error
    except Image.DecompressionBombError as error:
        count = next((int(n) for n in re.findall(r"\d+", str(error))), 0)
        raise _too_large(f"{count / 1e6:,.0f} million pixels", MAX_PIXELS, name) from error
    width, height = image.size
    if max_pixels is not None and width * height > max_pixels:
        raise _too_large(f"{width} x {height} pixels", max_pixels, name)
    return image


@cache
def _with_heif() -> tuple[str, ...]:
    """The formats, after Pillow has been taught the pictures of iPhones (HEIC); AVIF it reads itself."""
    import pi_heif

    pi_heif.register_heif_opener()
    return (*FORMATS, "HEIF")


def _too_large(shown: str, limit: int, name: str) -> InputError:
    text = f"too large to decode: {shown}, the limit is {limit / 1e6:g} million"
    return InputError(text, file=name, remedy="Scale it down or cut it into parts.")


def _orientation(image: Image.Image, data: bytes) -> int:
    if image.format == "PNG" and not any(mark in data for mark in (b"eXIf", b"Raw profile type")):
        return 1  # asking would decode the whole picture, because PNG may say it last
    return orientation_of(image)


def _is_plain_jpeg(image: Image.Image, data: bytes) -> bool:
    return image.format in ("JPEG", "MPO") and image.mode in ("RGB", "L") and data.rstrip(b"\0")[-2:] == b"\xff\xd9"


def _decode_jpeg(data: bytes) -> RGB | None:
    import cv2

    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None  # Pillow has the better message


def _to_rgb(image: Image.Image, data: bytes, name: str, *, deep_colour: bool) -> RGB:
    if deep_colour:
        import cv2  # Pillow keeps only the high byte, which is black for 12-bit data

        deep = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
        if (
            deep is not None
            and deep.dtype == np.uint16
            and deep.ndim == 3
            and deep.shape[:2] == (image.height, image.width)
        ):
            colour = scale_depth(deep[..., 2::-1] if deep.shape[2] >= 3 else deep[..., :1], name)
            return _over_white(colour, deep[..., 3:].astype(np.float32) / 65535) if deep.shape[2] == 4 else colour
    return pillow_pixels(image, name)


def _has_16_bit_colour(image: Image.Image) -> bool:
    if image.format not in ("PNG", "TIFF") or image.mode not in ("RGB", "RGBA", "RGBX"):
        return False
    if not isinstance(image, ImageFile.ImageFile) or not image.tile:
        return False
    args = image.tile[0].args
    rawmode = args[0] if isinstance(args, tuple) and args else args
    return isinstance(rawmode, str) and ";16" in rawmode


def _over_white(colour: RGB, alpha: npt.NDArray[np.float32]) -> RGB:
    blended: RGB = np.rint(colour * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return blended
