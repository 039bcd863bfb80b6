"""Real pictures with boxes that may train what ships: where they lie, what of them is held out, what is skipped.

Every folder has pictures, a table of boxes in pixels (``file,x1,y1,x2,y2,label``) and a SOURCE.md with its licence.
What is held out is a matter of the file's name alone (:func:`part`), so that training and scoring agree.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError, read_image
from packed_scenes.data.checks import finite
from packed_scenes.data.tables import read_table

Image = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.float32]

CORNERS = ("x1", "y1", "x2", "y2")
HELD_OUT = 0.2  # share of the pictures kept for scores
VALIDATION = 0.05  # and for watching a training
BLACK, LIGHT = 14, 45  # of 255: brighter than this is not black, darker need not be light
SHEARED = 0.12  # share of a box's side along which black stands inside and light outside
RUINED = 0.34  # share of sheared boxes from which a picture does not train


@dataclass(frozen=True)
class RealSet:
    """One folder of pictures.

    Attributes:
        folder: below the root.
        share: of the crops in training.
        images, table: within the folder.
        group: regular expression of the part of a file's name that is held out together (one recording).
        turned: seen from above, so that any way up is as likely.
        repeats: only labels that occur twice in a picture are objects, others are skipped (labels of all kinds).
        below: what lies below the lowest box is skipped (captured pieces).
        shop: goods without boxes in the background are likely.
        sheared: the export damaged some boxes (see :func:`sheared`).
        licence: as its source states it, for the card.
    """

    folder: str
    share: float
    licence: str
    images: str = "images"
    table: str = "labels.csv"
    group: str = r".*"
    turned: bool = False
    repeats: bool = False
    below: bool = False
    shop: bool = False
    sheared: bool = False


REAL_SETS = (
    RealSet(
        "bottles", 0.13, sheared=True,
        licence="Pexels photos in a Roboflow export, CC BY 4.0 as stated (AyeshaImran-61/Bottle-Detection-YOLO)",
    ),
    RealSet("cola", 0.06, "Roboflow export of phone photos, CC BY 4.0 as stated (Amalaseeli/Retail_opencv)", shop=True),
    RealSet("chess", 0.06, "Roboflow public set chess-full v23, public domain (jsansao/ChessPiecesv23)", below=True),
    RealSet("pills", 0.06, "Roboflow export, CC BY 4.0 as stated (thorchh/myPillBox)", turned=True),
    RealSet("tomatoes", 0.09, "Roboflow export, CC BY 4.0 as stated (CodeNBucket/Custom-Tomato-Counter)", turned=True),
    RealSet(
        "cars_aerial", 0.06, "Yauhen Kharuzhy and Minsk OSM community, CC BY-SA (jekhor/aerial-cars-dataset)",
        group=r"DJI[-_]\d+", turned=True,
    ),
    RealSet("coco_open", 0.03, "COCO 2017, pictures of CC BY 2.0, see its licences.csv", repeats=True),
    RealSet(
        "people_intel", 0.06, "Intel IoT DevKit sample videos, CC BY 4.0",
        images="frames", table="frames.csv", group=r"[a-z]+", shop=True,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Photo:
    """One picture: its boxes (N, 4), and the regions (M, 4) from which nothing is to be learned, in pixels.

    ``damaged``: the export sheared some of its boxes; these are among the regions to be skipped.
    """

    name: str
    image: Image
    xyxy: Boxes
    ignore: Boxes
    damaged: bool = False


def part(name: str, real: RealSet) -> str:
    """``"test"`` (held out for scores), ``"validation"`` or ``"train"``, by a hash of the folder and the group."""
    found = re.match(real.group, Path(name).stem)
    key = f"{real.folder}/{found[0] if found else Path(name).stem}"
    draw = int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    return "test" if draw < HELD_OUT else "validation" if draw < HELD_OUT + VALIDATION else "train"


def read_photos(root: str | Path, real: RealSet, *, wanted: str) -> Iterator[Photo]:
    """Pictures of one part of a set, in the order of their names.

    Raises:
        InputError: if the table is missing or a row of it is no box.
    """
    folder = Path(root) / real.folder
    for name, rows in sorted(_table(folder / real.table).items()):
        if part(name, real) == wanted:
            image = read_image(folder / real.images / name)
            xyxy = np.array([box for box, _, _ in rows], np.float32)
            counts = Counter(label for _, label, _ in rows)
            crowd = np.array([crowd for _, _, crowd in rows])
            single = np.array([real.repeats and counts[label] < 2 for _, label, _ in rows])
            sheared_boxes = sheared(image, xyxy) if real.sheared else np.zeros(len(xyxy), bool)
            passed = crowd | single | sheared_boxes
            ignore = xyxy[passed]
            if real.below:
                height, width = image.shape[:2]
                ignore = np.concatenate([ignore, np.array([[0, xyxy[:, 3].max() + 4, width, height]], np.float32)])
            yield Photo(name, image, xyxy[~passed], ignore, damaged=bool(sheared_boxes.any()))


def trains(photo: Photo) -> bool:
    """Whether enough of a picture's boxes are whole."""
    return not photo.damaged or len(photo.ignore) <= RUINED * (len(photo.ignore) + len(photo.xyxy))


def sheared(image: Image, xyxy: Boxes) -> npt.NDArray[np.bool_]:
    """Which boxes' contents an export has sheared inside their frame: black wedges stand just inside a side where
    the picture goes on light just outside.
    """
    light = np.pad(image.max(2).astype(np.int16), 4)  # outside the picture is black: a wedge cannot be recognised there
    sheared_boxes = np.zeros(len(xyxy), bool)
    for number, (x1, y1, x2, y2) in enumerate((np.rint(xyxy) + 4).astype(int).clip(4).tolist()):
        for inside, outside in (
            (light[y1:y2, x1 + 1 : x1 + 3].max(1, initial=0), light[y1:y2, x1 - 3]),
            (light[y1:y2, x2 - 3 : x2 - 1].max(1, initial=0), light[y1:y2, min(x2 + 2, light.shape[1] - 1)]),
            (light[y1 + 1 : y1 + 3, x1:x2].max(0, initial=0), light[y1 - 3, x1:x2]),
            (light[y2 - 3 : y2 - 1, x1:x2].max(0, initial=0), light[min(y2 + 2, light.shape[0] - 1), x1:x2]),
        ):
            count = min(len(inside), len(outside))
            black = (inside[:count] < BLACK) & (outside[:count] > LIGHT)
            sheared_boxes[number] |= bool(black.sum() > max(6, SHEARED * count))
    return sheared_boxes


def _table(path: Path) -> dict[str, list[tuple[list[float], str, bool]]]:
    pictures: dict[str, list[tuple[list[float], str, bool]]] = {}
    for line, row in read_table(path, "file", *CORNERS).records():
        box = [finite(row[k]) for k in CORNERS]
        if None in box:
            raise InputError(f"line {line} is no box", file=path, remedy="Correct it.")
        entry = ([v or 0.0 for v in box], row.get("label", ""), row.get("iscrowd") == "1")
        pictures.setdefault(row["file"], []).append(entry)
    return pictures
