"""What was asked: the pictures of files, folders, URLs and arrays, the name of each, and the boxes given for them."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from packed_scenes.data.errors import InputError
from packed_scenes.data.folders import list_images
from packed_scenes.data.objects import Objects
from packed_scenes.data.scene import Scene
from packed_scenes.pictures import Picture, Source

if TYPE_CHECKING:
    from packed_scenes.data.boxes import BoxFile

    GivenBoxes = str | Path | Objects | Mapping[str, Objects] | BoxFile

RESERVED = frozenset({"clusters.png", "objects.parquet", "run.json", "errors.csv"})  # files beside the scenes' folders
MAX_NAME = 80  # file systems allow 255 bytes; scene names get suffixes and four bytes a letter at worst


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


def given_boxes(boxes: GivenBoxes | None, found: Sequence[Source]) -> BoxFile | None:
    """Bring given boxes into one form.

    Args:
        boxes: a box file's path, a read one, boxes by picture name, or those of the only picture. YOLO boxes are
            fractions, so they need a single picture, whose size is known.
        found: the pictures.

    Raises:
        InputError: if the boxes cannot be read, or name no picture where there are several.
    """
    from packed_scenes.data.boxes import BoxFile, read_boxes
    from packed_scenes.data.images import image_size

    if boxes is None:
        return None
    if isinstance(boxes, str | Path):
        only = found[0].path if len(found) == 1 else None
        boxes = read_boxes(boxes, size=None if only is None else image_size(only))
    if isinstance(boxes, Objects):
        boxes = {"": boxes}
    given = boxes if isinstance(boxes, BoxFile) else BoxFile(Path("boxes"), dict(boxes))
    if set(given.scenes) == {""} and len(found) != 1:
        raise InputError(
            f"these boxes name no picture, but there are {len(found)} pictures",
            remedy="Give one picture, or a box file that names each picture (COCO, or CSV with an image column).",
        )
    return given


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
