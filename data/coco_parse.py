"""The parts of a COCO file, checked one by one: pictures, categories, annotations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.checks import Size, build_objects, entry_name, identifier, integer, number, shorten
from packed_scenes.data.errors import InputError
from packed_scenes.data.faults import Faults
from packed_scenes.data.objects import Objects
from packed_scenes.data.parsed_boxes import bounds_of_rotated


@dataclass(frozen=True)
class Picture:
    """One entry of ``images``, checked."""

    file_name: str
    size: Size | None


@dataclass(frozen=True)
class Entry:
    """One annotation, checked."""

    where: str
    xyxy: tuple[float, float, float, float]
    object_id: str
    category: Any
    score: float
    ignore: bool
    uncertain: bool


def parse_key(entry: Any, name: str, path: str | Path, where: str) -> int | str:
    """Return an id that may be a number or text; ``1.0`` is 1."""
    value = entry.get(name) if isinstance(entry, dict) else None
    if type(value) is float and value.is_integer() and abs(value) < 1 << 53:
        value = int(value)
    if type(value) is int or (isinstance(value, str) and 0 < len(value) <= 1000):
        return value
    raise InputError(f"{where}: {name} must be a number or text, got {shorten(value)}", file=path, remedy="Correct it.")


def matching_key(key: int | str, known: Mapping[int | str, Any]) -> int | str | None:
    """The key under which something is known: tools write one id as 3 here and "3" there."""
    other = int(key) if isinstance(key, str) and key.isdecimal() and len(key) < 19 else str(key)
    return key if key in known else other if other in known else None


def _flag(entry: Mapping[str, Any], name: str, path: str | Path, where: str) -> bool:
    value = entry.get(name)
    if value not in (0, 1, None, "0", "1"):
        raise InputError(
            f"{where}: {name} must be 0 or 1, got {shorten(value)}", file=path, remedy="Correct this entry."
        )
    return value not in (0, None, "0")


def _list(content: Mapping[str, Any], name: str, path: str | Path) -> list[Any]:
    value = content.get(name)
    if value is None and name != "images":
        return []
    if not isinstance(value, list):
        raise InputError(f"{name} must be a list, got {shorten(value)}", file=path, remedy="Export the labels again.")
    return value


def parse_pictures(
    content: Mapping[str, Any], path: str | Path, faults: Faults
) -> tuple[dict[int | str, Picture], dict[int | str, int | str]]:
    """Return the pictures by id, in the file's order, and the ids of those that are listed more than once, by id.

    An entry of the wrong type, or whose id is another one's, is left out.
    """
    found: dict[int | str, Picture] = {}
    repeated: dict[int | str, int | str] = {}
    names: dict[str, int | str] = {}
    for i, entry in enumerate(_list(content, "images", path)):
        where = f"image {i}"
        with faults.entry(where):
            key = parse_key(entry, "id", path, where)
            name = entry_name(entry.get("file_name") or entry.get("coco_url"), file=path, where=where)  # LVIS: coco_url
            if key in found or key in repeated:
                raise InputError(
                    f"{where}: the image id {shorten(key)} appears twice", file=path, remedy="Renumber the images."
                )
            size = None
            if entry.get("width") and entry.get("height"):
                said = [int(v) if isinstance(v, str) and v.isdecimal() and len(v) < 9 else v
                        for v in (entry["width"], entry["height"])]  # fmt: skip
                width, height = (
                    integer(v, k, file=path, where=where, low=1, high=1 << 24)
                    for v, k in zip(said, ("width", "height"), strict=True)
                )
                size = (width, height)
            if name in names:
                repeated[key] = names[name]
            else:
                found[key] = Picture(name, size)
                names[name] = key
            faults.good += 1
    return found, repeated


def parse_categories(content: Mapping[str, Any], path: str | Path) -> dict[int | str, str]:
    """Return the category names by id, in the file's order.

    Raises:
        InputError: for an entry of the wrong type or an id that appears twice.
    """
    found: dict[int | str, str] = {}
    for i, entry in enumerate(_list(content, "categories", path)):
        key = parse_key(entry, "id", path, f"category {i}")
        if key in found:
            raise InputError(f"category {i}: the id {shorten(key)} appears twice", file=path, remedy="Renumber it.")
        name = entry.get("name")
        found[key] = identifier(key if name is None else name, file=path, where=f"category {i}")
    return found


def parse_entries(
    annotations: Any,
    pictures: Mapping[int | str, Picture],
    path: str | Path,
    faults: Faults,
    *,
    repeated: Mapping[int | str, int | str] | None = None,
    kind: str = "annotation",
) -> tuple[dict[int | str, list[Entry]], list[str]]:
    """Return the annotations (or results) of every picture by its id, and warnings; bad ones are left out.

    Args:
        annotations: the list.
        pictures: by id.
        path: for messages.
        faults: receives what is left out.
        repeated: ids of pictures that are listed more than once, see :func:`parse_pictures`.
        kind: what an entry is called.
    """
    found: dict[int | str, list[Entry]] = {key: [] for key in pictures}
    known = {**found, **(repeated or {})}
    turned: list[str] = []
    for i, entry in enumerate(_list({"annotations": annotations}, "annotations", path)):
        where = f"{kind} {i}"
        with faults.entry(where):
            said = parse_key(entry, "image_id", path, where)
            key = matching_key(said, known)
            if key is None:
                raise InputError(
                    f"{where}: image_id {shorten(said)} is not among the images",
                    file=path,
                    remedy="Add the image or correct it.",
                )
            made, is_turned = _entry(entry, i, path, where)
            found[(repeated or {}).get(key, key)].append(made)
            turned += [where] * is_turned
    corners = [v for own in found.values() for entry in own for v in entry.xyxy]
    if corners and 0 < max(corners) <= 1 and not all(v.is_integer() for v in corners):
        raise InputError(
            "all boxes lie within 0 and 1, but COCO's are pixels", file=path,
            remedy="Multiply x and width by the picture's width, y and height by its height.",
        )  # fmt: skip
    warnings = []
    if turned:
        warnings.append(
            f"{path}: {len(turned)} rotated boxes became the upright boxes around them (first: {turned[0]})"
        )
    if repeated:
        warnings.append(f"{path}: {len(repeated)} pictures are listed more than once; their entries were put together")
    return found, warnings


def _entry(entry: Mapping[str, Any], index: int, path: str | Path, where: str) -> tuple[Entry, bool]:
    """An annotation, and whether its box was turned; one without a name is called by its place in the list."""
    box, is_turned = _box(entry, path, where)
    name = entry.get("object_id", entry.get("id", index))
    name = int(name) if type(name) is float and name.is_integer() else index if name is None else name
    score = entry.get("score")
    made = Entry(
        where=where,
        xyxy=box,
        object_id=identifier(name, file=path, where=where),
        category=parse_key(entry, "category_id", path, where) if entry.get("category_id") is not None else 0,
        score=1.0 if score is None else number(score, "score", file=path, where=where),
        ignore=_flag(entry, "iscrowd", path, where) or _flag(entry, "ignore", path, where),
        uncertain=_flag(entry, "identity_uncertain", path, where),
    )
    return made, is_turned


def _box(entry: Mapping[str, Any], path: str | Path, where: str) -> tuple[tuple[float, float, float, float], bool]:
    """The corners of an entry's box, and whether it was turned: CVAT writes a rotated box upright, and the angle as an
    attribute. Where there is only an outline (polygons, or a mask as run lengths), the box around it.
    """
    bbox, outline = entry.get("bbox"), entry.get("segmentation")
    if bbox in (None, []) and outline:
        return _around(outline, path, where), False
    if not isinstance(bbox, list) or len(bbox) != 4:
        raise InputError(f"{where}: bbox must be [x, y, width, height]", file=path, remedy="Correct this entry.")
    x, y, width, height = (number(v, "bbox", file=path, where=where) for v in bbox)
    attributes = entry.get("attributes")
    angle = attributes.get("rotation") if isinstance(attributes, dict) else None
    degrees = number(angle, "rotation", file=path, where=where) % 360 if angle is not None else 0.0
    if not degrees:
        return (x, y, x + width, y + height), False
    x1, y1, x2, y2 = bounds_of_rotated((x, y, x + width, y + height), degrees)
    return (x1, y1, x2, y2), True


def _around(outline: Any, path: str | Path, where: str) -> tuple[float, float, float, float]:
    if isinstance(outline, list):
        flat = [
            number(v, "segmentation", file=path, where=where)
            for part in outline
            if isinstance(part, list)
            for v in part
        ]
        if len(flat) >= 6 and len(flat) % 2 == 0:
            return min(flat[0::2]), min(flat[1::2]), max(flat[0::2]), max(flat[1::2])
    if isinstance(outline, dict):
        try:
            return _around_mask(outline["counts"], int(outline["size"][0]))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise InputError(
                f"{where}: the segmentation cannot be read ({error})", file=path, remedy="Export boxes, too."
            ) from error
    raise InputError(f"{where}: bbox must be [x, y, width, height]", file=path, remedy="Correct this entry.")


def _around_mask(counts: Any, height: int) -> tuple[float, float, float, float]:
    """The box around a mask given by run lengths down the columns, as numbers or as COCO's text.

    Source: https://github.com/cocodataset/cocoapi/blob/master/common/maskApi.c
    """
    ends = np.cumsum(_text_runs(counts) if isinstance(counts, str) else np.asarray(counts, np.int64))
    start, last = ends[:-1:2], ends[1::2] - 1
    start, last = start[last >= start], last[last >= start]
    if not len(start) or height < 1:
        raise ValueError("an empty mask")
    inside = start // height == last // height  # a run over several columns reaches from edge to edge
    top, bottom = np.where(inside, start % height, 0), np.where(inside, last % height, height - 1)
    return float(start[0] // height), float(top.min()), float(last[-1] // height + 1), float(bottom.max() + 1)


def _text_runs(text: str) -> npt.NDArray[np.int64]:
    """Decode run lengths: 5 bits a letter, the sixth says that more follow; from the fourth on differences to the one
    before the last.
    """
    runs: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            value -= (1 << shift) * bool(bits & 0x10)
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    return np.asarray(runs, np.int64)


def to_objects(
    entries: list[Entry], path: str | Path, size: Size | None, faults: Faults, **columns: Any
) -> tuple[Objects, list[str]]:
    """Make ``Objects`` of checked entries; see :func:`packed_scenes.data.checks.build_objects`."""
    return build_objects(
        [e.xyxy for e in entries],
        file=path,
        where=lambda row: entries[row].where,
        object_id=[e.object_id for e in entries],
        size=size,
        score=[e.score for e in entries],
        faults=faults,
        **columns,
    )
