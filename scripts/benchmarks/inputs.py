"""The pictures that the stages share: real ones where they are at hand, generated ones of the same size elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from packed_scenes.data.labelled import LabelledScene
    from packed_scenes.data.objects import Objects

SIZE = (3280, 2464)  # height and width of the reference's photo


@dataclass(frozen=True)
class Work:
    """What the user asked for.

    Attributes:
        data: folder of real pictures (``packed_products``, ``shelf_scenes``, …), or None.
        turns: measured turns of each job.
        tiny: sizes at which a stage takes a second: to see that it works, not to measure.
        rows: number of vectors, where a stage lets it be chosen.
        seeds: simulated scenes per size.
        embedder: name or file.
        descriptors: ``NAME=FILE`` of peers' weights.
        scratch: folder for what is written while measuring.
        bank: bank of vectors of ``train-decision``, or None.
    """

    data: Path | None
    scratch: Path
    turns: int = 7
    tiny: bool = False
    rows: int | None = None
    seeds: int = 20
    embedder: str = "default"
    descriptors: tuple[str, ...] = ()
    bank: Path | None = None

    def folder(self, name: str) -> Path | None:
        """A folder of real pictures, or None."""
        found = None if self.data is None else self.data / name
        return found if found is not None and found.is_dir() else None


@dataclass(frozen=True)
class Photo:
    """One picture file with boxes, and where it is from."""

    path: Path
    image: npt.NDArray[np.uint8]
    boxes: Objects
    name: str


def photo(work: Work) -> Photo:
    """The reference's own photo with its 63 boxes; a generated shelf of the same size where it is not at hand."""
    return _photo(work.folder("packed_products"), work.scratch, work.tiny)


@cache
def _photo(folder: Path | None, scratch: Path, tiny: bool) -> Photo:
    from packed_scenes.data.boxes import read_boxes
    from packed_scenes.data.images import read_image, write_image

    if folder is not None and not tiny:
        path = folder / "test" / "shelf.jpeg"
        boxes, _ = read_boxes(folder / "test" / "shelf.json").for_image(path)
        return Photo(path, read_image(path), boxes, f"the reference's photo, {SIZE[1]} x {SIZE[0]}, {len(boxes)} boxes")
    from packed_scenes.data.synth import generate

    size, count = ((400, 300), 20) if tiny else (SIZE, 63)
    scene = generate(7, size=size, count=(count, count), jpeg=0.0)
    assert scene.truth is not None
    path = scratch / "generated.jpg"
    write_image(path, scene.image, quality=92)
    boxes = scene.truth.replace(cluster=None)
    return Photo(path, read_image(path), boxes, f"a generated shelf, {size[1]} x {size[0]}, {len(boxes)} boxes")


def labelled(work: Work) -> tuple[list[LabelledScene], str]:
    """Scenes with boxes and identities: shelf_scenes, or the bundled samples where they are not at hand."""
    from packed_scenes.data.coco import read_coco
    from packed_scenes.data.shipped import SAMPLE_FOLDER

    folder = work.folder("shelf_scenes")
    if folder is None or work.tiny:
        scenes = read_coco(SAMPLE_FOLDER / "annotations.json")
        return scenes[:1], "the bundled sample (generated)"
    scenes = read_coco(folder / "annotations.json")
    return scenes, f"{len(scenes)} photos of real shelves, {sum(len(s.truth) for s in scenes)} boxes"
