"""Teach: fine-tune the detector on corrected photos, beside the page, and compare it on corrected photos kept out.

What is the same is taught by :mod:`packed_scenes.web.project.embedder_teaching`. Either training runs in a process of
its own, one thread, low priority (``python -m packed_scenes.web.project.teaching SPEC``): it can be stopped at any
time, and a crash of it changes nothing. It prints a line of JSON per step.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import write_json
from packed_scenes.data.objects import Objects
from packed_scenes.data.shipped import ASSETS
from packed_scenes.data.text import load_json
from packed_scenes.web.project.project import Project

if TYPE_CHECKING:
    from packed_scenes.detect import Detector

MIN_PHOTOS = 3  # corrected photos
VALIDATION_SHARE = 0.2  # share of them that is never trained on
STEPS = 400  # batches at most
EVERY = 20  # steps between validations
MIN_CONFIDENCE = 0.01  # score down to which detections enter AP
FOLDER = "teach"


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
    folder = project.folder.path / FOLDER
    aside = folder / "new"
    shutil.rmtree(aside, ignore_errors=True)
    images = aside / "images"
    images.mkdir(parents=True)
    order = np.random.default_rng(seed).permutation(len(chosen))
    out = {chosen[k] for k in order[: max(1, round(VALIDATION_SHARE * len(chosen)))].tolist()}
    held: list[dict[str, Any]] = []
    train: list[dict[str, Any]] = []
    for number in chosen:
        photo = project.photo(number)
        project.image(number)  # readable, of the same size
        assert photo.source is not None
        assert photo.source.path is not None
        name = f"{number:05d}{photo.source.path.suffix.lower()}"
        shutil.copyfile(photo.source.path, images / name)
        boxes = project.objects(number).xyxy.round(2).tolist()
        (held if number in out else train).append(
            {"file": name, "boxes": boxes, "width": photo.size[1], "height": photo.size[0]}
        )
    if sum(len(item["boxes"]) > 0 for item in train) < 2:
        raise InputError("at least two of the photos must hold objects", remedy="Correct more photos.")
    write_json(aside / "train.json", _coco(train))
    spec = aside / "spec.json"
    kept = (project.folder.about.get("settings") or {}).get("weights")
    write_json(
        spec, {"kind": "detector", "held": held, "minutes": minutes, "seed": seed, "weights": kept, "steps": steps,
               "trained": len(train)},
    )  # fmt: skip
    return spec


def run(spec: Path, report: Callable[[dict[str, Any]], None], stopped: Callable[[], bool]) -> dict[str, Any]:
    """Train in a process of its own; returns the scores before and after.

    Raises:
        InputError: if it was stopped, or failed.
    """
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "packed_scenes.web.project.teaching", str(spec)]
    result: dict[str, Any] | None = None
    said = ""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if stopped():
                    raise InputError("the training was stopped; nothing has changed")
                try:
                    found = load_json(line)
                except ValueError:
                    said = line.strip() or said
                    continue
                if isinstance(found, dict) and "result" in found:
                    result = found["result"]
                elif isinstance(found, dict):
                    report(found)
        finally:
            if process.poll() is None and result is None:
                process.terminate()
    if result is None:
        raise InputError(f"the training failed ({said[-200:]})" if said else "the training failed")
    return result


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
    settings = dict(project.folder.about.get("settings") or {}) | {"weights": f"{FOLDER}/used/detector.onnx"}
    project.folder.save_about(settings=settings)
    remember(project, "detector", known(project)["detector"] | {"kept": True})
    return "New photos are analysed with the trained detector"


def discard(project: Project) -> str:
    """Discard the trained detector and go back to the shipped one."""
    settings = dict(project.folder.about.get("settings") or {}) | {"weights": None}
    project.folder.save_about(settings=settings)
    remember(project, "detector", None)
    for name in ("new", "used"):
        shutil.rmtree(project.folder.path / FOLDER / name, ignore_errors=True)
    return "The shipped detector is in use"


def known(project: Project) -> dict[str, dict[str, Any]]:
    """What was trained and compared: ``detector`` and ``embedder``, where there is one."""
    found = dict(project.folder.about.get("teach") or {})
    return {"detector": found} if "rows" in found else found  # as it was before embedders could be taught


def remember(project: Project, kind: str, result: dict[str, Any] | None) -> None:
    """Keep the comparison of a training with the project, or discard it."""
    project.folder.save_about(teach={k: v for k, v in (known(project) | {kind: result}).items() if v} or None)


def work(spec: Path) -> Iterator[dict[str, Any]]:
    """Do what a specification says; gives progress, and at the end the result."""
    import torch

    from packed_scenes.detect import Detector
    from packed_scenes.detect.training.job import Job

    torch.set_num_threads(1)
    task = load_json(spec.read_text(encoding="utf-8"))
    folder, minutes, most = spec.parent, float(task["minutes"]), int(task["steps"])
    start = None if task["weights"] is None else str(spec.parents[2] / task["weights"])
    kept = None if start is None else Path(start).with_suffix(".pt")
    kept = kept if kept is not None and kept.is_file() else None  # it does not travel with a zip: a pickle
    total = round(minutes * 60)
    yield {"stage": "score", "done": 0, "total": total}
    detector = Detector.load(start, confidence=MIN_CONFIDENCE)
    before = _score(detector, task["held"], folder / "images")
    kept = kept or start_weights(detector, sorted((folder / "images").iterdir()))
    yield {"stage": "prepare", "done": 0, "total": total}
    job = Job(
        data=folder / "train.json", images=folder / "images", out=folder / "run", steps=most, every=min(EVERY, most),
        seconds=minutes * 60, seed=int(task["seed"]), patience=most,
        start=None if kept is None else str(kept), device="cpu",
    )  # fmt: skip
    for _ in job.prepare():
        pass
    import time

    began, steps = time.monotonic(), 0
    for row in job.run():
        steps = int(row["step"]) + 1
        part = max(steps / most, (time.monotonic() - began) / (minutes * 60))
        yield {"stage": "teach", "done": min(total - 1, math.floor(part * total)), "total": total}
    if not (folder / "run" / "detector.onnx").is_file():
        raise InputError("no network came out of so short a training", remedy="Give it more minutes.")
    yield {"stage": "score", "done": total, "total": total}
    after = _score(
        Detector.load(folder / "run" / "detector.onnx", confidence=MIN_CONFIDENCE), task["held"], folder / "images"
    )
    yield {"result": {
        "rows": [{"name": name, "before": round(float(getattr(before, key)), 4),
                  "after": round(float(getattr(after, key)), 4)}
                 for name, key in (("AP50", "AP50"), ("AP", "AP"), ("recall at the balance", "balanced50"))],
        "note": f"On {len(task['held'])} corrected photos kept out; trained on {task['trained']} for {steps} steps.",
        "kept": False,
    }}  # fmt: skip


def start_weights(detector: Detector, photos: list[Path]) -> Path | None:
    """The general weights where they find the objects of more than half of the photos (at most ten are looked at)."""
    from packed_scenes.data.images import read_image
    from packed_scenes.detect.load import GENERAL

    if detector.general is None:
        return None
    some = photos[:: max(1, -(-len(photos) // 10))]
    found = [detector.detect_with_info(read_image(photo))[1].sha256 for photo in some]
    return ASSETS / f"{GENERAL}.pt" if 2 * found.count(detector.general.sha256) > len(some) else None


def _score(detector: Any, held: list[dict[str, Any]], images: Path) -> Any:
    from packed_scenes.data.images import read_image
    from packed_scenes.detect.metrics import evaluate

    return evaluate([
        (detector.detect(read_image(images / item["file"])),
         Objects.from_boxes(np.asarray(item["boxes"], np.float32).reshape(-1, 4)), None)
        for item in held
    ])  # fmt: skip


def _coco(items: list[dict[str, Any]]) -> dict[str, Any]:
    images = [
        {"id": n, "file_name": item["file"], "width": item["width"], "height": item["height"]}
        for n, item in enumerate(items, start=1)
    ]
    boxes = [(n, box) for n, item in enumerate(items, start=1) for box in item["boxes"]]
    annotations = [
        {"id": k, "image_id": n, "category_id": 1, "iscrowd": 0, "bbox": [x1, y1, x2 - x1, y2 - y1],
         "area": (x2 - x1) * (y2 - y1)}
        for k, (n, (x1, y1, x2, y2)) in enumerate(boxes, start=1)
    ]  # fmt: skip
    return {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "object"}]}


def main() -> None:
    """Run as a process: print lines of JSON."""
    from contextlib import suppress

    with suppress(OSError, AttributeError):
        os.nice(10)
    from packed_scenes.web.project import embedder_teaching

    def report(line: dict[str, Any]) -> None:
        print(json.dumps(line), flush=True)

    spec = Path(sys.argv[1])
    try:
        if load_json(spec.read_text(encoding="utf-8"))["kind"] == "embedder":
            report({"result": embedder_teaching.work(spec, report)})
        else:
            for line in work(spec):
                report(line)
    except InputError as error:
        print(str(error), flush=True)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
