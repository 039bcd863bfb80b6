"""COCO labels in and out. The category is the identity; boxes are ``[x, y, width, height]`` in pixels.

``iscrowd: 1`` or ``ignore: 1`` marks a region to ignore; ``identity_uncertain: 1`` an object that counts for detection
only. Two fields beyond the standard are written so that a round trip loses nothing: ``object_id`` (text) and
``identity_uncertain``. Source of the format: https://cocodataset.org/#format-data
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.checks import integer, is_safe, shorten
from packed_scenes.data.coco_parse import (
    Entry,
    Picture,
    matching_key,
    parse_categories,
    parse_entries,
    parse_key,
    parse_pictures,
    to_objects,
)
from packed_scenes.data.errors import InputError
from packed_scenes.data.faults import Faults
from packed_scenes.data.files import write_json
from packed_scenes.data.folders import IMAGE_SUFFIXES, list_files
from packed_scenes.data.hidden import HIDDEN
from packed_scenes.data.labelled import LabelledScene
from packed_scenes.data.naming import distinct, flat_names, match_names, same_name
from packed_scenes.data.objects import Objects
from packed_scenes.data.parsed_boxes import ParsedBoxes
from packed_scenes.data.text import parse_json, read_text

EXPORT = "Export the labels as COCO JSON (images, annotations, categories)."


def read_coco(path: str | Path, *, images: str | Path | None = None) -> list[LabelledScene]:
    """Read labelled scenes, in the order of the file's ``images``.

    Args:
        path: COCO JSON with ``images``, ``annotations`` and ``categories``.
        images: folder of the pictures; default: ``images`` beside the file if it is there, else the file's own folder.

    Raises:
        InputError: for anything that is not such a file, with the entry and what to do.
    """
    text = read_text(path, what="COCO")
    if text.strip() and text.lstrip()[0] not in "{[":
        raise InputError("is no JSON, and labels are read from COCO JSON here", file=path, remedy=EXPORT)
    content = parse_json(text, file=path)
    if not is_coco(content):
        raise InputError(
            "is no COCO label file (an object with images and annotations is expected)", file=path, remedy=EXPORT
        )
    folder = Path(path).parent if images is None else Path(images)
    if not folder.is_dir():
        raise InputError(
            "is no folder, and the pictures are looked for in it", file=folder, remedy="Name their folder."
        )
    if images is None and (folder / "images").is_dir():
        folder = folder / "images"
    faults = Faults(path)
    pictures, repeated = parse_pictures(content, path, faults)
    categories = parse_categories(content, path)
    index = {key: i for i, key in enumerate(categories)}
    faults.check()
    faults.good = 0
    entries, warnings = parse_entries(content.get("annotations"), pictures, path, faults, repeated=repeated)
    files = locate([p.file_name for p in pictures.values()], folder)
    names = flat_names([PurePosixPath(p.file_name.lstrip("/")).with_suffix("").as_posix() for p in pictures.values()])
    scenes = []
    for (key, picture), name, file in zip(pictures.items(), names, files, strict=True):
        own, classes = [], []
        for entry in [e for e in entries[key] if not e.ignore]:
            with faults.entry(entry.where):
                category = matching_key(entry.category, index)
                if category is None:
                    raise InputError(
                        f"{entry.where}: category_id {shorten(entry.category)} is not among the categories",
                        file=path,
                        remedy="Add the category or correct the id.",
                    )
                own.append(entry)
                classes.append(index[category])
        uncertain = {e.where for e in own if e.uncertain}
        truth, problems = to_objects(own, path, picture.size, faults, cluster=classes, class_id=np.arange(len(own)))
        kept = truth.class_id.tolist()
        truth = truth.replace(class_id=truth.cluster)
        ignore, more = to_objects([e for e in entries[key] if e.ignore], path, picture.size, faults)
        scenes.append(
            LabelledScene(
                image=file,
                name=name,
                truth=truth,
                size=picture.size,
                ignore=ignore.xyxy,
                identity_uncertain=np.array([own[row].where in uncertain for row in kept], np.bool_),
                categories=tuple(categories.values()),
                warnings=(*problems, *more),
            )
        )
    faults.check()
    if scenes:  # what holds for the file is said with its first scene
        first = (*faults.warnings(), *warnings, *scenes[0].warnings)
        scenes[0] = replace(scenes[0], warnings=first)
    return scenes


def locate(names: Sequence[str], folder: Path) -> list[Path]:
    """Find the pictures that a label file names: below the folder as named, else by the longest matching end.

    A name that leads out of the folder is only ever matched; one that nothing matches stays the folder's.
    """
    safe = [is_safe(name) for name in names]
    files = [folder / name if ok else folder / PurePosixPath(name).name for name, ok in zip(names, safe, strict=True)]
    lost = [row for row, file in enumerate(files) if not safe[row] or not _is_file(file)]
    if not lost or not folder.is_dir():
        return files
    taken = set(files) - {files[row] for row in lost}
    there = [p for p in list_files(folder, IMAGE_SUFFIXES) if p not in taken]
    matched = match_names([str(p) for p in there], [names[row] for row in lost])
    for row, at in matched.entry.items():
        files[lost[at]] = there[row]
    return files


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def is_coco(content: Any) -> bool:
    """Tell whether parsed JSON looks like a COCO label file (one of pictures without objects may lack annotations)."""
    return (
        isinstance(content, dict)
        and isinstance(content.get("images"), list)
        and ("annotations" in content or "categories" in content)
    )


def is_coco_results(content: Any) -> bool:
    """Tell whether parsed JSON looks like a list of COCO results (``image_id``, ``bbox``, ``score``)."""
    return isinstance(content, list) and bool(content) and isinstance(content[0], dict) and "bbox" in content[0]


def coco_boxes(content: Any, path: str | Path) -> ParsedBoxes:
    """Take the boxes alone from parsed COCO labels or results, by picture; regions to ignore are left out.

    Results name their pictures by ``image_id`` (or ``file_name``). ``class_id`` is the category id; ids that
    are texts are numbered in alphabetical order.

    Raises:
        InputError: as :func:`read_coco`.
    """
    faults = Faults(path)
    repeated: dict[int | str, int | str] = {}
    if isinstance(content, dict):
        pictures, repeated = parse_pictures(content, path, faults)
        faults.check()
        faults.good = 0
        entries, warnings = parse_entries(content.get("annotations"), pictures, path, faults, repeated=repeated)
    else:
        pictures = {}
        for i, result in enumerate(content):
            with faults.entry(f"result {i}"):
                key = parse_key(result, "image_id", path, f"result {i}")
                name = result.get("file_name")  # ultralytics writes it beside a number of its own
                pictures[key] = Picture(name.strip() if isinstance(name, str) and name.strip() else str(key), None)
        faults = Faults(path)
        entries, warnings = parse_entries(content, pictures, path, faults, kind="result")
    names = _texts(entries)
    numbers = {name: i for i, name in enumerate(names)}
    found = ParsedBoxes(warnings=warnings, names=names)
    for key, picture in pictures.items():
        own, classes = [], []
        for entry in [e for e in entries[key] if not e.ignore]:
            with faults.entry(entry.where):
                number = numbers[str(entry.category)] if names else int(entry.category)
                classes.append(integer(number, "category_id", file=path, where=entry.where))
                own.append(entry)
        faults.good += any(e.ignore for e in entries[key])
        found.scenes[picture.file_name], more = to_objects(own, path, None, faults, class_id=classes)
        found.warnings += more
        if picture.size is not None:
            found.sizes[picture.file_name] = picture.size
    faults.check()
    found.warnings = [*faults.warnings(), *found.warnings]
    return found


def _texts(entries: Mapping[int | str, Sequence[Entry]]) -> tuple[str, ...]:
    """The category ids in order as texts, if one of them is no number."""
    ids = {str(entry.category) for own in entries.values() for entry in own}
    numbers = all(key.removeprefix("-").isdecimal() and len(key) < 19 for key in ids)
    return () if numbers else tuple(sorted(ids))


def to_coco(scenes: Sequence[LabelledScene]) -> dict[str, Any]:
    """Make the COCO structure of labelled (or clustered) scenes; noise (-1) gets the category ``noise``.

    Raises:
        InputError: if the scenes disagree on their categories.
    """
    if len({s.categories for s in scenes}) > 1:
        raise InputError("scenes with different categories cannot share a COCO file", remedy="Write one file for each.")
    names = list(scenes[0].categories) if scenes else []
    clusters = [_clusters(s.truth) for s in scenes]
    highest = max((int(c.max()) for c in clusters if len(c)), default=-1)
    names += [str(i) for i in range(len(names), highest + 1)]
    categories = [{"id": i + 1, "name": name} for i, name in enumerate(names)]
    if any((c < 0).any() for c in clusters):
        categories.append({"id": len(names) + 1, "name": "noise"})
    files = distinct_files([s.image for s in scenes])
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, (scene, file_name, cluster) in enumerate(zip(scenes, files, clusters, strict=True), 1):
        size = {} if scene.size is None else {"width": scene.size[0], "height": scene.size[1]}
        images.append({"id": image_id, "file_name": file_name, **size})
        category = np.where(cluster >= 0, cluster + 1, len(names) + 1)
        for found in _annotations(scene, category):
            annotations.append({"id": len(annotations) + 1, "image_id": image_id} | found)
    if not categories and annotations:
        categories = [{"id": 1, "name": "object"}]
    return {"images": images, "annotations": annotations, "categories": categories}


def write_coco(path: str | Path, scenes: Sequence[LabelledScene]) -> None:
    """Write labelled (or clustered) scenes as COCO JSON, whole or not at all; see :func:`to_coco`."""
    write_json(path, to_coco(scenes))


def _annotations(scene: LabelledScene, category: npt.NDArray[np.int64]) -> Iterator[dict[str, Any]]:
    """The objects of a scene, and what is to be ignored as a crowd of the first category."""
    assert scene.identity_uncertain is not None  # set by LabelledScene
    for row in range(len(scene.truth)):
        yield _box(scene.truth.xyxy[row]) | {
            "category_id": int(category[row]),
            "iscrowd": 0,
            "identity_uncertain": int(scene.identity_uncertain[row]),
            "object_id": str(scene.truth.object_id[row]),
            "score": round(float(scene.truth.score[row]), 6),
        }
    for box in scene.ignore:
        yield _box(box) | {"category_id": 1, "iscrowd": 1, "ignore": 1}


def _box(box: Any) -> dict[str, Any]:
    x1, y1, x2, y2 = (round(float(v), 3) for v in box)
    width, height = round(x2 - x1, 3), round(y2 - y1, 3)
    return {"bbox": [x1, y1, width, height], "area": round(width * height, 3)}


def _clusters(objects: Objects) -> npt.NDArray[np.int64]:
    return np.zeros(len(objects), np.int64) if objects.cluster is None else objects.cluster


def distinct_files(pictures: Sequence[Path]) -> list[str]:
    """The path of each picture below the folder that holds all; without one, its name with folders that tell all apart.

    Hidden characters become ``_``: not every form can hold them, and names are compared so
    (:func:`packed_scenes.data.naming.path_parts`).
    """
    shown = [Path(HIDDEN.sub("_", str(p))) for p in pictures]
    if all(p.is_absolute() for p in shown) and len(shown) > 1:
        root = Path(os.path.commonpath([p.parent for p in shown]))
        names = [p.relative_to(root).as_posix() for p in shown]
        if root != Path(root.anchor) and len(set(map(same_name, names))) == len(names):
            return names
    pictures = shown
    deepest = max((len(p.parts) for p in pictures), default=1)
    for depth in range(1, deepest + 1):
        names = ["/".join(p.parts[-depth:]) for p in pictures]
        if len(set(map(same_name, names))) == len(names):
            return [name.lstrip("/") for name in names]
    return distinct([p.name for p in pictures])
