"""Label Studio tasks in and out, as plain JSON: exports as "JSON" (tasks with annotations) or "JSON-MIN".

Read are rectangles (with their labels, or with labels apart as ``<Rectangle>`` and ``<Labels>`` give them), turned
ones, ellipses and polygons as the box around them. Passed over: skipped annotations, and regions of other kinds
(points, brushes), which are counted. Sources: https://labelstud.io/guide/task_format, .../predictions
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from packed_scenes.data.checks import Size, build_objects, identifier, number, shorten
from packed_scenes.data.errors import InputError
from packed_scenes.data.faults import Faults
from packed_scenes.data.objects import NOISE, Objects
from packed_scenes.data.parsed_boxes import ParsedBoxes, bounds_of_rotated

_log = logging.getLogger(__name__)

_REMEDY = "Export as JSON."
_SHAPES = ("rectangle", "ellipse", "polygon")
_PICTURE = re.compile(r"\.(jpe?g|png|webp|bmp|tiff?|gif|heic|heif|avif|jfif)(\?|$)", re.IGNORECASE)


@dataclass
class _Task:
    """One picture's regions."""

    image: str
    objects: Objects
    labels: list[str]
    size: Size | None
    notes: list[str] = field(default_factory=list)


def to_label_studio(
    image: str, objects: Objects, *, size: Size, labels: Sequence[str] | None = None, model: str = "packed-scenes"
) -> dict[str, Any]:
    """Return one Label Studio task with the objects as a prediction, for a person to correct.

    The labelling interface needs ``<Image name="image" value="$image"/>`` and ``<RectangleLabels name="label"
    toName="image">``. Boxes are in percent. Source: https://labelstud.io/guide/predictions

    Args:
        image: address of the picture as Label Studio sees it.
        objects: its objects.
        size: (width, height) of the picture.
        labels: label per object; default: the cluster as text (``noise`` for -1), or ``object`` before clustering.
        model: shown as the model's version.
    """
    percent = objects.xyxy.astype(np.float64) / np.array([*size, *size], np.float64) * 100
    names = cluster_names(objects) if labels is None else list(labels)
    result = [
        {
            "id": str(objects.object_id[row]),
            "type": "rectanglelabels",
            "from_name": "label",
            "to_name": "image",
            "original_width": size[0],
            "original_height": size[1],
            "image_rotation": 0,
            "score": float(objects.score[row]),
            "value": {
                "x": x1,
                "y": y1,
                "width": x2 - x1,
                "height": y2 - y1,
                "rotation": 0,
                "rectanglelabels": [names[row]],
            },
        }
        for row, (x1, y1, x2, y2) in enumerate(percent.tolist())
    ]
    score = float(objects.score.mean()) if len(objects) else 0.0
    return {"data": {"image": image}, "predictions": [{"model_version": model, "score": score, "result": result}]}


def cluster_names(objects: Objects) -> list[str]:
    """The cluster of each object as text, ``noise`` for -1; ``object`` before clustering."""
    if objects.cluster is None:
        return ["object"] * len(objects)
    return [str(c) if c >= 0 else "noise" for c in objects.cluster.tolist()]


def is_label_studio(content: Any) -> bool:
    """Tell whether parsed JSON looks like exported tasks (or like one)."""
    first = content[0] if isinstance(content, list) and content else content
    if not isinstance(first, dict) or "bbox" in first:
        return False
    if isinstance(first.get("data"), dict):
        return any(isinstance(first.get(key), list) for key in ("annotations", "predictions", "completions"))
    return any(isinstance(v, list) and v and _is_value(v[0]) for v in first.values()) or "annotator" in first


def from_label_studio(tasks: Any, *, file: str | Path = "Label Studio tasks") -> dict[str, tuple[Objects, list[str]]]:
    """Return (objects, labels) by picture address from exported tasks; a person's annotation goes before a prediction.

    ``cluster`` is the index of the label among all labels of the tasks, sorted, and -1 for ``noise``.

    Raises:
        InputError: for a structure that is no Label Studio export, or if no region of it is good; single bad tasks and
            regions are left out, which the log says.
    """
    read, warnings = _read(tasks, file)
    for line in warnings:
        _log.warning(line)
    names = sorted({label for task in read for label in task.labels} - {"noise"})
    index = {name: i for i, name in enumerate(names)} | {"noise": NOISE}
    return {
        task.image: (task.objects.replace(cluster=np.array([index[x] for x in task.labels], np.int64)), task.labels)
        for task in read
    }


def label_studio_boxes(tasks: Any, file: str | Path) -> ParsedBoxes:
    """Return the boxes of exported tasks by picture, with the pictures' sizes; the class is the label.

    Raises:
        InputError: as :func:`from_label_studio`.
    """
    read, warnings = _read(tasks, file)
    names = tuple(sorted({label for task in read for label in task.labels}))
    index = {name: i for i, name in enumerate(names)}
    scenes = {t.image: t.objects.replace(class_id=np.array([index[x] for x in t.labels], np.int64)) for t in read}
    return ParsedBoxes(scenes, {t.image: t.size for t in read if t.size is not None}, warnings, names)


def _read(tasks: Any, file: str | Path) -> tuple[list[_Task], list[str]]:
    tasks = [tasks] if isinstance(tasks, dict) else tasks
    if not isinstance(tasks, list):
        raise InputError("Label Studio tasks must be a list", file=file, remedy=_REMEDY)
    faults = Faults(file)
    read: dict[str, _Task] = {}
    notes: list[str] = []
    for i, task in enumerate(tasks):
        where, before = f"task {i}", faults.count
        with faults.entry(where):
            for found in _task(task, where, file, faults):
                if found.image in read:
                    raise InputError(f"{where}: the picture {shorten(found.image)} appears twice", file=file,
                                     remedy="Export each task once.")  # fmt: skip
                read[found.image] = found
                notes += [f"{file}: {where}: {note}" for note in found.notes]
            faults.good += faults.count == before  # a picture without objects is an answer
    faults.check()
    return list(read.values()), [*faults.warnings(), *notes]


def _task(task: Any, where: str, file: str | Path, faults: Faults) -> list[_Task]:
    """The pictures of a task: one, or as many as its regions point at."""
    if not isinstance(task, dict):
        raise InputError(f"{where}: is no task", file=file, remedy=_REMEDY)
    if isinstance(task.get("data"), dict) and task["data"]:
        regions, notes = _chosen(task, where, file)
        pointed = list(dict.fromkeys(str(r.get("to_name")) for r in regions))
        shown = [name for name in pointed if isinstance(task["data"].get(name), str) and task["data"][name]]
        if len(shown) > 1:
            parts = [(task["data"][n], [r for r in regions if str(r.get("to_name")) == n]) for n in shown]
            return [_regions(image, own, where, file, faults, notes) for image, own in parts]
        image = _picture(task["data"], regions)
    else:
        regions, notes = _of_min(task), []
        image = _picture({k: v for k, v in task.items() if isinstance(v, str)}, [])
    if not isinstance(image, str) or not image:
        raise InputError(f"{where}: has no data that names a picture", file=file, remedy=_REMEDY)
    return [_regions(image, regions, where, file, faults, notes)]


def _regions(
    image: str, regions: Sequence[Mapping[str, Any]], where: str, file: str | Path, faults: Faults, notes: Sequence[str]
) -> _Task:
    """The boxes among the regions of one picture."""
    notes = list(notes)
    labels_apart = {
        r.get("id"): label for r in regions if r.get("type") == "labels" and (label := _label(r.get("value")))
    }
    boxes, ids, labels, scores, places = [], [], [], [], []
    others: dict[str, int] = {}
    size: Size | None = None
    for i, region in enumerate(regions):
        at = f"{where}, region {i}"
        kind = str(region.get("type", ""))
        value = region.get("value")
        if kind in ("labels", "choices", "textarea", "relation", "rating", "number", "taxonomy"):
            continue  # said about a region or the whole picture
        if kind.removesuffix("labels") not in _SHAPES or not isinstance(value, Mapping):
            others[kind or "unknown"] = others.get(kind or "unknown", 0) + 1
            continue
        if region.get("image_rotation"):
            raise InputError(
                f"{where}: the picture was turned by {region['image_rotation']} degrees in the editor", file=file,
                remedy="Turn the picture itself, or label it as it is.",
            )  # fmt: skip
        with faults.entry(at):
            sides = [number(region.get(k), k, file=file, where=at) for k in ("original_width", "original_height")]
            size = (max(int(sides[0]), 1), max(int(sides[1]), 1))
            box = _around(value, kind, sides, file, at)
            label = identifier(_label(value) or labels_apart.get(region.get("id")) or "object", file=file, where=at)
            score = 1.0 if region.get("score") is None else number(region["score"], "score", file=file, where=at)
            ids.append(identifier(region.get("id", str(i)), file=file, where=at))
            boxes.append(box)
            labels.append(label)
            scores.append(score)
            places.append(at)
    notes += [f"{n} regions of the kind {kind!r} are no boxes, they were left out" for kind, n in others.items()]
    objects, more = build_objects(
        boxes, file=file, where=lambda row: places[row], object_id=ids, size=size, score=scores, faults=faults,
        class_id=np.arange(len(boxes)),
    )  # fmt: skip
    kept = objects.class_id.tolist()
    notes += [line.removeprefix(f"{file}: ") for line in more]
    return _Task(image, objects.replace(class_id=np.zeros(len(kept), np.int64)), [labels[k] for k in kept], size, notes)


def _chosen(task: Mapping[str, Any], where: str, file: str | Path) -> tuple[list[dict[str, Any]], list[str]]:
    """The regions of the annotation that counts: the first that was not skipped, a ground truth before others, else the
    first prediction.
    """
    people = [
        a
        for key in ("annotations", "completions")  # completions: exports before version 1.0
        for a in task.get(key) or []
        if isinstance(a, dict) and not (a.get("was_cancelled") or a.get("skipped"))
    ]
    models = [p for p in task.get("predictions") or [] if isinstance(p, dict)]
    people.sort(key=lambda a: not a.get("ground_truth"))
    sources = people or models
    regions = sources[0].get("result") if sources else []
    if not isinstance(regions, list):
        raise InputError(f"{where}: has no result", file=file, remedy=_REMEDY)
    notes = [f"has {len(people)} annotations, the first is used"] if len(people) > 1 else []
    return [r for r in regions if isinstance(r, dict)], notes


def _of_min(task: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The regions of a task of JSON-MIN, where the values of a control tag stand in a list."""
    values = [v for given in task.values() if isinstance(given, list) for v in given if isinstance(v, Mapping)]
    kinds = [next((k for k in v if k.removesuffix("labels") in _SHAPES), "") for v in values]
    kinds = [k or ("rectangle" if _is_value(v) else "") for k, v in zip(kinds, values, strict=True)]
    return [{**v, "type": kind, "value": v} for kind, v in zip(kinds, values, strict=True)]


def _is_value(value: Any) -> bool:
    return isinstance(value, Mapping) and {"x", "y", "width", "height"} <= set(value)


def _picture(data: Mapping[str, Any], regions: Sequence[Mapping[str, Any]]) -> Any:
    """The field of a task's data that a region points at, that is called image, or that ends like a picture's name."""
    pointed = [data.get(str(r.get("to_name"))) for r in regions]
    texts = [v for v in data.values() if isinstance(v, str)]
    pictures = [v for v in texts if _PICTURE.search(v)]
    candidates = [*pointed, data.get("image"), *pictures, *texts]
    return next((v for v in candidates if isinstance(v, str) and v), None)


def _label(value: Any) -> str | None:
    """The first label of a region's value, whatever its control tag is called."""
    if not isinstance(value, Mapping):
        return None
    lists = [v for k, v in value.items() if k.endswith("labels") and isinstance(v, list) and v]
    return lists[0][0] if lists and isinstance(lists[0][0], str) else None


def _around(value: Mapping[str, Any], kind: str, sides: Sequence[float], file: str | Path, at: str) -> list[float]:
    """The upright box in pixels around a region; Label Studio gives percents, and turns about the upper left corner."""
    width, height = sides

    def get(name: str) -> float:
        return number(value.get(name), name, file=file, where=at) / 100

    if kind.startswith("polygon"):
        points = value.get("points")
        if not isinstance(points, list) or len(points) < 3 or not all(isinstance(p, list) for p in points):
            raise InputError(f"{at}: a polygon needs three points", file=file, remedy="Draw it again.")
        xs, ys = ([number(p[k], "points", file=file, where=at) for p in points if len(p) == 2] for k in (0, 1))
        return [min(xs) * width / 100, min(ys) * height / 100, max(xs) * width / 100, max(ys) * height / 100]
    turned = number(value.get("rotation") or 0, "rotation", file=file, where=at)
    if kind.startswith("ellipse"):
        x, y, a, b = get("x") * width, get("y") * height, get("radiusX") * width, get("radiusY") * height
        angle = np.deg2rad(turned)
        across, down = np.hypot(a * np.cos(angle), b * np.sin(angle)), np.hypot(a * np.sin(angle), b * np.cos(angle))
        return [float(x - across), float(y - down), float(x + across), float(y + down)]
    x, y, w, h = get("x"), get("y"), get("width"), get("height")
    box = [x * width, y * height, (x + w) * width, (y + h) * height]
    return bounds_of_rotated(box, turned, about=(box[0], box[1])) if turned % 360 else box
