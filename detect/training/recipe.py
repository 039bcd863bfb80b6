"""The recipe ``packed``: what the shipped weights are trained on.

Endless scenes of the generator with drawn goods and, where the folders are given, real crops as goods and micrographs
of cells and nuclei (their training part). Everything is drawn from the seed.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError, Objects, read_image
from packed_scenes.data.checks import finite
from packed_scenes.data.tables import read_table
from packed_scenes.detect.training.pool import Mixture, Pool, fill
from packed_scenes.detect.training.stacks import walls

Pair = tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]

SHAPES = ((896, 896), (720, 960), (960, 720), (640, 640))
VISIBLE = 0.4  # goods of the back row, of which less is seen, are no objects: they are not counted on a real shelf
COUNT = (5, 350)
CORNERS = ("x1n", "y1n", "x2n", "y2n")  # of micrographs, as shares of the picture's size
MIXTURE = (0.82, 0.08, 0.10)  # shelf, crowd, scatter
MICROGRAPHS = 0.12  # share of the crops
GOODS = {"drawn": 0.55, "packed_products": 0.3, "grocery_store": 0.15}
HELD_OUT_SHARE = 0.2  # of the micrographs of a folder that names no split
WHITE, CUTOUT_PX = (
    244,
    400,
)  # grey value from which the ground of a photo of one thing is white; longest side of a cut-out


@dataclass(frozen=True)
class Cutout:
    """A product on a white studio ground, cut out once."""

    picture: npt.NDArray[np.uint8]  # RGBA

    def render(self, height: int, rng: np.random.Generator | None = None) -> npt.NDArray[np.uint8]:
        """RGBA at a height in pixels, straight alpha."""
        width = max(2, round(height * self.picture.shape[1] / self.picture.shape[0]))
        way = cv2.INTER_AREA if height < self.picture.shape[0] else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(self.picture, (width, height), interpolation=way), np.uint8)


class StudioGoods:
    """Goods from studio pictures on white (``grocery_store``): each is a family of its own."""

    def __init__(self, root: str | Path) -> None:
        self._goods = [c for c in (cut_out(read_image(f)) for f in sorted(Path(root).rglob("*.jpg"))) if c is not None]
        if not self._goods:
            raise InputError("no studio pictures here", file=root, remedy="Name the folder of the data sets.")

    def family(self, rng: np.random.Generator, variants: int) -> Sequence[Cutout]:
        """One product."""
        return [self._goods[int(rng.integers(len(self._goods)))]]


def cut_out(image: npt.NDArray[np.uint8]) -> Cutout | None:
    """Cut the largest thing from a white ground; None if nothing is left."""
    scale = min(1.0, CUTOUT_PX / max(image.shape[:2]))
    image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    mask = cv2.morphologyEx((image.min(2) < WHITE).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None
    largest = max(outlines, key=cv2.contourArea)
    x, y, w, h = cv2.boundingRect(largest)
    if min(w, h) < 24:
        return None
    alpha = np.zeros(image.shape[:2], np.uint8)
    cv2.drawContours(alpha, [largest], -1, 255, -1)
    alpha = np.asarray(cv2.GaussianBlur(alpha, (3, 3), 0), np.uint8)
    return Cutout(np.dstack([image, alpha])[y : y + h, x : x + w])


def scenes(seed: int, *, root: str | Path | None = None) -> Iterator[Pair]:
    """Endless scenes as (RGB picture, (N, 4) boxes).

    Args:
        seed: of everything.
        root: folder that holds ``packed_products`` and ``grocery_store``; without it all goods are drawn.
    """
    from packed_scenes.data.synth import stream

    goods = _goods(None if root is None else Path(root))
    wishes: dict[str, Any] = {
        "layout": "mixed", "mixture": MIXTURE, "count": COUNT, "visible": VISIBLE, "clutter": 0.6, "surround": 0.45
    }  # fmt: skip
    streams = [
        iter(stream(seed * len(SHAPES) + number, size=shape, goods=goods, **wishes))
        for number, shape in enumerate(SHAPES)
    ]
    stacks = walls(goods, seed)
    while True:
        for number, scene in enumerate(map(next, streams)):
            assert scene.truth is not None
            yield scene.image, scene.truth.xyxy
            if number % 2:  # a third of all pictures
                yield next(stacks)


def _goods(root: Path | None) -> Any:
    from packed_scenes.data.synth.sources import CropFolder, DrawnGoods, MixedGoods

    sources: list[tuple[float, Any]] = [(GOODS["drawn"], DrawnGoods())]
    if root is not None and (root / "packed_products").is_dir():
        sources.append((GOODS["packed_products"], CropFolder(root / "packed_products" / "train", soft=True)))
    if root is not None and (root / "grocery_store").is_dir():
        sources.append((GOODS["grocery_store"], StudioGoods(root / "grocery_store" / "iconic-images-and-descriptions")))
    return MixedGoods(sources)


def micrographs(folder: str | Path, *, held_out: bool = False) -> Iterator[Pair]:
    """Pictures with a ``boxes.csv`` of normalised corners (``cells``, ``nuclei``), each once.

    A picture is held out if the table's split says ``test``, or, where it names no split, if a hash of its name falls
    into ``HELD_OUT_SHARE``.

    Raises:
        InputError: if the table is missing.
    """
    table = Path(folder) / "boxes.csv"
    pictures: dict[str, list[list[float]]] = {}
    split: dict[str, str] = {}
    for line, row in read_table(table, "image", "split", *CORNERS).records():
        corners = [finite(row[k]) for k in CORNERS]
        if None in corners:
            raise InputError(f"line {line} is no box", file=table, remedy="Correct it.")
        pictures.setdefault(row["image"], []).append([v or 0.0 for v in corners])
        split[row["image"]] = row["split"]
    for name, boxes in pictures.items():
        draw = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
        test = split[name] == "test" if split[name] else draw < HELD_OUT_SHARE
        if test is held_out:
            image = read_image(Path(folder) / "images" / name)
            height, width = image.shape[:2]
            yield image, np.array(boxes, np.float32) * np.array([width, height] * 2, np.float32)


@dataclass(frozen=True)
class Packed:
    """Material of the recipe.

    Attributes:
        source: what is drawn from.
        validation: unseen scenes of the generator, with another seed.
    """

    source: Mixture
    validation: Sequence[tuple[npt.NDArray[np.uint8], Objects, npt.NDArray[np.float32] | None]]


def prepare(
    folder: str | Path, *, seed: int, count: int, root: str | Path | None, held_out: int = 40
) -> Iterator[int | Packed]:
    """Make (or take up) the pool of scenes in a folder; gives the number of scenes so far, and at last the material.

    Args:
        folder: where the shards are kept; a folder that is part-filled is filled up.
        count: number of scenes; one takes about 0.15 s and 150 kB.
        root: folder of the real data sets (``packed_products``, ``grocery_store``, ``cells``, ``nuclei``), or None.
    """
    folder = Path(folder)
    pool = Pool()
    for shard in sorted(folder.glob("*.npz")):
        pool.extend(shard)
    if len(pool) < count:  # going on with a stream of its own, for which the number of scenes so far is the seed
        for shard in fill(folder, itertools.islice(scenes(seed * 1_000_003 + len(pool), root=root), count - len(pool))):
            pool.extend(shard)
            yield len(pool)
    micro = Pool()
    for name in ("cells", "nuclei"):
        if root is not None and (Path(root) / name).is_dir():
            for image, xyxy in micrographs(Path(root) / name):
                micro.add(image, xyxy)
    unseen = itertools.islice(scenes(seed * 1_000_003 + 999_983, root=root), held_out)
    validation = [(image, Objects.from_boxes(xyxy), None) for image, xyxy in unseen]
    yield Packed(Mixture(((1 - MICROGRAPHS, pool), (MICROGRAPHS, micro))), validation)
