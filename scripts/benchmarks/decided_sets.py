"""The sets that the stage ``decision`` measures on: vectors with their truth, and shelves seen a little otherwise."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .pictures import SETS, Vectors

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from packed_scenes.embed import Embedder

    from .inputs import Work

EVERY = 25  # frames of pedestrians from one that is looked at to the next
APART = 0.3  # IoU with another box above which a pedestrian's box shows two people
SMALLER, SHIFT, QUALITY = 0.9, 3, 60  # factor of size; pixels; of JPEG
DROPPED, DRAWS = 0.05, 3  # share of the boxes that is dropped, and how often
GENERATED, FIRST = 36, 97_777  # scenes, and a seed that trains nothing


@dataclass
class Collection:
    """Scenes of one kind, each decided by itself, and the threshold of the embedder (None = not calibrated)."""

    scenes: list[Vectors]
    unit: float | None


def collections(work: Work) -> dict[str, Collection]:
    """Every set that is at hand, by the embedder of ``work``; people with re-identification vectors as well."""
    from packed_scenes.embed import Embedder

    if work.data is None:
        return {}
    embedder = Embedder.load(work.embedder, device="cpu")
    unit = float(embedder.card["calibration"]["threshold"])
    found: dict[str, Collection] = {}
    for name, read in SETS.items():
        if work.folder("packed_products" if name == "photo" else name) is not None:
            scenes = read(work.data, embedder)
            if scenes[0].xyxy is not None:
                found[f"{name}, boxes"] = Collection(scenes, unit)
            found[f"{name}, vectors alone"] = Collection([Vectors(s.X, s.y) for s in scenes], unit)
    network = work.data.parent / "models" / "omz-person-reid-0287-FP32.xml"
    others = {"": (embedder, unit)}
    if network.is_file():
        others[", re-identification"] = (Embedder.load(str(network), device="cpu"), None)
    for name, crops in (("pedestrians", _pedestrians), ("people_campus", _campus)):
        folder = work.folder(name)
        if folder is None:
            continue
        pictures, people = crops(folder)
        for title, (network_of, its) in others.items():
            found[name + title] = Collection([Vectors(network_of.embed_crops(pictures), people)], its)
    return found


def _pedestrians(root: Path) -> tuple[list[Any], npt.NDArray[np.int64]]:
    import numpy as np

    from packed_scenes.data import read_image

    crops, person = [], []
    with open(root / "labels.csv", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if int(row["frame"]) % EVERY == 0 and row["person_id"] != "0"]
    for number in sorted({int(row["frame"]) for row in rows}):
        image = read_image(root / "frames" / f"{number:06d}.jpg")
        for row in rows:
            if int(row["frame"]) == number and float(row["max_iou_other"]) < APART:
                x1, y1, x2, y2 = (max(0, round(float(row[key]))) for key in ("x0", "y0", "x1", "y1"))
                crops.append(image[y1:y2, x1:x2])
                person.append(int(row["person_id"]))
    return crops, np.array(person, np.int64)


def _campus(root: Path) -> tuple[list[Any], npt.NDArray[np.int64]]:
    import numpy as np

    from packed_scenes.data import read_image

    paths = sorted(root.rglob("*.jpg"))
    person = np.unique([path.stem.split("_")[0] for path in paths], return_inverse=True)[1]
    return [read_image(path) for path in paths], person.astype(np.int64)


def versions(work: Work) -> dict[str, dict[str, list[Vectors]]]:
    """shelf_scenes and generated shelves, as they are, scaled, shifted and re-encoded: by set and version."""
    from packed_scenes.data.coco import read_coco
    from packed_scenes.embed import Embedder

    embedder = Embedder.load(work.embedder, device="cpu")
    found = {"generated": _seen(_generated(), embedder)}
    folder = work.folder("shelf_scenes")
    if folder is not None:
        pictures = []
        for scene in read_coco(folder / "annotations.json"):
            assert scene.identity_uncertain is not None
            truth = scene.truth.select(~scene.identity_uncertain)
            pictures.append((scene.load().image, truth.xyxy, truth.cluster))
        found["shelf_scenes"] = _seen(pictures, embedder)
    return found


def _generated() -> list[tuple[Any, Any, Any]]:
    import numpy as np

    from packed_scenes.data.synth import stream

    scenes = stream(
        FIRST, layout="mixed", mixture=(0.85, 0.0, 0.15), size=(900, 900), count=(8, 130), bare=0.0,
        families=200, fresh=4, photometry=0.7,
    )  # fmt: skip
    pictures: list[tuple[Any, Any, Any]] = []
    for number in range(2 * GENERATED):
        scene = scenes[number]
        if scene.truth is None or scene.truth.cluster is None or len(scene.truth) < 8 or len(pictures) == GENERATED:
            continue
        boxes, names = scene.truth.xyxy, scene.truth.cluster
        if len(boxes) > 45:  # a window of the shelf, as large as a real photo shows
            rng = np.random.default_rng(number)
            middle = (boxes[:, :2] + boxes[:, 2:]) / 2
            away = np.abs(middle - middle[rng.integers(len(middle))]).max(axis=1)
            kept = np.argsort(away, kind="stable")[: int(rng.integers(15, 45))]
            boxes, names = boxes[kept], names[kept]
        pictures.append((scene.image, boxes, names))
    return pictures


def _seen(pictures: list[tuple[Any, Any, Any]], embedder: Embedder) -> dict[str, list[Vectors]]:
    import cv2
    import numpy as np

    found: dict[str, list[Vectors]] = {"as it is": [], "scaled by .9": [], "shifted by 3 px": [], "JPEG 60": []}
    for image, boxes, names in pictures:
        height, width = image.shape[:2]
        small = cv2.resize(image, None, fx=SMALLER, fy=SMALLER, interpolation=cv2.INTER_AREA)
        scale = np.array([small.shape[1] / width, small.shape[0] / height] * 2, np.float32)
        shifted = np.clip(boxes + SHIFT, 0, [width, height] * 2).astype(np.float32)
        packed = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
        again = np.ascontiguousarray(cv2.imdecode(packed, cv2.IMREAD_COLOR)[:, :, ::-1])
        seen = ((image, boxes), (small, boxes * scale), (image, shifted), (again, boxes))
        for title, (picture, xyxy) in zip(found, seen, strict=True):
            found[title].append(Vectors(embedder.embed(picture, xyxy), names, xyxy))
    return found
