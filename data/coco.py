"""COCO labels in and out. The category is the identity; boxes are ``[x, y, width, height]`` in pixels.

``iscrowd: 1`` or ``ignore: 1`` marks a region to ignore; ``identity_uncertain: 1`` an object that counts for detection
only. Two fields beyond the standard are written so that a round trip loses nothing: ``object_id`` (text) and
``identity_uncertain``. Source of the format: https://cocodataset.org/#format-data
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from packed_scenes.data.checks import integer, parse_json, read_text, shorten
from packed_scenes.data.coco_parse import (
    Picture,
    parse_categories,
    parse_entries,
    parse_key,
    parse_pictures,
    to_objects,
)
from packed_scenes.data.errors import InputError
from packed_scenes.data.files import write_json
from packed_scenes.data.labelled import LabelledScene
from packed_scenes.data.objects import Objects


def read_coco(path: str | Path, *, images: str | Path | None = None) -> list[LabelledScene]:
    """Read labelled scenes, in the order of the file's ``images``.

    Args:
        path: COCO JSON with ``images``, ``annotations`` and ``categories``.
        images: folder of the pictures; default: ``images`` beside the file if it is there, else the file's own folder.

    Raises:
        InputError: for anything that is not such a file, with the entry and what to do.
    """
    content = parse_json(read_text(path, what="COCO"), file=path)
    if not is_coco(content):
        raise InputError(
            "is no COCO label file (an object with images and annotations is expected)",
            file=path,
            remedy="Export the labels as COCO JSON.",
        )
    folder = Path(path).parent if images is None else Path(images)
    if images is None and (folder / "images").is_dir():
        folder = folder / "images"
    pictures = parse_pictures(content, path)
    categories = parse_categories(content, path)
    index = {key: i for i, key in enumerate(categories)}
    entries = parse_entries(content.get("annotations", []), pictures, path)
    names = _scene_names([p.file_name for p in pictures.values()])
    scenes = []
    for (key, picture), name in zip(pictures.items(), names, strict=True):
        own = [e for e in entries[key] if not e.ignore]
        crowd = [e for e in entries[key] if e.ignore]
        for entry in own:
            if entry.category not in index:
                raise InputError(
                    f"{entry.where}: category_id {shorten(entry.category)} is not among the categories",
                    file=path,
                    remedy="Add the category or correct the id.",
                )
        truth, warnings = to_objects(own, path, picture.size, cluster=[index[e.category] for e in own])
        ignore, more = to_objects(crowd, path, picture.size)
        scenes.append(
            LabelledScene(
                image=folder / picture.file_name,
                name=name,
                truth=truth,
                size=picture.size,
                ignore=ignore.xyxy,
                identity_uncertain=np.array([e.uncertain for e in own], np.bool_),
                categories=tuple(categories.values()),
                warnings=(*warnings, *more),
            )
        )
    return scenes


def is_coco(content: Any) -> bool:
    """Tell whether parsed JSON looks like a COCO label file."""
    return isinstance(content, dict) and isinstance(content.get("images"), list) and "annotations" in content


def is_coco_results(content: Any) -> bool:
    """Tell whether parsed JSON looks like a list of COCO results (``image_id``, ``bbox``, ``score``)."""
    return isinstance(content, list) and bool(content) and isinstance(content[0], dict) and "bbox" in content[0]


def coco_boxes(content: Any, path: str | Path) -> tuple[dict[str, Objects], list[str]]:
    """Take the boxes alone from parsed COCO labels or results, by picture; regions to ignore are left out.

    Results name their pictures by ``image_id`` only, which then is the key. ``class_id`` is the category id.

    Raises:
        InputError: as :func:`read_coco`.
    """
    if isinstance(content, dict):
        pictures = parse_pictures(content, path)
        entries = parse_entries(content["annotations"], pictures, path)
    else:
        keys = dict.fromkeys(parse_key(e, "image_id", path, f"result {i}") for i, e in enumerate(content))
        pictures = {key: Picture(str(key), None) for key in keys}
        entries = parse_entries(content, pictures, path, kind="result")
    scenes: dict[str, Objects] = {}
    warnings: list[str] = []
    for key, picture in pictures.items():
        own = [e for e in entries[key] if not e.ignore]
        classes = [integer(e.category, "category_id", file=path, where=e.where) for e in own]
        scenes[picture.file_name], more = to_objects(own, path, picture.size, class_id=classes)
        warnings += more
    return scenes, warnings


def to_coco(scenes: Sequence[LabelledScene]) -> dict[str, Any]:
    """Make the COCO structure of labelled (or clustered) scenes; noise (-1) gets the category ``noise``.

    Raises:
        InputError: if the scenes disagree on their categories, or two have the same picture name.
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
    files = _file_names(scenes)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, (scene, file_name, cluster) in enumerate(zip(scenes, files, clusters, strict=True), 1):
        size = {} if scene.size is None else {"width": scene.size[0], "height": scene.size[1]}
        images.append({"id": image_id, "file_name": file_name, **size})
        assert scene.identity_uncertain is not None  # set by LabelledScene
        for row in range(len(scene.truth)):
            annotations.append(
                _annotation(len(annotations) + 1, image_id, scene.truth.xyxy[row])
                | {
                    "category_id": int(cluster[row]) + 1 if cluster[row] >= 0 else len(names) + 1,
                    "iscrowd": 0,
                    "identity_uncertain": int(scene.identity_uncertain[row]),
                    "object_id": str(scene.truth.object_id[row]),
                    "score": round(float(scene.truth.score[row]), 6),
                }
            )
        for box in scene.ignore:
            first = categories[0]["id"] if categories else 1
            annotations.append(
                _annotation(len(annotations) + 1, image_id, box) | {"category_id": first, "iscrowd": 1, "ignore": 1}
            )
    if not categories and annotations:
        categories = [{"id": 1, "name": "object"}]
    return {"images": images, "annotations": annotations, "categories": categories}


def write_coco(path: str | Path, scenes: Sequence[LabelledScene]) -> None:
    """Write labelled (or clustered) scenes as COCO JSON, whole or not at all; see :func:`to_coco`."""
    write_json(path, to_coco(scenes))


def write_coco_results(path: str | Path, objects: Mapping[int, Objects], *, category_id: int | None = None) -> None:
    """Write detections as a COCO results list, for a COCO scorer.

    Args:
        path: target file.
        objects: detections by ``image_id``.
        category_id: one category for all; default: each object's ``class_id``.
    """
    write_json(
        path,
        [
            {
                "image_id": int(image_id),
                "category_id": int(found.class_id[row]) if category_id is None else category_id,
                "bbox": _annotation(0, 0, found.xyxy[row])["bbox"],
                "score": round(float(found.score[row]), 6),
            }
            for image_id, found in objects.items()
            for row in range(len(found))
        ],
    )


def _annotation(key: int, image_id: int, box: Any) -> dict[str, Any]:
    x1, y1, x2, y2 = (round(float(v), 3) for v in box)
    width, height = round(x2 - x1, 3), round(y2 - y1, 3)
    return {"id": key, "image_id": image_id, "bbox": [x1, y1, width, height], "area": round(width * height, 3)}


def _clusters(objects: Objects) -> Any:
    return np.zeros(len(objects), np.int64) if objects.cluster is None else objects.cluster


def _file_names(scenes: Sequence[LabelledScene]) -> list[str]:
    names = [s.image.name for s in scenes]
    if len(set(names)) != len(names):
        twice = Counter(names).most_common(1)[0][0]
        raise InputError(f"two scenes have the picture name {shorten(twice)}", remedy="Rename one of the pictures.")
    return names


def _scene_names(files: list[str]) -> list[str]:
    stems = [PurePosixPath(f).stem for f in files]
    shared = {s for s, times in Counter(stems).items() if times > 1}
    return [f.replace("/", "__") if s in shared else s for f, s in zip(files, stems, strict=True)]
