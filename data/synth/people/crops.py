"""Endless labelled crops of drawn people: the same person by several cameras, among others who look alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packed_scenes.data.synth.canvas import Picture
from packed_scenes.data.synth.people.appearance import sample_appearance, variants
from packed_scenes.data.synth.people.figure import render_person
from packed_scenes.data.synth.people.site import Camera, compose, sample_camera, take
from packed_scenes.data.synth.people.skeleton import sample_pose
from packed_scenes.data.synth.people.wardrobe import sew

BODY = 104  # pixels at which bodies are drawn before the camera shrinks or enlarges them


@dataclass(frozen=True)
class Crops:
    """(N, height, width, 3) uint8 crops with (N,) int64 identity and (N,) int64 camera."""

    pixels: npt.NDArray[np.uint8]
    label: npt.NDArray[np.int64]
    camera: npt.NDArray[np.int64]


def shoot(
    rng: np.random.Generator,
    *,
    people: int,
    views: int,
    width: int,
    height: int,
    group: int = 2,
    cameras: int = 5,
    pictures: Sequence[Picture] = (),
) -> Crops:
    """Draw one site: people who come past its cameras.

    Args:
        rng: source of all randomness.
        people: number of identities.
        views: crops of each, by at least two cameras.
        width, height: canvas in pixels; crops are stretched to it.
        group: how many people are variants of each other, see
            :func:`packed_scenes.data.synth.people.appearance.variants`.
        cameras: number of cameras of the site.
        pictures: photos for backgrounds.

    Returns:
        ``people * views`` crops, ordered by identity.
    """
    site = [sample_camera(rng, pictures) for _ in range(cameras)]
    pixels = np.empty((people * views, height, width, 3), np.uint8)
    where = np.empty(people * views, np.int64)
    kept: list[Picture] = []  # figures that are in the way of others
    row = 0
    for start in range(0, people, group):
        for appearance in variants(sample_appearance(rng), rng, min(group, people - start)):
            worn = sew(appearance)
            own = rng.permutation(cameras)[: min(cameras, int(rng.integers(2, 4)))]
            for number in range(views):
                which = int(own[number % len(own)])
                camera = site[which]
                figure = render_person(
                    appearance, sample_pose(rng), camera.view(rng), height=BODY, rng=rng, wardrobe=worn
                )
                other = kept[int(rng.integers(len(kept)))] if kept and rng.random() < 0.25 else None
                pixels[row] = take(compose(figure, camera, rng, other=other), camera, rng, width=width, height=height)
                where[row] = which
                row += 1
                if rng.random() < 0.2:
                    kept = [*kept[-15:], figure]
    return Crops(pixels, np.repeat(np.arange(people), views), where)


def retake(crop: Picture, camera: Camera, rng: np.random.Generator, *, width: int, height: int) -> Picture:
    """Take a real (h, w, 3) crop again by a drawn camera: its light, tone, sharpness and box errors."""
    h, w = crop.shape[:2]
    top, bottom, left, right = np.clip(np.abs(rng.normal(0, camera.box_error, 4)), 0, 0.12) * [h, h, w, w]
    if rng.random() < 0.12:
        bottom = h * rng.uniform(0.1, 0.45)
    cut = crop[int(top) : max(int(top) + 4, int(h - bottom)), int(left) : max(int(left) + 4, int(w - right))]
    if rng.random() < 0.5:
        cut = cut[:, ::-1]
    return take(cut.astype(np.float32), camera, rng, width=width, height=height)
