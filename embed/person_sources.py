"""Real people and backgrounds for the training of the person network, read from folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from packed_scenes.data import InputError, read_image
from packed_scenes.data.checks import finite
from packed_scenes.data.folders import IMAGE_SUFFIXES, list_files
from packed_scenes.data.tables import read_table
from packed_scenes.embed.folders import read_folder
from packed_scenes.embed.person_batches import Picture, RealPeople

MAX_HEIGHT = 200  # pixels kept of a crop
BACKGROUND_SIDE = 256  # pixels of a background
MAX_PER_PERSON = 80  # crops kept of one person: those of a long still stretch teach nothing more
MAX_OTHER_IOU = 0.4  # IoU with somebody else's box from which a crop shows two people
MAX_PHOTOS = 300  # backgrounds read


def read_people(root: str | Path, *, dropped: Sequence[str] = ()) -> tuple[tuple[Picture, ...], ...]:
    """Crops by person: class folders, or a folder with ``crops.csv`` (file, person, optional max_iou_other).

    Args:
        root: the folder.
        dropped: people to leave out, by name.

    Returns:
        Per person (by name) up to 80 crops, evenly spaced, at most 200 pixels high.

    Raises:
        InputError: if there are no two people, or a listed file is no picture.
    """
    root = Path(root)
    files: dict[str, list[Path]] = {}
    if (root / "crops.csv").is_file():
        for line, row in read_table(root / "crops.csv", "file", "person").records():
            overlap = finite(row.get("max_iou_other") or "0")
            if overlap is None:
                raise InputError(
                    f"line {line}: max_iou_other is no number", file=root / "crops.csv", remedy="Correct it."
                )
            if overlap <= MAX_OTHER_IOU:
                files.setdefault(row["person"], []).append(root / "crops" / row["file"])
    else:
        folder = read_folder(root)
        for path, label in zip(folder.paths, folder.label.tolist(), strict=True):
            files.setdefault(folder.classes[label], []).append(path)
    for name in dropped:
        files.pop(name, None)
    if len(files) < 2:
        raise InputError(f"{len(files)} people, at least 2 are needed", file=root, remedy="Give crops of more people.")
    out = []
    for name in sorted(files):
        own = files[name]
        picks = np.unique(np.linspace(0, len(own) - 1, min(MAX_PER_PERSON, len(own))).round().astype(int))
        out.append(tuple(_shrink(read_image(own[k]), MAX_HEIGHT) for k in picks.tolist()))
    return tuple(out)


def read_backgrounds(root: str | Path) -> tuple[Picture, ...]:
    """Up to ``MAX_PHOTOS`` photos below a folder, evenly spaced by name, as square (256, 256, 3) pictures.

    Raises:
        InputError: if there is none.
    """
    paths = list_files(Path(root), IMAGE_SUFFIXES) if Path(root).is_dir() else []
    if not paths:
        raise InputError("no pictures below this folder", file=root, remedy="Give a folder of photos.")
    picks = np.unique(np.linspace(0, len(paths) - 1, min(MAX_PHOTOS, len(paths))).round().astype(int))
    return tuple(_square(read_image(paths[k])) for k in picks.tolist())


def real_people(
    people: str | Path | None, backgrounds: str | Path | None, *, dropped: Sequence[str] = ()
) -> RealPeople:
    """What a training can draw on (see the two above); None leaves a part out."""
    return RealPeople(
        crops=() if people is None else read_people(people, dropped=dropped),
        pictures=() if backgrounds is None else read_backgrounds(backgrounds),
    )


def _shrink(picture: Picture, tallest: int) -> Picture:
    scale = tallest / picture.shape[0]
    if scale >= 1:
        return picture
    size = (max(1, round(picture.shape[1] * scale)), tallest)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _square(picture: Picture) -> Picture:
    h, w = picture.shape[:2]
    side = min(h, w)
    y, x = (h - side) // 2, (w - side) // 2
    cut = picture[y : y + side, x : x + side]
    mode = cv2.INTER_AREA if side > BACKGROUND_SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(cut, (BACKGROUND_SIDE, BACKGROUND_SIDE), interpolation=mode), np.uint8)
