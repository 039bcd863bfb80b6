"""Objects to and from the types of other tools, at the edge: supervision, FiftyOne and Label Studio.

None of them is needed for anything else here; each is imported when it is asked for. Label Studio takes and gives plain
JSON (:mod:`packed_scenes.data.label_studio`).
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from packed_scenes.data.checks import Size, build_objects
from packed_scenes.data.errors import InputError
from packed_scenes.data.extras import remedy
from packed_scenes.data.label_studio import cluster_names
from packed_scenes.data.label_studio import from_label_studio as from_label_studio
from packed_scenes.data.label_studio import to_label_studio as to_label_studio
from packed_scenes.data.objects import Objects

if TYPE_CHECKING:
    import fiftyone
    import supervision

_COLUMNS = ("cluster", "probability", "congregation", "embedding")


def to_supervision(objects: Objects) -> supervision.Detections:
    """Return ``supervision.Detections``; ids, identities and vectors go along in its ``data``.

    Raises:
        InputError: if supervision is not installed.
    """
    sv = library("supervision")
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
    fo = library("fiftyone")
    scale = np.array([*size, *size], np.float64)
    corners = objects.xyxy.astype(np.float64) / scale
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1).tolist()
    names = cluster_names(objects) if labels is None else list(labels)
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
    columns: dict[str, Any] = {
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


def library(module: str) -> Any:
    """Import a library that is not always there.

    Raises:
        InputError: if it is not installed, with the way to get it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(f"{module} is not installed", remedy=remedy(module)) from error
