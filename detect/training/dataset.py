"""A user's labelled pictures as training material."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from packed_scenes.data import InputError, Scene
from packed_scenes.data.labelled import LabelledScene
from packed_scenes.detect.training.pool import Pool

LONGEST = 1536  # px: pictures are kept at most this long, about 250 kB each
GREY = 114


@dataclass(frozen=True)
class LabelledSet:
    """Training and validation pictures.

    Attributes:
        train, validation: labelled pictures.
        names: class names; one name in class-agnostic training.
        agnostic: all classes are taken as one.
    """

    train: tuple[LabelledScene, ...]
    validation: tuple[LabelledScene, ...]
    names: tuple[str, ...]
    agnostic: bool


def read_labelled(
    path: str | Path,
    *,
    images: str | Path | None = None,
    keep_classes: bool = False,
    held_out: float = 0.15,
    seed: int = 0,
) -> LabelledSet:
    """Read a YOLO data set (``data.yaml`` with ``train`` and, if it has one, ``val``) or a COCO file (``.json``).

    Args:
        path: the YAML or JSON file, or a folder that holds one ``data.yaml`` or one ``.json``.
        images: folder of the pictures of a COCO file; by default beside it.
        keep_classes: tell the classes apart; else every object is of the class ``object``.
        held_out: share of the pictures (at least one) taken for validation where the data name none.

    Raises:
        InputError: if there is no such data, or fewer than two pictures with objects.
    """
    from packed_scenes.data.coco import read_coco
    from packed_scenes.data.yolo import read_yolo

    file = _data_file(Path(path))
    validation: list[LabelledScene] = []
    if file.suffix == ".json":
        train = read_coco(file, images=images)
    else:
        train = read_yolo(file, split="train")
        try:
            validation = read_yolo(file, split="val")
        except InputError:
            validation = []
    if sum(len(s.truth) > 0 for s in train) < 2:
        raise InputError("at least two pictures with objects are needed to train", file=file)
    if not validation:
        order = np.random.default_rng(seed).permutation(len(train))
        count = max(1, round(held_out * len(train)))
        validation = [train[i] for i in sorted(order[:count])]
        train = [train[i] for i in sorted(order[count:])]
    names = train[0].categories if keep_classes and train[0].categories else ("object",)
    return LabelledSet(tuple(train), tuple(validation), names, agnostic=len(names) == 1)


def _data_file(path: Path) -> Path:
    if path.is_dir():
        found = sorted([*path.glob("*.yaml"), *path.glob("*.yml")]) or sorted(path.glob("*.json"))
        if len(found) != 1:
            raise InputError(
                f"expected one data.yaml or one .json here, found {len(found)}", file=path, remedy="Name the file."
            )
        return found[0]
    if path.suffix not in (".json", ".yaml", ".yml"):
        raise InputError("training data must be a YOLO data.yaml or a COCO .json", file=path)
    return path


def to_pool(scenes: Sequence[LabelledScene], *, agnostic: bool) -> Pool:
    """Read the pictures, shrink large ones, paint ignore regions grey, and keep all as JPEG in memory."""
    pool = Pool()
    for scene in scenes:
        loaded: Scene = scene.load()
        image, factor = loaded.image.copy(), min(1.0, LONGEST / max(loaded.image.shape[:2]))
        for x1, y1, x2, y2 in np.rint(scene.ignore).astype(int).clip(0):
            image[y1:y2, x1:x2] = GREY
        if factor < 1:
            image = np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
        ratio = np.array([image.shape[1] / loaded.width, image.shape[0] / loaded.height] * 2, np.float32)
        classes = np.zeros(len(scene.truth), np.int64) if agnostic else scene.truth.class_id
        pool.add(image, scene.truth.xyxy * ratio, classes)
    return pool
