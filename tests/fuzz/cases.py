"""The cases of the fuzzer: a small valid file of every picture mode and label form, mutated.

One to six mutations, mostly one: bits flipped, bytes overwritten with telling values, pieces cut, doubled, randomised
or joined with another seed file, and in text numbers and tokens exchanged for hostile ones.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

WORDS = (0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 30_000)
TELLING = (0, 1, 0x7F, 0x80, 0xFE, 0xFF)
TOKENS = (
    "NaN", "Infinity", "-1", "0", "1e999", "-1e308", "1e-320", "null", "true", "{}", "[]", '""', "[[[[", "}",
    "9" * 5000, "[" * 3000, '"\\ud800"', "\x00", "\u2028", "é" * 300, "../../etc/passwd", "/etc/passwd", "C:\\x", ",",
    ";", '"', "\n", "&a [*a,*a]", "!!python/object/apply:os.system [id]", "2147483648", "16777217", "0.5",
)  # fmt: skip
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")


@cache
def seeds() -> tuple[tuple[str, bytes], ...]:
    """Return (reader, content) of every seed file: pictures in all modes and formats, labels in all forms, a zip."""
    return (*(("image", data) for data in _pictures()), *_labels(), ("zip", _zip()))


def make_case(seed: int, index: int) -> tuple[str, bytes]:
    """Return the reader and the bytes of a case."""
    rng = np.random.default_rng((seed, index))
    pool = seeds()
    # Half of the cases are pictures, half labels and archives, whatever the number of seeds of each.
    images = [s for s in pool if s[0] == "image"]
    others = [s for s in pool if s[0] != "image"]
    chosen = images if rng.random() < 0.5 else others
    reader, data = chosen[int(rng.integers(len(chosen)))]
    for _ in range(int(rng.choice((1, 1, 1, 2, 3, 6)))):
        is_text = reader not in ("image", "zip") and rng.random() < 0.7
        data = mutate_text(data, rng) if is_text else mutate_bytes(data, pool, rng)
    return reader, data


def _pictures() -> list[bytes]:
    rng = np.random.default_rng(7)
    colour = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    deep = Image.fromarray(rng.integers(0, 65536, (24, 32), dtype=np.uint16))
    exif = Image.Exif()
    exif[274] = 6
    exif[270] = "a shelf"
    frames = [colour.rotate(90 * i, expand=False) for i in range(3)]
    made: list[bytes] = []

    def save(image: Image.Image, kind: str, **options: Any) -> None:
        stream = io.BytesIO()
        image.save(stream, kind, **options)
        made.append(stream.getvalue())

    for mode in ("RGB", "L", "CMYK"):
        save(colour.convert(mode), "JPEG", exif=exif)
    save(colour, "JPEG", progressive=True)
    for mode in ("RGB", "L", "P", "1", "RGBA", "LA"):
        save(colour.convert(mode), "PNG")
    save(deep, "PNG")
    save(colour, "PNG", exif=exif)
    save(colour.convert("P"), "GIF", transparency=3)
    save(frames[0], "GIF", save_all=True, append_images=frames[1:])
    save(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    save(frames[0], "PNG", save_all=True, append_images=frames[1:])
    save(colour, "WEBP", exif=exif)
    save(colour.convert("RGBA"), "WEBP")
    for compression in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        save(colour, "TIFF", compression=compression, exif=exif)
    save(deep, "TIFF")
    save(Image.fromarray(rng.random((24, 32)).astype(np.float32)), "TIFF")
    save(colour.convert("CMYK"), "TIFF")
    save(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    for mode in ("RGB", "P", "1"):
        save(colour.convert(mode), "BMP")
    save(colour, "PPM")
    save(deep, "PPM")
    return made


def _labels() -> list[tuple[str, bytes]]:
    box = {"x1": 10, "y1": 20.5, "x2": 60, "y2": 90}
    coco: dict[str, Any] = {
        "images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 48}, {"id": 2, "file_name": "b/c.png"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 2, 30, 40], "iscrowd": 0, "identity_uncertain": 1},
            {"id": 2, "image_id": 1, "category_id": 4, "bbox": [5, 2, 30.5, 40], "iscrowd": 1},
            {"id": 3, "image_id": 2, "category_id": 4, "bbox": [5, 2, 300, 40], "ignore": 1, "score": 0.5},
        ],
        "categories": [{"id": 3, "name": "cola"}, {"id": 4, "name": "tea"}],
    }
    results = [{"image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4], "score": 0.25}] * 2
    table = 'image,object_id,x1,y1,x2,y2,score,cluster\na.png,u,1,2,30,40,.5,0\nb.png,"v,w",5,6,70,80,1,-1\n'
    plain = "x,y,width,height\n1,2,30,40\n5,6,70,80\n"
    lines = "0 0.5 0.5 0.25 0.25\n1 0.25 0.25 0.1 0.1 0.9\n0 0.1 0.1 0.2 0.1 0.2 0.3\n"
    description = 'path: .\nval: images\ntrain: [images, images]\nnames:\n  0: cola\n  1: "tea"\n'
    return [
        ("boxes", json.dumps({f"id{i}": box for i in range(4)}).encode()),
        ("boxes", json.dumps(coco).encode()),
        ("boxes", json.dumps(results).encode()),
        ("boxes", table.encode()),
        ("boxes", plain.encode()),
        ("boxes", lines.encode()),
        ("coco", json.dumps(coco).encode()),
        ("coco", json.dumps(coco, indent=1).encode()),
        ("yolo", lines.encode()),
        ("yaml", description.encode()),
    ]


def _zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.png", b"\x89PNG" * 300)
        archive.writestr("c.jpg", bytes(4000))
        archive.writestr("notes.txt", "hello")
    return stream.getvalue()


def mutate_bytes(data: bytes, pool: tuple[tuple[str, bytes], ...], rng: np.random.Generator) -> bytes:
    """Change some bytes; ``pool`` gives pieces of other files."""
    made = bytearray(data or b"\0")
    size = len(made)
    # Headers decide most: half of the mutations hit the first 200 bytes.
    at = int(rng.integers(size if rng.random() < 0.5 else min(size, 200)))
    length = min(1 << int(rng.integers(9)), size)
    match int(rng.integers(9)):
        case 0:
            made[at] ^= 1 << int(rng.integers(8))
        case 1:
            made[at] = TELLING[int(rng.integers(len(TELLING)))]
        case 2:
            value = WORDS[int(rng.integers(len(WORDS)))]
            made[at : at + 4] = value.to_bytes(4, "big" if rng.random() < 0.5 else "little")
        case 3:
            del made[at:]
        case 4:
            del made[at : at + length]
        case 5:
            made[at:at] = made[at : at + length] * int(rng.integers(1, 20))
        case 6:
            made[at : at + length] = rng.bytes(length)
        case 7:
            other = pool[int(rng.integers(len(pool)))][1]
            made[at:] = other[int(rng.integers(len(other))) :]
        case _:
            made[at:at] = rng.bytes(length)
    return bytes(made)


def mutate_text(data: bytes, rng: np.random.Generator) -> bytes:
    """Exchange a number or a token of a text for a hostile one."""
    token = TOKENS[int(rng.integers(len(TOKENS)))].encode()
    numbers = list(_NUMBER.finditer(data))
    if numbers and rng.random() < 0.6:
        hit = numbers[int(rng.integers(len(numbers)))]
        return data[: hit.start()] + token + data[hit.end() :]
    pieces = re.split(rb"([,:\n ])", data)
    at = int(rng.integers(len(pieces)))
    match int(rng.integers(4)):
        case 0:
            pieces[at] = token
        case 1:
            del pieces[at]
        case 2:
            pieces.insert(at, pieces[int(rng.integers(len(pieces)))])
        case _:
            swap = int(rng.integers(len(pieces)))
            pieces[at], pieces[swap] = pieces[swap], pieces[at]
    return b"".join(pieces)
