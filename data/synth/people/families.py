"""Drawn people as goods of the scenes generator: families of persons who are easily taken for each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import cv2
import numpy as np

from packed_scenes.data.synth.canvas import Picture
from packed_scenes.data.synth.people.appearance import Appearance, sample_appearance
from packed_scenes.data.synth.people.appearance import variants as alike
from packed_scenes.data.synth.people.figure import render_person
from packed_scenes.data.synth.people.skeleton import sample_pose
from packed_scenes.data.synth.people.tube import View
from packed_scenes.data.synth.pool import Renderable


@dataclass(frozen=True)
class Person:
    """One person; each of its ``takes`` pictures shows another pose from another side."""

    appearance: Appearance
    seed: int
    takes: int = 3

    def render(self, height: int, rng: np.random.Generator | None = None) -> Picture:
        """Draw it; see :class:`packed_scenes.data.synth.pool.Renderable`."""
        rng = np.random.default_rng(self.seed) if rng is None else rng
        view = View(
            yaw=float(rng.uniform(0, 2 * pi)), pitch=float(rng.uniform(0, 0.35)), near=float(rng.uniform(0, 0.15)),
            light=(float(rng.uniform(-1, 1)), float(rng.uniform(0.15, 0.6))),
        )  # fmt: skip
        figure = render_person(self.appearance, sample_pose(rng), view, height=height, rng=rng)
        width = max(4, round(figure.shape[1] * height / figure.shape[0]))
        mode = cv2.INTER_AREA if figure.shape[0] > height else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(figure, (width, height), interpolation=mode), np.uint8)


class PeopleSource:
    """Families of people dressed alike; see :func:`packed_scenes.data.synth.people.appearance.variants`."""

    def family(self, rng: np.random.Generator, variants: int) -> Sequence[Renderable]:
        """Return some people; see :class:`packed_scenes.data.synth.pool.Source`."""
        looks = alike(sample_appearance(rng), rng, variants)
        return [Person(appearance, int(rng.integers(2**31))) for appearance in looks]
