"""The figures of the card beside ``shelf_scenes``: unseen generated scenes, the shelf photo, micrographs and real
pictures kept out.

    uv run python -m packed_scenes.detect.training.measure ../shared/data [WEIGHTS]

Each set is scored by COCO's rules with the automatic choice of size; precision and recall are those at the weights' own
confidence. Sets whose folder is absent are left out. ``shelf_scenes`` is scored by ``packed-scenes evaluate``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data import Objects, read_image
from packed_scenes.data.text import load_json
from packed_scenes.detect.detector import Detector
from packed_scenes.detect.metrics import DetectionScores, evaluate
from packed_scenes.detect.training.pictures import REAL_SETS, RealSet, read_photos, trains

Labelled = tuple[npt.NDArray[np.uint8], Objects, npt.NDArray[np.float32] | None]

MIN_CONFIDENCE = 0.01  # confidence down to which detections enter AP
GENERATED: dict[str, tuple[int, dict[str, Any]]] = {
    "generator, 5-120 objects": (24, {"seed": 77, "count": (5, 120)}),
    "generator, defaults (6-350 objects)": (24, {"seed": 4242}),
    "generator, scattered": (8, {"seed": 78, "layout": "scatter"}),
    "generator, crowds": (8, {"seed": 79, "layout": "crowd"}),
}


def sets(real: str | Path) -> Iterator[tuple[str, Iterator[Labelled]]]:
    """Name and pictures of each set."""
    from packed_scenes.detect.training.recipe import micrographs

    photo = Path(real) / "packed_products" / "test"
    if photo.is_dir():
        yield "packed_products/test/shelf.jpeg", iter([_photo(photo)])
    for name, (count, wishes) in GENERATED.items():
        yield name, _generated(count, wishes)
    for name in ("cells", "nuclei"):
        if (Path(real) / name).is_dir():
            pairs = micrographs(Path(real) / name, held_out=True)
            yield f"{name}, held out", ((image, Objects.from_boxes(xyxy), None) for image, xyxy in pairs)
    for kind in REAL_SETS:
        if (Path(real) / kind.folder).is_dir():
            yield f"{kind.folder}, held out", real_photos(real, kind, wanted="test")


def real_photos(root: str | Path, kind: RealSet, *, wanted: str) -> Iterator[Labelled]:
    """Pictures of one part of a real set; those that the export ruined are left out."""
    for photo in read_photos(root, kind, wanted=wanted):
        if trains(photo):
            yield photo.image, Objects.from_boxes(photo.xyxy), photo.ignore


def _photo(folder: Path) -> Labelled:
    given = load_json((folder / "shelf.json").read_text("utf-8")).values()
    boxes = np.array([[box[k] for k in ("x1", "y1", "x2", "y2")] for box in given], np.float32)
    return read_image(folder / "shelf.jpeg"), Objects.from_boxes(boxes), None


def _generated(count: int, wishes: dict[str, Any]) -> Iterator[Labelled]:
    from packed_scenes.data.synth import stream

    scenes = stream(**wishes)
    for index in range(count):
        labelled = scenes.labelled(index)
        assert labelled.scene.truth is not None
        yield labelled.scene.image, labelled.scene.truth, labelled.ignore


def measure(detector: Detector, pictures: Iterator[Labelled]) -> DetectionScores:
    """Score a detector on labelled pictures."""
    every = replace(detector, confidence=MIN_CONFIDENCE)
    rows = ((every.detect(image), truth, ignore) for image, truth, ignore in pictures)
    return evaluate(rows, confidence=detector.confidence)


if __name__ == "__main__":
    found = Detector.load(sys.argv[2] if len(sys.argv) > 2 else None)
    for title, pictures in sets(sys.argv[1] if len(sys.argv) > 1 else "../shared/data"):
        print(json.dumps({title: {k: round(v, 3) for k, v in measure(found, pictures).to_dict().items()}}), flush=True)
