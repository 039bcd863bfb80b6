"""Stage ``detect``: our detector on three backends beside ultralytics, SAHI and supervision with the same weights.

Every picture is one turn: all contenders see it one after the other. Scores are COCO's over all boxes down to a
confidence of .01, and the times are of those runs.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .inputs import Work, labelled
from .record import Found, Table
from .timing import Timed, ratio

if TYPE_CHECKING:
    from packed_scenes.data.objects import Objects

MIN_SCORE = 0.01  # confidence
SLICE = 640  # px, side of the peers' slices, as in their examples
Image = npt.NDArray[np.uint8]
Find = Callable[[Image], "Objects"]


def run(work: Work) -> Found:
    """Time and score all contenders, on the labelled photos and on one of many small objects."""
    scenes, name = labelled(work)
    found = Found()
    finders = ours() | peers(found)
    pictures = ((scene.load().image, scene.truth, scene.ignore) for scene in scenes)
    note = (
        f"On {name}; seconds per picture. The same weights (assets/detector) everywhere; peers at their own defaults."
    )
    found.tables.append(_beside("detection", finders, pictures, note))
    if not work.tiny:
        note = (
            "The bundled sample 2 x 2 times, 3200 x 2400: many small objects, as a phone's photo of a whole shelf has. "
            "One picture, seen twice."
        )
        found.tables.append(_beside("detection of many small objects", finders, [_many()] * 2, note))
    return found


def _many() -> tuple[Image, Any, Any]:
    """A picture of some 460 objects with truth and ignored regions."""
    from packed_scenes.data.coco import read_coco
    from packed_scenes.data.objects import Objects
    from packed_scenes.data.shipped import SAMPLE_FOLDER

    from .scaling import mosaic

    sample = next(s for s in read_coco(SAMPLE_FOLDER / "annotations.json") if s.name == "shelf")
    image = sample.load().image
    whole, truth = mosaic(image, sample.truth, 2)
    ignore = mosaic(image, Objects.from_boxes(sample.ignore), 2)[1].xyxy
    return whole, truth, ignore


def _beside(title: str, finders: dict[str, Find], pictures: Iterable[tuple[Image, Any, Any]], note: str) -> Table:
    from packed_scenes.detect.metrics import evaluate

    timed = {name: Timed() for name in finders}
    boxes: dict[str, list[Any]] = {name: [] for name in finders}
    for number, (image, truth, ignore) in enumerate(pictures):
        for name, find in finders.items():
            if number == 0:
                find(image)  # warm
            boxes[name].append((timed[name].add(partial(find, image)), truth, ignore))
    first = next(iter(timed))
    rows = []
    for name, times in timed.items():
        scores = evaluate(boxes[name])
        accuracy = {key: round(getattr(scores, key), 3) for key in ("AP", "AP50", "AR300")}
        rows.append(
            {"detector": name, **accuracy, **times.row(), **({} if name == first else ratio(times, timed[first]))}
        )
    return Table(title, rows, note, "bars", by="detector")


def ours() -> dict[str, Find]:
    """Our detector by backend, and with its size fixed by hand."""
    from packed_scenes.detect import Detector
    from packed_scenes.detect.load import ASSETS

    openvino = replace(Detector.load(device="cpu"), confidence=MIN_SCORE)
    onnx = Detector.load(ASSETS / "detector.onnx", device="cpu", backend="onnxruntime", confidence=MIN_SCORE)
    torch = Detector.load(device="cpu", backend="torch", confidence=MIN_SCORE)
    return {
        "ours, automatic size (OpenVINO)": openvino.detect,
        "ours, automatic size (ONNX Runtime)": onnx.detect,
        "ours, automatic size (torch)": torch.detect,
    }


def peers(found: Found) -> dict[str, Find]:
    """What the installed peers make of the same weights."""
    from packed_scenes.detect.load import ASSETS
    from packed_scenes.detect.ultralytics_import import import_ultralytics

    weights = ASSETS / "detector.onnx"
    model = import_ultralytics().YOLO(str(weights), task="detect")
    finders: dict[str, Find] = {
        "ultralytics, 640 px": lambda image: _ultralytics(model, image, 640),
        "ultralytics, 1280 px": lambda image: _ultralytics(model, image, 1280),
    }
    if importlib.util.find_spec("sahi"):
        finders[f"SAHI, slices of {SLICE} px"] = _sahi(weights)
    else:
        found.skipped.append("SAHI is not installed (extra `peers`)")
    if importlib.util.find_spec("supervision"):
        finders[f"supervision InferenceSlicer, {SLICE} px"] = _supervision(model)
    else:
        found.skipped.append("supervision is not installed (extra `peers`)")
    return finders


def _objects(xyxy: Any, score: Any) -> Objects:
    from packed_scenes.data.objects import Objects

    boxes = np.asarray(xyxy, np.float32).reshape(-1, 4)
    solid = (boxes[:, 2:] > boxes[:, :2]).all(1)
    return Objects.from_boxes(boxes[solid], score=np.asarray(score, np.float32).reshape(-1)[solid].clip(0, 1))


def _ultralytics(model: Any, image: Image, size: int) -> Objects:
    """Ultralytics' own predict; it takes BGR. 300 boxes at most is its default and is raised here."""
    result = model.predict(image[..., ::-1], imgsz=size, conf=MIN_SCORE, max_det=3000, device="cpu", verbose=False)[0]
    return _objects(result.boxes.xyxy.cpu().numpy(), result.boxes.conf.cpu().numpy())


def _sahi(weights: Path) -> Find:
    import logging

    from sahi import AutoDetectionModel
    from sahi.predict import get_sliced_prediction

    logging.getLogger("sahi").setLevel(logging.ERROR)
    model = AutoDetectionModel.from_pretrained(
        model_type="ultralytics",
        model_path=str(weights),
        confidence_threshold=MIN_SCORE,
        device="cpu",
        image_size=SLICE,
    )

    def find(image: Image) -> Objects:
        result = get_sliced_prediction(
            image,
            model,
            slice_height=SLICE,
            slice_width=SLICE,
            overlap_height_ratio=0.2,
            overlap_width_ratio=0.2,
            verbose=0,
        )
        predictions = result.object_prediction_list
        return _objects([p.bbox.to_xyxy() for p in predictions], [p.score.value for p in predictions])

    return find


def _supervision(model: Any) -> Find:
    import supervision

    def look(piece: Image) -> Any:
        result = model.predict(
            piece[..., ::-1], imgsz=SLICE, conf=MIN_SCORE, max_det=3000, device="cpu", verbose=False
        )[0]
        return supervision.Detections.from_ultralytics(result)

    slicer = supervision.InferenceSlicer(callback=look, slice_wh=(SLICE, SLICE), thread_workers=1)

    def find(image: Image) -> Objects:
        result = slicer(image)
        return _objects(result.xyxy, np.zeros(0) if result.confidence is None else result.confidence)

    return find
