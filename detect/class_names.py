"""Class names of detectors: those of networks that bring none, and the classes that are wanted."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from packed_scenes.data import InputError
from packed_scenes.data.files import read_bytes
from packed_scenes.data.text import load_json

# The 80 classes of COCO detection in the order of every network that has 80.
COCO = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant",
    "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard",
    "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli",
    "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet",
    "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink",
    "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip
# Numbers that COCO's own 1 … 90 leave out; torchvision's and TensorFlow's detectors number so.
_GAPS = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
_left = iter(COCO)
COCO_91 = ("background", *("N/A" if number in _GAPS else next(_left) for number in range(1, 91)))
NUMBERED = tuple(str(number) for number in range(91))  # where names are unknown
MAX_BYTES = 1 << 20  # bytes of a file of names


def parse_class_names(text: str | None) -> tuple[str, ...]:
    """Read class names in the order of their numbers.

    Args:
        text: ``coco`` (80 classes), ``coco91`` (torchvision's numbering, 0 = background), names with commas between
            them, or a file: a name a line, or JSON: a list, or ``{"0": "person", …}``. None = none.

    Raises:
        InputError: if there is no name, or a file cannot be read.
    """
    if text is None:
        return ()
    known = {"coco": COCO, "coco91": COCO_91}
    if text in known:
        return known[text]
    if "," not in text and (Path(text).suffix or "/" in text):
        try:
            content = read_bytes(text, max_bytes=MAX_BYTES, what="names").decode("utf-8")
            names: Any = load_json(content) if Path(text).suffix == ".json" else content.splitlines()
        except ValueError as error:
            raise InputError("no class names", file=text, remedy="Write one name a line, or a JSON list.") from error
        return names_of(names, file=text)
    return names_of(text.split(","))


def names_of(value: Any, *, file: str | Path | None = None) -> tuple[str, ...]:
    """Class names out of a list, a mapping from numbers, or the text of one (ultralytics' metadata).

    Raises:
        InputError: if it is none of these, or a name is missing.
    """
    try:
        found = ast.literal_eval(value) if isinstance(value, str) else value
        if isinstance(found, Mapping):
            by_number = {int(number): name for number, name in found.items()}
            found = [by_number.get(number, "N/A") for number in range(max(by_number) + 1 if by_number else 0)]
        if isinstance(found, str) or not isinstance(found, Sequence) or len(found) > 1 << 16:
            raise ValueError("no list")
        names = tuple(str(name).strip() for name in found)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise InputError(
            f"class names must be a list ({error})", file=file, remedy="Write them as ['a', 'b']."
        ) from error
    while names and not names[-1]:
        names = names[:-1]
    if not names or not all(names):
        raise InputError("a class name is missing", file=file, remedy="Give a name for every number, from 0 on.")
    return names


def class_id(wanted: str | int, names: tuple[str, ...], *, bundled: bool = False) -> int:
    """Return the number of a class that is wanted by name or number.

    Args:
        wanted: the name or number.
        names: the classes that there are.
        bundled: they are those of the network that ships, which does not tell kinds of things apart.

    Raises:
        InputError: if these weights have no such class.
    """
    text = str(wanted)
    if text in names:
        return names.index(text)
    if text.isdigit() and int(text) < len(names):
        return int(text)
    if bundled:
        raise InputError(
            f"no class {text!r}: the bundled detectors know one class, {names[0]}, whatever the things are",
            remedy="Leave out --classes, or give a model that knows them, such as --weights yolox_s.onnx "
            "(docs/networks.md).",
        )
    shown = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
    remedy = f"Known: {shown}." if not names[0].isdigit() else "They bring no names: say --class-names, or numbers."
    raise InputError(f"no class {text!r} in these weights", remedy=remedy)
