"""The parts of a COCO file, checked one by one: pictures, categories, annotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packed_scenes.data.checks import Size, build_objects, identifier, integer, number, safe_name, shorten
from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import Objects


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
    """Return an id that may be a number or text."""
    value = entry.get(name) if isinstance(entry, dict) else None
    if type(value) is int or (isinstance(value, str) and 0 < len(value) <= 1000):
        return value
    raise InputError(f"{where}: {name} must be a number or text, got {shorten(value)}", file=path, remedy="Correct it.")


def _flag(entry: Mapping[str, Any], name: str, path: str | Path, where: str) -> bool:
    value = entry.get(name, 0)
    if value not in (0, 1) or isinstance(value, float):
        raise InputError(
            f"{where}: {name} must be 0 or 1, got {shorten(value)}", file=path, remedy="Correct this entry."
        )
    return bool(value)


def _list(content: Mapping[str, Any], name: str, path: str | Path) -> list[Any]:
    value = content.get(name)
    if not isinstance(value, list):
        raise InputError(f"{name} must be a list, got {shorten(value)}", file=path, remedy="Export the labels again.")
    return value


def parse_pictures(content: Mapping[str, Any], path: str | Path) -> dict[int | str, Picture]:
    """Return the pictures by id, in the file's order.

    Raises:
        InputError: for an entry of the wrong type, an unsafe name, or an id or name that appears twice.
    """
    found: dict[int | str, Picture] = {}
    for i, entry in enumerate(_list(content, "images", path)):
        where = f"image {i}"
        key = parse_key(entry, "id", path, where)
        if key in found:
            raise InputError(
                f"{where}: the image id {shorten(key)} appears twice", file=path, remedy="Renumber the images."
            )
        size = None
        if entry.get("width") is not None and entry.get("height") is not None:
            width, height = (
                integer(entry[k], k, file=path, where=where, low=1, high=1 << 24) for k in ("width", "height")
            )
            size = (width, height)
        found[key] = Picture(safe_name(entry.get("file_name"), file=path, where=where), size)
    names = Counter(p.file_name for p in found.values())
    if len(names) != len(found):
        name = names.most_common(1)[0][0]
        raise InputError(f"the picture {shorten(name)} appears twice", file=path, remedy="List every picture once.")
    return found


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
        found[key] = identifier(entry.get("name", key), file=path, where=f"category {i}")
    return found


def parse_entries(
    annotations: Any, pictures: Mapping[int | str, Picture], path: str | Path, *, kind: str = "annotation"
) -> dict[int | str, list[Entry]]:
    """Return the annotations (or results) of every picture by its id.

    Raises:
        InputError: for an entry of the wrong type or one whose picture is not known.
    """
    found: dict[int | str, list[Entry]] = {key: [] for key in pictures}
    for i, entry in enumerate(_list({"annotations": annotations}, "annotations", path)):
        where = f"{kind} {i}"
        key = parse_key(entry, "image_id", path, where)
        if key not in found:
            raise InputError(
                f"{where}: image_id {shorten(key)} is not among the images",
                file=path,
                remedy="Add the image or correct it.",
            )
        bbox = entry.get("bbox")
        if not isinstance(bbox, list) or len(bbox) != 4:
            raise InputError(f"{where}: bbox must be [x, y, width, height]", file=path, remedy="Correct this entry.")
        x, y, width, height = (number(v, "bbox", file=path, where=where) for v in bbox)
        name = entry.get("object_id", entry.get("id", i))
        found[key].append(
            Entry(
                where=where,
                xyxy=(x, y, x + width, y + height),
                object_id=identifier(name, file=path, where=where),
                category=parse_key(entry, "category_id", path, where) if "category_id" in entry else 0,
                score=number(entry.get("score", 1), "score", file=path, where=where),
                ignore=_flag(entry, "iscrowd", path, where) or _flag(entry, "ignore", path, where),
                uncertain=_flag(entry, "identity_uncertain", path, where),
            )
        )
    return found


def to_objects(entries: list[Entry], path: str | Path, size: Size | None, **columns: Any) -> tuple[Objects, list[str]]:
    """Make ``Objects`` of checked entries; see :func:`packed_scenes.data.checks.build_objects`."""
    return build_objects(
        [e.xyxy for e in entries],
        file=path,
        where=lambda row: entries[row].where,
        object_id=[e.object_id for e in entries],
        size=size,
        score=[e.score for e in entries],
        **columns,
    )
