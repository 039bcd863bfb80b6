"""Stage ``scaling``: seconds per scene from 50 to 3,000 objects; a cost of n^1 is a straight line of slope 1.

The scenes are mosaics of the bundled sample: k x k copies, each with its own light, so that the picture grows with the
number of objects and every object keeps its size.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .inputs import Work
from .record import Found, Table
from .timing import take_turns

Image = npt.NDArray[np.uint8]
SIDES = (1, 2, 3, 4, 5)
STEEP = 400  # objects: the slope is fitted from here on, below it fixed costs rule


def run(work: Work) -> Found:
    """Time the whole job on mosaics, with boxes given and detected."""
    from packed_scenes.data.coco import read_coco
    from packed_scenes.data.shipped import SAMPLE_FOLDER
    from packed_scenes.observe import Observer
    from packed_scenes.settings import Settings

    sample = next(s for s in read_coco(SAMPLE_FOLDER / "annotations.json") if s.name == "shelf")
    scene = sample.load()
    settings = Settings(embedder=work.embedder, device="cpu")
    observer = Observer(settings)
    rows: list[dict[str, Any]] = []
    sides = (1, 2) if work.tiny else SIDES
    cases = [half(scene.image, sample.truth), *(mosaic(scene.image, sample.truth, side) for side in sides)]
    for number, (image, boxes) in enumerate(cases):
        jobs = {
            "boxes given": partial(_job, image, boxes, settings, observer, work.scratch),
            "detected": partial(_job, image, None, settings, observer, work.scratch),
        }
        few = work.tiny or number > 2  # the large ones take many seconds
        timed = take_turns(jobs, turns=1 if few else min(work.turns, 3), warm=1 if number == 0 else 0)
        for name, times in timed.items():
            rows.append(
                {"boxes": name, "objects": times.result, "megapixels": round(image.shape[0] * image.shape[1] / 1e6, 1)}
                | times.row()
            )
    exponents = ", ".join(f"{name}: n^{slope(rows, name):.2f}" for name in ("boxes given", "detected"))
    note = (
        f"From the picture in memory to the written run folder. Slope of log processor seconds over log objects from "
        f"{STEEP} objects on: {exponents}."
    )
    return Found(
        [Table("seconds per scene over its number of objects", rows, note, "curve", over="objects", by="boxes")]
    )


def half(image: Image, truth: Any) -> tuple[Image, Any]:
    """The left half of the sample with the objects wholly inside it."""
    width = image.shape[1] // 2
    return np.ascontiguousarray(image[:, :width]), truth.select(truth.xyxy[:, 2] <= width).replace(cluster=None)


def mosaic(image: Image, truth: Any, side: int) -> tuple[Image, Any]:
    """``side`` x ``side`` copies of the sample, each a little darker or lighter, with all their boxes."""
    from packed_scenes.data.objects import Objects

    height, width = image.shape[:2]
    out = np.empty((side * height, side * width, 3), np.uint8)
    boxes = []
    for row in range(side):
        for column in range(side):
            gain = 1 - 0.3 * ((row * side + column) % 7) / 7
            top, left = row * height, column * width
            out[top : top + height, left : left + width] = (image * np.float32(gain)).astype(np.uint8)
            boxes.append(truth.xyxy + np.array([left, top, left, top], np.float32))
    return out, Objects.from_boxes(np.concatenate(boxes))


def slope(rows: list[dict[str, Any]], name: str) -> float:
    """The exponent of the cost: the slope of log processor seconds over log objects, fixed costs left out."""
    line = [row for row in rows if row["boxes"] == name]
    large = [row for row in line if row["objects"] >= STEEP]
    line = large if len(large) > 1 else line
    if len(line) < 2:
        return float("nan")
    return float(np.polyfit(np.log([r["objects"] for r in line]), np.log([r["cpu s"] for r in line]), 1)[0])


def _job(image: Image, boxes: Any, settings: Any, observer: Any, scratch: Path) -> int:
    from packed_scenes.analysis import analyze

    result = analyze(image, boxes=boxes, settings=settings, observer=observer)
    result.save(scratch / "scaling")
    return len(result.scenes[0].objects)
