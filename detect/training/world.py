"""The recipe ``world``: what the shipped weights are trained on further, so that they see more than shelves.

Real pictures with boxes (``pictures``), scenes composed of things lifted from them (``composites``), and the generated
scenes, stacks and micrographs of the recipe ``packed``, so that what was learned of shelves is kept. All is drawn from
the seed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from packed_scenes.data import Objects
from packed_scenes.data.folders import list_images
from packed_scenes.data.images import read_image
from packed_scenes.data.overlaps import pairwise_iou
from packed_scenes.detect.detector import Detector
from packed_scenes.detect.training.composites import Composites, lift
from packed_scenes.detect.training.pictures import REAL_SETS, Photo, RealSet, read_photos, trains
from packed_scenes.detect.training.pool import Example, Mixture, Pool
from packed_scenes.detect.training.recipe import Packed, prepare

GENERATED = 0.42  # share of the crops that the recipe ``packed`` gives, a tenth of them micrographs
COMPOSED = 0.12
LIFTED_PER_SET = 120  # objects lifted from each set
VEHICLES = 60
OBJECT_SCORE, CLUTTER_SCORE = (
    0.6,
    0.2,
)  # scores from which what was found beside the boxes is an object, or at least no ground
MAX_OTHER_IOU = 0.3  # IoU with a given box under which a found one is another object
VALIDATION_PICTURES = 5  # pictures of each set, and generated ones times two, in the validation


@dataclass(frozen=True)
class Turned:
    """Pictures seen from above: drawn any way up (quarter turns)."""

    pool: Pool

    def __len__(self) -> int:
        return len(self.pool)

    def draw(self, rng: np.random.Generator) -> Example:
        """One picture at random, turned at random."""
        return turn(self.pool.draw(rng), int(rng.integers(4)))


def turn(example: Example, quarters: int) -> Example:
    """Turn a picture counter-clockwise by quarter turns, with its boxes."""
    image, xyxy, ignore = example.image, example.xyxy, example.ignore
    for _ in range(quarters % 4):
        width = image.shape[1]
        image = np.rot90(image)
        xyxy, ignore = (
            np.stack([b[:, 1], width - b[:, 2], b[:, 3], width - b[:, 0]], 1).astype(np.float32) for b in (xyxy, ignore)
        )
    return Example(np.ascontiguousarray(image), xyxy, example.class_id, ignore)


def with_found(photo: Photo, detector: Detector) -> Photo:
    """Add what a detector finds beside the boxes of a picture of a shop: as objects where it is sure, else as regions
    to be skipped.
    """
    found = replace(detector, confidence=CLUTTER_SCORE).detect(photo.image)
    given = np.concatenate([photo.xyxy, photo.ignore])
    apart = pairwise_iou(found.xyxy, given).max(1, initial=0.0) < MAX_OTHER_IOU
    centre = (found.xyxy[:, :2] + found.xyxy[:, 2:]) / 2
    within = np.all((centre[:, None] > given[None, :, :2]) & (centre[:, None] < given[None, :, 2:]), axis=2)
    inside = np.any(within, axis=1)
    score = found.score if found.score is not None else np.ones(len(found), np.float32)
    sure = apart & ~inside & (score >= OBJECT_SCORE)
    return replace(
        photo,
        xyxy=np.concatenate([photo.xyxy, found.xyxy[sure]]),
        ignore=np.concatenate([photo.ignore, found.xyxy[apart & ~inside & ~sure]]),
    )


def prepare_world(
    folder: str | Path, *, seed: int, count: int, root: str | Path | None, detector: Detector | None = None
) -> Iterator[int | Packed]:
    """Make the material; gives the number of pictures so far, and at last the material.

    Args:
        folder: where generated scenes are kept; see :func:`packed_scenes.detect.training.recipe.prepare`.
        count: number of generated scenes.
        root: folder of the real data sets.
        detector: what is found beside the boxes of pictures of shops; default: the shipped weights.
    """
    root = Path(root or ".")
    for made in prepare(folder, seed=seed, count=count, root=root, held_out=2 * VALIDATION_PICTURES):
        if isinstance(made, Packed):
            generated = made
        else:
            yield made
    detector = detector or Detector.load(device="cpu", backend="torch")
    parts: list[tuple[float, Pool | Turned | Composites]] = []
    lifted: list[list[npt.NDArray[np.uint8]]] = []
    grounds: list[tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]] = []
    watched = list(generated.validation)
    done = count
    for real in REAL_SETS:
        if not (root / real.folder).is_dir():
            continue
        pool, things = Pool(), list[npt.NDArray[np.uint8]]()
        for photo in read_photos(root, real, wanted="train"):
            if trains(photo):
                photo = with_found(photo, detector) if real.shop else photo
                pool.add(photo.image, photo.xyxy, ignore=photo.ignore)
                things += _lift_some(photo, real, len(things))
                grounds.append((photo.image, np.concatenate([photo.xyxy, photo.ignore])))
                done += 1
                yield done
        shown = itertools.islice(read_photos(root, real, wanted="validation"), VALIDATION_PICTURES)
        watched += [(photo.image, Objects.from_boxes(photo.xyxy), photo.ignore) for photo in shown]
        parts.append((real.share, Turned(pool) if real.turned else pool))
        lifted.append(things)
    lifted += _vehicles(root, seed)
    composed = Composites([things for things in lifted if things], grounds)
    share = sum(s for s, _ in parts)
    left = 1 - GENERATED - COMPOSED
    yield Packed(
        Mixture(((GENERATED, generated.source), (COMPOSED, composed), *((left * s / share, p) for s, p in parts))),
        watched,
    )


def _lift_some(photo: Photo, real: RealSet, have: int) -> list[npt.NDArray[np.uint8]]:
    """A few objects of a picture, the largest first."""
    if real.repeats or have >= LIFTED_PER_SET or real.folder == "people_intel":
        return []
    area = np.prod(photo.xyxy[:, 2:] - photo.xyxy[:, :2], axis=1)
    tries = [lift(photo.image, photo.xyxy[i]) for i in np.argsort(-area)[:3]]
    return [thing for thing in tries if thing is not None]


def _vehicles(root: Path, seed: int) -> list[list[npt.NDArray[np.uint8]]]:
    """Vehicles of ``vehicle_reid``, whose pictures are tight crops."""
    files = list_images([root / "vehicle_reid"]) if (root / "vehicle_reid").is_dir() else []
    order = np.random.default_rng(seed).permutation(len(files))[:VEHICLES]
    things = []
    for number in sorted(order.tolist()):
        image = read_image(files[number])
        height, width = image.shape[:2]
        thing = lift(image, np.array([0.04 * width, 0.04 * height, 0.96 * width, 0.96 * height], np.float32))
        if thing is not None:
            things.append(thing)
    return [things]
