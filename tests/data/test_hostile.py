"""The corpus: one folder with everything that can be wrong with a picture, made here, and what becomes of each file.

Labels have their own tables of wrong files (test_boxes, test_coco, test_yolo), archives and videos too.
"""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from packed_scenes.data import InputError, image_size, read_image
from packed_scenes.data.folders import list_images
from tests.data.test_images import bomb

PIXELS = np.random.default_rng(3).integers(0, 256, (60, 80, 3), dtype=np.uint8)


def encoded(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(stream, kind, **options)
    return stream.getvalue()


def flipped(data: bytes, *, at: float, count: int = 1) -> bytes:
    made = bytearray(data)
    for i in range(count):
        made[int(len(data) * at) + i] ^= 0xFF
    return bytes(made)


def sixteen_bit_colour() -> bytes:
    return bytes(cv2.imencode(".png", PIXELS.astype(np.uint16) * 257)[1])


READ = ""
TURN = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
BLOCK = b"\xff\xe1\xff\xff" + TURN.ljust(65533, b"\0")
GIF = b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\x02D\x01\0;"
JPEG, PNG = encoded("JPEG"), encoded("PNG")
CORPUS: dict[str, tuple[Callable[[], bytes], str]] = {
    # name -> (content, what the line must say; READ = a picture comes out)
    "good.jpg": (lambda: JPEG, READ),
    "png in a.jpg": (lambda: PNG, READ),
    "jpeg in a.png": (lambda: JPEG, READ),
    "gif in a.tif": (lambda: encoded("GIF", "P"), READ),
    "cmyk.jpg": (lambda: encoded("JPEG", "CMYK"), READ),
    "grey.jpg": (lambda: encoded("JPEG", "L"), READ),
    "sixteen.png": (lambda: encoded("PNG", "I;16"), READ),
    "one bit.png": (lambda: encoded("PNG", "1"), READ),
    "turned.jpg": (lambda: encoded("JPEG", exif=TURN), READ),
    "two pages.tif": (lambda: encoded("TIFF", save_all=True, append_images=[Image.new("RGB", (9, 9))]), READ),
    "animated.gif": (lambda: encoded("GIF", save_all=True, append_images=[Image.new("RGB", (80, 60))]), READ),
    "animated.webp": (lambda: encoded("WEBP", save_all=True, append_images=[Image.new("RGB", (80, 60))]), READ),
    "sixteen bit colour.png": (lambda: sixteen_bit_colour(), READ),
    "bit flipped.jpg": (lambda: flipped(JPEG, at=0.7), READ),  # a JPEG has no checksum: some pixels differ
    "trailing junk.jpg": (lambda: JPEG + b"junk" * 1000, READ),
    "été 写真 🛒.jpg": (lambda: JPEG, READ),
    "-rf $(id) `id` %s.jpg": (lambda: JPEG, READ),
    "new\nline.jpg": (lambda: JPEG, READ),
    "n" * 251 + ".jpg": (lambda: JPEG, READ),
    "empty.jpg": (lambda: b"", r"the file is empty \(0 bytes\)\. Copy it again"),
    "text.jpg": (lambda: b"not a picture at all", "is no picture that can be read"),
    "page.png": (lambda: b"<html><body>404</body></html>", "is no picture that can be read"),
    "vector.png": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is no picture that can be read"),
    "postscript.jpg": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is no picture that can be read"),
    "pickle.jpg": (lambda: b"\x80\x04\x95\x0b\0\0\0\0\0\0\0\x8c\x02os\x94.", "is no picture that can be read"),
    "icon.png": (lambda: encoded("ICO"), "is no picture that can be read"),
    "zeros.jpg": (lambda: bytes(10_000), "is no picture that can be read"),
    "header only.jpg": (lambda: JPEG[:40], "no picture|cut off|cannot decode"),
    "cut.jpg": (lambda: JPEG[: len(JPEG) // 2], "cut off"),
    "cut.png": (lambda: PNG[: len(PNG) // 2], "cut off|cannot decode"),
    "flipped.png": (lambda: flipped(PNG, at=0.6, count=40), "cannot decode|cut off"),
    "bomb.png": (lambda: bomb(30_000, 30_000), "too large.*Scale it down"),
    "absurd.png": (lambda: bomb(2**31 - 1, 2**31 - 1), "too large|no picture|cannot decode"),
    "exif again and again.jpg": (lambda: JPEG[:2] + BLOCK * 300 + JPEG[2:], "more than 200 EXIF blocks"),
    "comments.jpg": (lambda: JPEG[:2] + b"\xff\xfe\0\2" * 200_000 + JPEG[2:], "header has no end"),
    "filling.jpg": (lambda: JPEG[:2] + b"\xff" * 300_000 + JPEG[2:], "header has no end"),
    "comment.ppm": (lambda: b"P6\n#" + b"x" * 300_000 + b"\n4 4\n255\n" + bytes(48), "header has no end"),
    "flat.png": (lambda: bomb(0, 100), "no picture|cannot decode|cut off"),
    "bomb.gif": (lambda: GIF, "too large|pixels"),
    "bomb.ppm": (lambda: b"P6 60000 60000 255\n" + bytes(100), "too large|pixels"),
    "bomb.bmp": (lambda: b"BM" + bytes(12) + (40).to_bytes(4, "little") + (50_000).to_bytes(4, "little") * 2
                 + b"\x01\0\x18\0" + bytes(24), "too large|pixels"),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("corpus")
    for name, (content, _) in CORPUS.items():
        (made / name).write_bytes(content())
    return made


@pytest.mark.parametrize("name", CORPUS)
def test_read_or_refused_with_one_line(name: str, folder: Path) -> None:
    says = CORPUS[name][1]
    if says == READ:
        pixels = read_image(folder / name, warn=lambda _: None)
        assert pixels.dtype == np.uint8
        assert pixels.shape == ((80, 60, 3) if name == "turned.jpg" else (60, 80, 3))
        assert image_size(folder / name) == pixels.shape[1::-1]
        return
    with pytest.raises(InputError, match=says) as caught:
        read_image(folder / name)
    assert str(caught.value).startswith(f"{folder / name}: ")
    assert str(caught.value).isprintable()
    assert caught.value.remedy


def test_the_folder_is_listed_whole_and_a_vanishing_file_is_one_refusal(folder: Path) -> None:
    listed = list_images([folder])
    assert {p.name for p in listed} == set(CORPUS)
    extra = folder / "vanishing.jpg"
    extra.write_bytes(JPEG)
    assert extra in list_images([folder])
    extra.unlink()
    with pytest.raises(InputError, match="no such file"):
        read_image(extra)


def test_links_that_loop_and_names_that_are_no_text(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to(tmp_path / "b.jpg")
    (tmp_path / "b.jpg").symlink_to(tmp_path / "a.jpg")
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg"))
    odd.write_bytes(b"")
    assert sorted(p.name for p in list_images([tmp_path])) == sorted(["a.jpg", "b.jpg", odd.name])
    with pytest.raises(InputError, match="cannot be read"):
        read_image(tmp_path / "a.jpg")
    with pytest.raises(InputError, match="empty") as caught:
        read_image(odd)
    str(caught.value).encode()


def test_pages_of_a_tiff_are_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file := tmp_path / "pages.tif").write_bytes(CORPUS["two pages.tif"][0]())
    monkeypatch.delattr("PIL.TiffImagePlugin.TiffImageFile.n_frames")  # it walks through all of them
    lines: list[str] = []
    assert np.array_equal(read_image(file, warn=lines.append), PIXELS)
    assert lines == [f"{file}: holds several frames, only the first is used"]


def test_broken_tags_print_no_lines(tmp_path: Path) -> None:
    tags = [(256, 3, 1, 8), (257, 3, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8),
            (277, 3, 1, 1), (278, 3, 1, 8), (279, 4, 1, 64), *((n, 4, 2**30, 8) for n in range(500, 600))]  # fmt: skip
    folder = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    file = tmp_path / "tags.tif"
    file.write_bytes(b"II*\0" + struct.pack("<I", 72) + bytes(64) + folder)
    reading = "import sys; from packed_scenes.data import read_image; print(read_image(sys.argv[1]).shape)"
    done = subprocess.run([sys.executable, "-c", reading, str(file)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("(8, 8, 3)\n", "")  # here, as pytest has filters of its own for warnings
