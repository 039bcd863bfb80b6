"""A user's labelled pictures as training material."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from packed_scenes.data import InputError, Scene
from packed_scenes.data.labelled import LabelledScene
from packed_scenes.detect.training.pool import Pool

MAX_SIDE = 1536  # px: pictures are kept at most this long, about 250 kB each
GREY = 114
ROBOFLOW = "_annotations.coco.json"  # the labels of a split in its COCO exports
HELD_OUT = 0.15  # share of the pictures (at least one) that validate where the data name none


@dataclass(frozen=True)
class LabelledSet:
    """Training and validation pictures.

    Attributes:
        train, validation: labelled pictures.
        names: class names; one name in class-agnostic training.
        agnostic: all classes are taken as one.
        warnings: what was corrected or left out, one line each.
    """

    train: tuple[LabelledScene, ...]
    validation: tuple[LabelledScene, ...]
    names: tuple[str, ...]
    agnostic: bool
    warnings: tuple[str, ...] = ()


def read_labelled(
    path: str | Path,
    *,
    images: str | Path | None = None,
    keep_classes: bool = False,
    seed: int = 0,
) -> LabelledSet:
    """Read a YOLO data set (``data.yaml`` with ``train`` and, if it has one, ``val``) or a COCO file (``.json``).

    Args:
        path: the YAML or JSON file, or a folder that holds one ``data.yaml``, one ``.json``, or a COCO export of
            Roboflow (``train/_annotations.coco.json`` and, if it has one, ``valid/…``).
        images: folder of the pictures of a COCO file; by default beside it.
        keep_classes: tell the classes apart; else every object is of the class ``object``.

    Raises:
        InputError: if there is no such data, a split that is named is not there or has no good picture, or there are
            fewer than two pictures with objects.
    """
    from packed_scenes.data.coco import read_coco
    from packed_scenes.data.yolo import read_yolo
    from packed_scenes.data.yolo_split import has_split

    file = _data_file(Path(path))
    validation: list[LabelledScene] = []
    if file.suffix.lower() == ".json":
        train = read_coco(file, images=images)
        other = _roboflow_validation(file)
        if other is not None:
            validation = read_coco(other)
            if validation and train and validation[0].categories != train[0].categories:
                raise InputError("has other categories than the training file", file=other, remedy="Export both again.")
    else:
        train = read_yolo(file, split="train")
        if has_split(file, "val"):  # a fault in it is an error: other pictures would give other figures
            validation = read_yolo(file, split="val")
    if sum(len(s.truth) > 0 for s in train) < 2:
        raise InputError("at least two pictures with objects are needed to train", file=file, remedy="Label more.")
    if not validation:
        order = np.random.default_rng(seed).permutation(len(train))
        count = max(1, round(HELD_OUT * len(train)))
        validation = [train[i] for i in sorted(order[:count])]
        train = [train[i] for i in sorted(order[count:])]
    names = train[0].categories if keep_classes and train[0].categories else ("object",)
    warnings = tuple(line for scene in (*train, *validation) for line in scene.warnings)
    return LabelledSet(tuple(train), tuple(validation), names, agnostic=len(names) == 1, warnings=warnings)


def _data_file(path: Path) -> Path:
    if path.is_dir():
        found = sorted([*path.glob("*.yaml"), *path.glob("*.yml")]) or sorted(path.glob("*.json"))
        found = found or [p for p in [path / "train" / ROBOFLOW] if p.is_file()]
        if len(found) != 1:
            raise InputError(
                f"expected one data.yaml or one .json here, found {len(found)}", file=path, remedy="Name the file."
            )
        return found[0]
    if path.suffix.lower() not in (".json", ".yaml", ".yml"):
        raise InputError(
            "training data must be a YOLO data.yaml or a COCO .json", file=path, remedy="Name such a file."
        )
    return path


def _roboflow_validation(file: Path) -> Path | None:
    """The validation labels of a COCO export of Roboflow, if ``file`` are its training labels."""
    if file.name != ROBOFLOW or file.parent.name != "train":
        return None
    return next((p for name in ("valid", "val") if (p := file.parent.parent / name / ROBOFLOW).is_file()), None)


def load_scenes(
    scenes: Sequence[LabelledScene], errors: list[tuple[str, str]]
) -> Iterator[tuple[LabelledScene, Scene]]:
    """Read the pictures; those that cannot be used are left out.

    Args:
        scenes: labelled pictures.
        errors: receives (file, reason).

    Raises:
        InputError: the first reason, if none can be used.
    """
    first: InputError | None = None
    good = 0
    for scene in scenes:
        try:
            loaded = scene.load()
        except InputError as error:
            first = first or error
            errors.append((str(scene.image), str(error)))
            continue
        good += 1
        yield scene, loaded
    if first is not None and not good:
        raise first


def to_pool(scenes: Sequence[LabelledScene], *, agnostic: bool, errors: list[tuple[str, str]] | None = None) -> Pool:
    """Read the pictures, shrink large ones, paint ignore regions grey, and keep all as JPEG in memory.

    Args:
        scenes: labelled pictures.
        agnostic: take all classes as one.
        errors: receives (file, reason) of pictures that were left out.

    Raises:
        InputError: if no picture can be used.
    """
    pool = Pool()
    for scene, loaded in load_scenes(scenes, [] if errors is None else errors):
        image, factor = loaded.image.copy(), min(1.0, MAX_SIDE / max(loaded.image.shape[:2]))
        for x1, y1, x2, y2 in np.rint(scene.ignore).astype(int).clip(0):
            image[y1:y2, x1:x2] = GREY
        if factor < 1:
            image = np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
        ratio = np.array([image.shape[1] / loaded.width, image.shape[0] / loaded.height] * 2, np.float32)
        classes = np.zeros(len(scene.truth), np.int64) if agnostic else scene.truth.class_id
        pool.add(image, scene.truth.xyxy * ratio, classes)
    return pool
