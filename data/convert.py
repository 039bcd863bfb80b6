"""Objects to and from the types of other tools, at the edge: supervision, FiftyOne and Label Studio.

None of them is needed for anything else here; each is imported when it is asked for. Label Studio takes and gives plain
JSON, so it need not be installed at all.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from packed_scenes.data.checks import Size, build_objects, identifier, number, shorten
from packed_scenes.data.errors import InputError
from packed_scenes.data.extras import remedy
from packed_scenes.data.objects import NOISE, Objects

if TYPE_CHECKING:
    import fiftyone
    import supervision

_COLUMNS = ("cluster", "probability", "congregation", "embedding")


def to_supervision(objects: Objects) -> supervision.Detections:
    """Return ``supervision.Detections``; ids, identities and vectors go along in its ``data``.

    Raises:
        InputError: if supervision is not installed.
    """
    sv = _library("supervision")
    extra = {"object_id": objects.object_id} | {
        name: getattr(objects, name) for name in _COLUMNS if getattr(objects, name) is not None
    }
    return sv.Detections(
        xyxy=objects.xyxy.copy(), confidence=objects.score.copy(), class_id=objects.class_id.copy(), data=extra
    )


def from_supervision(detections: supervision.Detections) -> Objects:
    """Return the boxes of ``supervision.Detections`` with what its ``data`` holds of our columns; masks are left out.

    Raises:
        InputError: if a column is not valid, such as an empty box.
    """
    extra = {name: detections.data[name] for name in _COLUMNS if name in detections.data}
    return Objects.from_boxes(
        detections.xyxy,
        score=detections.confidence,
        class_id=detections.class_id,
        object_id=detections.data.get("object_id"),
        **extra,
    )


def to_fiftyone(
    image: str | Path, objects: Objects, *, size: Size, field: str = "objects", labels: Sequence[str] | None = None
) -> fiftyone.Sample:
    """Return a FiftyOne sample of a picture with one detection per object.

    Boxes become fractions ``[x, y, width, height]``; ``object_id``, ``cluster``, ``probability`` and ``congregation``
    become attributes. Source: https://docs.voxel51.com/user_guide/using_datasets.html#object-detection

    Args:
        image: the picture file.
        objects: its objects.
        size: (width, height) of the picture.
        field: the sample's field.
        labels: label per object; default: the cluster as text (``noise`` for -1), or ``object`` before clustering.

    Raises:
        InputError: if FiftyOne is not installed.
    """
    fo = _library("fiftyone")
    scale = np.array([*size, *size], np.float64)
    corners = objects.xyxy.astype(np.float64) / scale
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1).tolist()
    names = _labels(objects) if labels is None else list(labels)
    detections = []
    for row in range(len(objects)):
        attributes = {n: getattr(objects, n)[row].item() for n in _COLUMNS[:3] if getattr(objects, n) is not None}
        detections.append(
            fo.Detection(
                label=names[row],
                bounding_box=boxes[row],
                confidence=float(objects.score[row]),
                object_id=str(objects.object_id[row]),
                **attributes,
            )
        )
    sample = fo.Sample(filepath=str(image))
    sample[field] = fo.Detections(detections=detections)
    return sample


def from_fiftyone(sample: fiftyone.Sample, *, size: Size, field: str = "objects") -> Objects:
    """Return the objects of a sample that :func:`to_fiftyone` or a person made; missing attributes get defaults.

    Raises:
        InputError: if the field is not there or a box is not valid.
    """
    try:
        detections = sample[field].detections
    except (KeyError, AttributeError) as error:
        raise InputError(
            f"the sample has no detections in {field!r}", remedy="Name the field that holds them."
        ) from error
    scale = np.array([*size, *size], np.float64)
    boxes = np.array([d.bounding_box for d in detections], np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    scores = [1.0 if d.confidence is None else d.confidence for d in detections]
    columns = {
        name: [getattr(d, name) for d in detections]
        for name in _COLUMNS[:3]
        if len(detections) and all(getattr(d, name, None) is not None for d in detections)
    }
    objects, _ = build_objects(
        boxes * scale,
        file="sample",
        where=lambda row: f"detection {row}",
        object_id=[str(getattr(d, "object_id", None) or row) for row, d in enumerate(detections)],
        size=size,
        score=scores,
        **columns,
    )
    return objects


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
        labels: label per object; default as in :func:`to_fiftyone`.
        model: shown as the model's version.
    """
    percent = objects.xyxy.astype(np.float64) / np.array([*size, *size], np.float64) * 100
    names = _labels(objects) if labels is None else list(labels)
    result = [
        {
            "id": str(objects.object_id[row]),
            "type": "rectanglelabels",
            "from_name": "label",
            "to_name": "image",
            "original_width": size[0],
            "original_height": size[1],
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


def from_label_studio(tasks: Any, *, file: str | Path = "Label Studio tasks") -> dict[str, tuple[Objects, list[str]]]:
    """Return (objects, labels) by picture address from exported tasks; a person's annotation goes before a prediction.

    ``cluster`` is the index of the label among all labels of the tasks, sorted, and -1 for ``noise``. What is no
    rectangle is left out.

    Raises:
        InputError: for a structure that is no Label Studio export, a turned rectangle or a box that is not valid.
    """
    if not isinstance(tasks, list):
        raise InputError("Label Studio tasks must be a list", file=file, remedy="Export as JSON (not JSON-MIN).")
    read = [_task(task, f"task {i}", file) for i, task in enumerate(tasks)]
    names = sorted({label for _, _, labels in read for label in labels} - {"noise"})
    index = {name: i for i, name in enumerate(names)} | {"noise": NOISE}
    found: dict[str, tuple[Objects, list[str]]] = {}
    for image, objects, labels in read:
        if image in found:
            raise InputError(f"the picture {shorten(image)} appears twice", file=file, remedy="Export each task once.")
        found[image] = (objects.replace(cluster=np.array([index[label] for label in labels], np.int64)), labels)
    return found


def _task(task: Any, where: str, file: str | Path) -> tuple[str, Objects, list[str]]:
    if not isinstance(task, dict) or not isinstance(task.get("data"), dict) or not task["data"]:
        raise InputError(f"{where}: has no data", file=file, remedy="Export as JSON (not JSON-MIN).")
    image = task["data"].get("image", next(iter(task["data"].values())))
    lists = [task.get(key) for key in ("annotations", "predictions")]
    sources = [s for given in lists if isinstance(given, list) for s in given if isinstance(s, dict)]
    regions = sources[0].get("result") if sources else []
    if not isinstance(image, str) or not isinstance(regions, list):
        raise InputError(f"{where}: has no picture or no result", file=file, remedy="Export as JSON (not JSON-MIN).")
    boxes, ids, labels, scores = [], [], [], []
    size: Size | None = None
    for i, region in enumerate(regions):
        at = f"{where}, region {i}"
        if not isinstance(region, dict) or region.get("type") != "rectanglelabels":
            continue
        value: Mapping[str, Any] = region["value"] if isinstance(region.get("value"), dict) else {}
        x, y, w, h = (number(value.get(k), k, file=file, where=at) / 100 for k in ("x", "y", "width", "height"))
        if value.get("rotation"):
            raise InputError(f"{at}: is turned", file=file, remedy="Draw upright rectangles.")
        width, height = (number(region.get(f"original_{k}"), k, file=file, where=at) for k in ("width", "height"))
        size = (max(int(width), 1), max(int(height), 1))
        boxes.append([x * width, y * height, (x + w) * width, (y + h) * height])
        ids.append(identifier(region.get("id", i), file=file, where=at))
        chosen = value.get("rectanglelabels")
        labels.append(identifier(chosen[0] if isinstance(chosen, list) and chosen else "object", file=file, where=at))
        scores.append(1.0 if region.get("score") is None else number(region["score"], "score", file=file, where=at))
    objects, _ = build_objects(
        boxes, file=file, where=lambda row: f"{where}, box {row}", object_id=ids, size=size, score=scores
    )
    return image, objects, labels


def _labels(objects: Objects) -> list[str]:
    if objects.cluster is None:
        return ["object"] * len(objects)
    return [str(c) if c >= 0 else "noise" for c in objects.cluster.tolist()]


def _library(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(f"{module} is not installed", remedy=remedy(module)) from error
