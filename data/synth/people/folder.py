"""A folder of crops of drawn people, whose names say who and which camera: for trying what counts and sorts crops."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import write_text
from packed_scenes.data.images import write_image
from packed_scenes.data.synth.people.crops import shoot
from packed_scenes.data.text import load_json

SITE = 100  # people who pass the same cameras
WIDTH, HEIGHT = 64, 128  # pixels of a crop


def write_people(folder: Path, people: int, *, views: int, seed: int = 0, quality: int = 92) -> Iterator[int]:
    """Draw crops as ``IDENTITY_cCAMERA_VIEW.jpg``; gives the number of people so far, after every hundred.

    Args:
        folder: made if it is not there; hundreds that are there whole are not drawn again. ``people.json`` says how it
            was made.
        people: number of identities; pairs of them look alike.
        views: crops of each, by at least two cameras.
        seed: of everything.
        quality: of the JPEG files.

    Raises:
        InputError: if a number is below 1, or the folder was made with others.
    """
    if people < 1 or views < 1:
        raise InputError(f"people and crops of each must be at least 1, got {people} and {views}")
    record, made = folder / "people.json", {"seed": seed, "views": views, "quality": quality}
    if not record.is_file():
        if folder.is_dir() and any(folder.iterdir()):
            raise InputError("this folder is not empty", file=folder, remedy="Choose a new one.")
        write_text(record, json.dumps(made) + "\n")
    elif _read(record) != made:
        raise InputError(
            "made with another seed, number of crops or quality", file=record, remedy="Choose a new folder."
        )
    for first in range(0, people, SITE):
        last = min(people, first + SITE)
        there = {(name[0], name[2]) for name in (path.stem.split("_") for path in folder.glob("*_c*_*.jpg"))}
        if not {(f"{who:05d}", f"{view:03d}") for who in range(first, last) for view in range(views)} <= there:
            drawn = shoot(
                np.random.default_rng([seed, first]), people=last - first, views=views, width=WIDTH, height=HEIGHT
            )
            for row, (who, camera) in enumerate(zip(drawn.label.tolist(), drawn.camera.tolist(), strict=True)):
                name = f"{first + who:05d}_c{camera + 1}_{row % views:03d}.jpg"
                write_image(folder / name, drawn.pixels[row], quality=quality)
        yield last


def _read(record: Path) -> object:
    try:
        return load_json(record.read_text("utf-8"))
    except (OSError, ValueError):  # damaged: made with who knows what
        return None
