"""Folders for measurements of long and large runs: many crops, many photos with what was seen of them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

DISTINCT = 100  # photos that are drawn; the others are links to them
RUN = 5  # copies of an identity that stand side by side at most


def multiply_crops(source: Path, folder: Path, count: int) -> None:
    """Write ``count`` crops, those of ``source`` in turn, each round shifted by some pixels and in other light."""
    from packed_scenes.data.folders import list_images
    from packed_scenes.data.images import read_image, write_image

    there = list_images([source])
    for number in range(count):
        target = folder / f"{number // 1000:03d}" / f"{number:06d}.jpg"
        if target.exists():
            continue
        rng = np.random.default_rng(number)
        image = read_image(there[number % len(there)])
        step = -(-max(image.shape[:2]) // 160)  # small files
        image = image[::step, ::step]
        if number >= len(there):
            cut = rng.integers(0, 1 + np.array(image.shape[:2]) // 16)
            image = np.clip(image[cut[0] :, cut[1] :] * rng.uniform(0.85, 1.15) + rng.normal(0, 3), 0, 255)
        write_image(target, image.astype(np.uint8))


def seen_photos(photos: Path, out: Path, count: int, *, per_photo: int = 100, dim: int = 128) -> None:
    """Write photos, and below ``out`` what a run would have kept of them: ``count`` objects with simulated vectors.

    Boxes stand in a grid; up to ``RUN`` copies of an identity stand side by side, its others in other photos.
    """
    from packed_scenes.data.images import write_image
    from packed_scenes.data.objects import Objects
    from packed_scenes.decision_training.gaussian import simulate
    from packed_scenes.observation import Observation, observation_key, save_observation
    from packed_scenes.settings import Settings
    from packed_scenes.sources import sources

    vectors, identity = simulate(count, dim=dim, sigma=1.1, regime="person")
    order = np.argsort(identity, kind="stable")
    place = np.arange(count) - np.searchsorted(identity[order], identity[order])  # among the copies
    begins = np.flatnonzero(place % RUN == 0)
    runs = np.split(order, begins[1:])
    order = np.concatenate([runs[at] for at in np.random.default_rng(0).permutation(len(runs))])
    side = int(np.ceil(np.sqrt(per_photo)))
    across, down = np.arange(per_photo) % side, np.arange(per_photo) // side
    corner = np.stack([across * 24, down * 36], axis=1).astype(np.float32)
    boxes, size = np.concatenate([corner, corner + np.array([22, 34], np.float32)], axis=1), (side * 36, side * 24)
    photos.mkdir(parents=True)
    for number in range(-(-count // per_photo)):
        file, drawn = (photos / f"p{n:06d}.jpg" for n in (number, number % DISTINCT))
        if number < DISTINCT:
            write_image(file, np.random.default_rng(number).integers(0, 255, (*size, 3), np.uint8))
        else:
            os.link(drawn, file)
    for number, source in enumerate(sources([photos])):
        rows = order[number * per_photo : (number + 1) * per_photo]
        held = Objects.from_boxes(boxes[: len(rows)], embedding=vectors[rows])
        key = observation_key(source.fingerprint(), Settings(), None)
        save_observation(out / ".seen" / f"{source.name}.parquet", Observation(objects=held, size=size), key)
