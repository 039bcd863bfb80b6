"""Teach where objects are: fine-tune the detector on corrected photos, compare it on corrected photos kept out.

It runs in a process of its own (:mod:`packed_scenes.web.project.teaching`) and leaves a checkpoint as it goes, so that
a training that was stopped, or that ended with the program, can go on. What is kept finds the boxes of photos that
are added later, and of those whose boxes are found anew (:mod:`packed_scenes.web.project.redetection`).
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import write_json
from packed_scenes.data.labelled import LabelledScene
from packed_scenes.data.objects import Objects
from packed_scenes.data.shipped import ASSETS
from packed_scenes.data.text import load_json
from packed_scenes.web.project.project import Project
from packed_scenes.web.project.teaching import FOLDER, known, remember

if TYPE_CHECKING:
    from packed_scenes.detect import Detector
    from packed_scenes.detect.metrics import DetectionScores

MIN_PHOTOS = 3  # corrected photos
VALIDATION_SHARE = 0.2  # share of them that is never trained on
STEPS = 3000  # batches at most
MIN_CONFIDENCE = 0.01  # score down to which detections enter AP
MIN_BALANCE = 0.2  # precision = recall up to which the score where they meet says nothing
SHOWN = 12  # photos kept out whose boxes are shown, before and after
USED = f"{FOLDER}/used/detector.onnx"

Held = Sequence[dict[str, Any]]


def prepare(project: Project, photos: list[int], *, minutes: float, steps: int = STEPS, seed: int = 0) -> Path:
    """Write what the training reads into the project's ``teach`` folder; returns the file that says what to do.

    Args:
        project: is only read.
        photos: corrected photos.
        minutes: time for the training itself.
        steps: batches at most.
        seed: chooses the photos kept out.

    Raises:
        InputError: if there are too few photos, or one cannot be read.
    """
    chosen = sorted(set(photos))
    if len(chosen) < MIN_PHOTOS:
        raise InputError(f"at least {MIN_PHOTOS} corrected photos are needed", remedy="Correct more, ten are better.")
    if not 0.05 <= minutes <= 600:
        raise InputError("the time must lie between 3 seconds and 10 hours")
    aside = project.folder.path / FOLDER / "new"
    shutil.rmtree(aside, ignore_errors=True)
    images = aside / "images"
    images.mkdir(parents=True)
    order = np.random.default_rng(seed).permutation(len(chosen))
    out = {chosen[k] for k in order[: max(1, round(VALIDATION_SHARE * len(chosen)))].tolist()}
    parts: dict[str, list[dict[str, Any]]] = {"held": [], "trained": []}
    for number in chosen:
        photo = project.photo(number)
        project.image(number)  # readable, of the same size
        assert photo.source is not None
        assert photo.source.path is not None
        name = f"{number:05d}{photo.source.path.suffix.lower()}"
        shutil.copyfile(photo.source.path, images / name)
        boxes = project.objects(number).xyxy.round(2).tolist()
        parts["held" if number in out else "trained"].append({"photo": number, "file": name, "boxes": boxes})
    if sum(len(item["boxes"]) > 0 for item in parts["trained"]) < 2:
        raise InputError("at least two of the photos must hold objects", remedy="Correct more photos.")
    spec = aside / "spec.json"
    settings = dict(project.folder.about.get("settings") or {})
    own = settings.get("weights") == USED  # a taught detector knows one class
    classes = {key: [] if own else list(settings.get(key) or ()) for key in ("classes", "class_names")}
    remember(project, "detector", None)  # what it said is of a training that is gone
    write_json(spec, {
        "kind": "detector", **parts, "minutes": minutes, "seed": seed, "steps": steps,
        "confidence": project.confidence, "weights": settings.get("weights"), **classes,
    })  # fmt: skip
    return spec


def work(spec: Path) -> Iterator[dict[str, Any]]:
    """Do what a specification says, or go on where it was left; gives progress, and at the end the result."""
    yield {"stage": "prepare", "done": 0, "total": 0}  # loading the libraries takes seconds
    import torch

    from packed_scenes.detect import Detector
    from packed_scenes.detect.training.brief import BriefTraining
    from packed_scenes.detect.training.dataset import to_pool

    torch.set_num_threads(1)
    task = load_json(spec.read_text(encoding="utf-8"))
    images, held = spec.parent / "images", task["held"]
    total = max(1, round(float(task["minutes"]) * 60))
    yield {"stage": "score", "done": 0, "total": 0}
    start = None if task["weights"] is None else spec.parents[2] / task["weights"]
    detector = Detector.load(
        start, confidence=MIN_CONFIDENCE, classes=task["classes"] or None, class_names=task["class_names"]
    )
    pictures = [_labelled(item, images) for item in held]
    before = [detector.detect(truth.load().image) for truth in pictures]
    yield {"stage": "prepare", "done": 0, "total": 0}
    training = BriefTraining(
        start_weights(detector, start, sorted(images.iterdir())), steps=int(task["steps"]), seconds=total,
        seed=int(task["seed"]),
    )  # fmt: skip
    pool = to_pool([_labelled(item, images) for item in task["trained"]], agnostic=True)
    for part in training.run(pool, checkpoint=spec.parent / "last.ckpt"):
        yield {"stage": "teach", "done": min(total - 1, math.floor(part * total)), "total": total}
    yield {"stage": "score", "done": 0, "total": 0}
    wanted = min(max(float(task["confidence"]), 0.05), 0.9)
    scores, _ = _scored(training.network, pictures)
    if scores.balanced50 > MIN_BALANCE:
        training.shift(scores.balanced_confidence, wanted)
    about = {"data": f"{len(task['trained'])} corrected photos", "validation": scores.to_dict()}
    training.write(spec.parent / "run" / "detector", confidence=wanted, about=about)
    scores, after = _scored(training.network, pictures)
    write_json(spec.parent / "compared.json", [
        {"photo": item["photo"], "truth": item["boxes"], "before": _marked(b, item, wanted),
         "after": _marked(a, item, wanted)}
        for item, b, a in list(zip(held, before, after, strict=True))[:SHOWN]
    ])  # fmt: skip
    yield {"result": _told(_score(before, pictures), scores, task, training.step)}


def _told(before: DetectionScores, after: DetectionScores, task: dict[str, Any], steps: int) -> dict[str, Any]:
    rows = [
        {"name": name, "before": round(float(getattr(before, key)), 4), "after": round(float(getattr(after, key)), 4)}
        for name, key in (("AP50", "AP50"), ("AP", "AP"), ("precision = recall at", "balanced50"))
    ]
    held = len(task["held"])
    note = f"On {held} corrected photo{'' if held == 1 else 's'} kept out; "
    note += f"trained on {len(task['trained'])} for {steps} steps."
    if after.AP50 <= before.AP50:
        note += " It finds no more than before: discard it, and correct more photos."
    return {"rows": rows, "note": note, "kept": False}


def _labelled(item: dict[str, Any], images: Path) -> LabelledScene:
    boxes = np.asarray(item["boxes"], np.float32).reshape(-1, 4)
    return LabelledScene(images / item["file"], item["file"], Objects.from_boxes(boxes))


def _scored(network: Any, pictures: Sequence[LabelledScene]) -> tuple[DetectionScores, list[Objects]]:
    from packed_scenes.detect import Detector
    from packed_scenes.detect.networks import Card, TorchNetwork

    detector = Detector(TorchNetwork(network, Card(object_px=72.0), device="cpu"), confidence=MIN_CONFIDENCE)
    found = [detector.detect(picture.load().image) for picture in pictures]
    return _score(found, pictures), found


def _score(found: Sequence[Objects], pictures: Sequence[LabelledScene]) -> DetectionScores:
    from packed_scenes.detect.metrics import evaluate

    return evaluate([(objects, picture.truth, None) for objects, picture in zip(found, pictures, strict=True)])


def _marked(found: Objects, item: dict[str, Any], confidence: float) -> list[list[float]]:
    """Boxes of at least a score: four corners, and 1 where it is a corrected box (IoU .5), else 0."""
    from packed_scenes.detect.matching import match_boxes

    sure = found.select(found.score >= confidence)
    truth = Objects.from_boxes(np.asarray(item["boxes"], np.float32).reshape(-1, 4))
    right = match_boxes(sure, truth).truth >= 0
    return [[*box, float(hit)] for box, hit in zip(sure.xyxy.round(1).tolist(), right.tolist(), strict=True)]


def start_weights(detector: Detector, used: Path | None, photos: list[Path]) -> Path:
    """The weights to train: those in use, else the shipped ones that look at most of the photos (of ten at most)."""
    from packed_scenes.data.images import read_image
    from packed_scenes.detect.load import DEFAULT, GENERAL

    own = None if used is None else used.with_suffix(".pt")  # does not travel with a zip: a pickle
    if own is not None and own.is_file():
        return own
    shipped = ASSETS / f"{DEFAULT}.pt"
    if detector.general is None:
        return shipped
    some = photos[:: max(1, -(-len(photos) // 10))]
    found = [detector.detect_with_info(read_image(photo))[1].sha256 for photo in some]
    return ASSETS / f"{GENERAL}.pt" if 2 * found.count(detector.general.sha256) > len(some) else shipped


def in_use(project: Project) -> bool:
    """Whether a taught detector finds the boxes of new photos."""
    return (project.folder.about.get("settings") or {}).get("weights") == USED


def interrupted(project: Project) -> bool:
    """Whether a training was stopped, or ended with the program, and can go on."""
    aside = project.folder.path / FOLDER / "new"
    return (aside / "spec.json").is_file() and "detector" not in known(project)


def compared(project: Project) -> list[dict[str, Any]]:
    """The photos kept out of the last training: corrected boxes, and those found before and after it."""
    file = project.folder.path / FOLDER / "new" / "compared.json"
    found: list[dict[str, Any]] = load_json(file.read_text(encoding="utf-8")) if file.is_file() else []
    return found


def keep(project: Project) -> str:
    """Use the trained detector for photos that are added from now on."""
    folder = project.folder.path / FOLDER
    if not (folder / "new" / "run" / "detector.onnx").is_file():
        raise InputError("there is no trained detector", remedy="Train one first.")
    used = folder / "used"
    shutil.rmtree(used, ignore_errors=True)
    used.mkdir()
    for name in ("detector.onnx", "detector.pt", "detector.json"):
        shutil.copyfile(folder / "new" / "run" / name, used / name)
    about = project.folder.about
    settings = dict(about.get("settings") or {})
    before = about.get("weights_before") if settings.get("weights") == USED else settings.get("weights")
    project.folder.save_about(settings=settings | {"weights": USED}, weights_before=before)
    remember(project, "detector", known(project)["detector"] | {"kept": True})
    return "New photos are analysed with the trained detector"


def discard(project: Project) -> str:
    """Discard what was trained last; if it is in use, or there is nothing else, go back to the detector of before."""
    kept = bool(known(project).get("detector", {}).get("kept"))
    fresh = (project.folder.path / FOLDER / "new").is_dir() and not kept
    remember(project, "detector", None)
    shutil.rmtree(project.folder.path / FOLDER / "new", ignore_errors=True)
    if fresh:
        return "The training is discarded" + ("; the detector kept before stays in use" if in_use(project) else "")
    about = project.folder.about
    settings = dict(about.get("settings") or {}) | {"weights": about.get("weights_before")}
    project.folder.save_about(settings=settings, weights_before=None)
    shutil.rmtree(project.folder.path / FOLDER / "used", ignore_errors=True)
    return "The detector of before is in use"
