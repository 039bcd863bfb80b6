"""Pictures: every mode a file can have, compared with Pillow's own conversions, and every way a file can be wrong."""

from __future__ import annotations

import base64
import io
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from packed_scenes.data import InputError, image_size, read_image, write_image
from packed_scenes.data.images import decode_image
from tests.real import SHARED, needs

# 48 x 32, left half red, right half blue, written by libheif's x265.
HEIC = (
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAAAA"
    "AERAAAEAAQAAAAABoQABAAAAAAAAAEQAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/WlwcnAAAADd"
    "aXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAA"
    "AwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xh"
    "cAAAADAAAAABAAAAIAAAAAH////wAAAAAv///+AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAAExtZGF0AAAA"
    "QCgBrwngi/Fzip//It3/8THZe5ipKoEf9+3nehrf/EUoNzlczh788x35/mIw8VWLQBy+9d9N2o+3yTAeXCRBZkA="
)

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (20, 31, 3), dtype=np.uint8)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def exif(orientation: int) -> Image.Exif:
    made = Image.Exif()
    made[274] = orientation
    return made


def decode(data: bytes) -> np.ndarray:
    return decode_image(data, name="here.img")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_that_of_pillow(kind: str, orientation: int, tmp_path: Path) -> None:
    data = encoded(Image.fromarray(COLOUR), kind, exif=exif(orientation))
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    found = decode(data)
    np.testing.assert_array_equal(found, expected)
    assert found.flags.c_contiguous
    assert found.flags.writeable
    (tmp_path / "a").write_bytes(data)
    assert image_size(tmp_path / "a") == found.shape[1::-1]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "PPM", "GIF"])
def test_every_allowed_format_whatever_its_suffix(kind: str, tmp_path: Path) -> None:
    data = encoded(Image.fromarray(COLOUR), kind)
    (tmp_path / "wrong.xyz").write_bytes(data)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    np.testing.assert_array_equal(read_image(tmp_path / "wrong.xyz"), expected)


def test_the_photo_of_an_iphone() -> None:
    found = decode_image(base64.b64decode(HEIC), name="photo.heic")
    assert found.shape == (32, 48, 3)
    assert np.abs(found[:, 4:20].astype(int) - (220, 30, 30)).max() < 30
    assert np.abs(found[:, 28:44].astype(int) - (30, 30, 220)).max() < 30


def test_grey_has_three_equal_channels() -> None:
    for kind in ("JPEG", "PNG"):
        found = decode(encoded(Image.fromarray(COLOUR).convert("L"), kind))
        assert found.shape == COLOUR.shape
        assert (found == found[..., :1]).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_laid_over_white(mode: str) -> None:
    image = Image.fromarray(COLOUR).convert(mode)
    image.putalpha(Image.fromarray(RNG.integers(0, 256, COLOUR.shape[:2], dtype=np.uint8)))
    rgba = np.asarray(image.convert("RGBA")).astype(float)
    alpha = rgba[..., 3:] / 255
    found = decode(encoded(image, "PNG"))
    assert np.abs(found - (rgba[..., :3] * alpha + 255 * (1 - alpha))).max() <= 1


def test_fully_transparent_palette_entry_is_white() -> None:
    image = Image.new("P", (4, 3), 1)
    image.putpalette([10, 20, 30, 200, 0, 0])
    assert (decode(encoded(image, "GIF", transparency=1)) == 255).all()
    assert (decode(encoded(image, "PNG")) == [200, 0, 0]).all()


def test_cmyk_jpeg_with_and_without_the_adobe_marker() -> None:
    flat = np.full((16, 16, 3), (200, 40, 90), np.uint8)
    data = encoded(Image.fromarray(flat).convert("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in data  # Pillow writes inverted values and says so
    assert np.abs(decode(data).astype(int) - flat).max() <= 4
    at = data.index(b"\xff\xee")
    plain = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]
    # No known program writes CMYK in JPEG any other way, so the marker is not asked for.
    np.testing.assert_array_equal(decode(plain), decode(data))


@pytest.mark.parametrize(("bits", "kind"), [(16, "PNG"), (12, "PNG"), (12, "TIFF"), (10, "TIFF"), (16, "TIFF")])
def test_16_bit_grey_is_scaled_by_the_bits_in_use(bits: int, kind: str) -> None:
    full = 2**bits - 1
    ramp = np.linspace(0, full, 300).astype(np.uint16).reshape(10, 30)
    found = decode(encoded(Image.fromarray(ramp), kind))
    assert np.abs(found[..., 0] - ramp * (255 / full)).max() <= 0.51


@pytest.mark.parametrize("extension", [".png", ".tiff"])
@pytest.mark.parametrize("bits", [12, 16])
def test_16_bit_colour_is_scaled_by_the_bits_in_use(extension: str, bits: int) -> None:
    full = 2**bits - 1
    deep = RNG.integers(0, full + 1, (9, 8, 3)).astype(np.uint16)
    deep[0, 0, 0] = full
    data = cv2.imencode(extension, deep[..., ::-1])[1].tobytes()
    assert np.abs(decode(data) - deep * (255 / full)).max() <= 0.51


def test_16_bit_colour_with_alpha_is_over_white() -> None:
    deep = np.zeros((4, 4, 4), np.uint16)
    deep[:2] = 65535
    found = decode(cv2.imencode(".png", deep)[1].tobytes())
    assert (found == 255).all()


@pytest.mark.parametrize(("low", "high", "scale"), [(0, 1, 255), (0, 255, 1), (0, 4000, 255 / 4095)])
def test_float_tiff(low: float, high: float, scale: float) -> None:
    values = np.linspace(low, high, 120, dtype=np.float32).reshape(10, 12)
    found = decode(encoded(Image.fromarray(values), "TIFF"))
    assert np.abs(found[..., 0] - values * scale).max() <= 0.51


def test_float_tiff_with_holes_and_of_nothing_but_holes() -> None:
    values = np.full((4, 5), 0.5, np.float32)
    values[0, 0] = np.nan
    assert (decode(encoded(Image.fromarray(values), "TIFF")) == 128).all()
    with pytest.raises(InputError, match="no finite pixel"):
        decode(encoded(Image.fromarray(np.full((4, 5), np.nan, np.float32)), "TIFF"))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_animation_gives_its_first_frame_and_a_warning(kind: str) -> None:
    frames = [Image.fromarray(np.full((8, 9, 3), v, np.uint8)) for v in (250, 3, 120)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    lines: list[str] = []
    found = decode_image(data, name="clip", warn=lines.append)
    assert np.abs(found.astype(int) - 250).max() <= 1
    assert lines == ["clip: holds several frames, only the first is used"]


def test_plain_jpeg_equals_pillow_on_both_roads() -> None:
    smooth = cv2.GaussianBlur(RNG.integers(0, 256, (65, 49, 3), dtype=np.uint8), (0, 0), 3)
    for options in ({}, {"progressive": True}, {"subsampling": 0}, {"quality": 30}):
        data = encoded(Image.fromarray(smooth), "JPEG", **options)
        expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        np.testing.assert_array_equal(decode(data), expected)
        np.testing.assert_array_equal(decode(data + b"trailer"), expected)  # not plain: Pillow's road


@needs("packed_products/test/shelf.jpeg")
def test_real_photo_equals_pillow() -> None:
    file = SHARED / "packed_products/test/shelf.jpeg"
    found = read_image(file)
    assert found.shape == (3280, 2464, 3)
    np.testing.assert_array_equal(found, np.asarray(Image.open(file).convert("RGB")))


def test_huge_metadata_does_no_harm() -> None:
    note = exif(6)
    note[270] = "x" * 60_000
    data = encoded(Image.fromarray(COLOUR), "JPEG", exif=note, comment=b"y" * 65_000, icc_profile=b"z" * 3_000_000)
    assert decode(data).shape == (31, 20, 3)


def test_broken_exif_is_no_reason_to_refuse_the_pixels() -> None:
    data = encoded(Image.fromarray(COLOUR), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12" * 40)
    assert decode(data).shape == COLOUR.shape


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "PPM"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_truncated_is_refused(kind: str, share: float) -> None:
    data = encoded(Image.fromarray(RNG.integers(0, 256, (90, 80, 3), dtype=np.uint8)), kind)
    with pytest.raises(InputError, match=r"^here\.img: ") as caught:
        decode(data[: int(len(data) * share)])
    assert caught.value.remedy


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is huge and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def test_bomb_is_refused_before_decoding() -> None:
    with pytest.raises(
        InputError, match=r"too large to decode: 900 million pixels, the limit is 200 million\. Scale it down"
    ):
        decode(bomb(30_000, 30_000))
    with pytest.raises(InputError, match=r"100 x 100 pixels, the limit is 0\.009999 million"):
        decode_image(bomb(100, 100), name="x", max_pixels=9_999)


def test_the_whole_limit_is_usable() -> None:
    # 16,320 x 12,240 is what the largest phone sensor makes: the header passes, the missing pixels are what fails.
    with pytest.raises(InputError, match=r"cut off|cannot decode"):
        decode(bomb(16_320, 12_240))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"hello, I am text", "no picture that can be read.*Use JPEG, PNG"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "no picture|cannot decode"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no picture"),
    ],
)
def test_not_a_picture(content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(content)
    for read in (read_image, image_size):
        with pytest.raises(InputError, match=message) as caught:
            read(file)
        assert str(file) in str(caught.value)
        assert caught.value.remedy


def test_no_such_file_a_folder_a_pipe_and_impossible_names(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.jpg")
    cases = {"none.jpg": "no such file", ".": "is a folder", "pipe.jpg": "is a pipe or a device", "x" * 300: "too long"}
    for name, message in cases.items():
        for read in (read_image, image_size):
            with pytest.raises(InputError, match=message):
                read(tmp_path / name)
    with pytest.raises(InputError, match="null"):
        read_image("a\0b.jpg")


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(encoded(Image.fromarray(COLOUR), "PNG"))

    def denied(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", denied)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\).*permissions"):
        read_image(file)
    with pytest.raises(InputError, match="Permission denied"):
        image_size(file)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".ppm", ".jpg", ".webp"])
def test_write_and_read_again(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / "new" / f"a{suffix}"
    smooth = cv2.GaussianBlur(COLOUR, (0, 0), 5)
    write_image(file, smooth, quality=95)
    difference = np.abs(read_image(file).astype(int) - smooth).max()
    assert difference <= (12 if suffix in (".jpg", ".webp") else 0)
    assert [f.name for f in file.parent.iterdir()] == [file.name]


def test_write_refuses_what_no_file_can_hold(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Known: \.jpg"):
        write_image(tmp_path / "a.xyz", COLOUR)
    with pytest.raises(InputError, match="uint8"):
        write_image(tmp_path / "a.png", COLOUR[..., 0])
    with pytest.raises(InputError, match=r"a\.jpg"):
        write_image(tmp_path / "a.jpg", np.zeros((1, 70_000, 3), np.uint8))
    assert not list(tmp_path.iterdir())
