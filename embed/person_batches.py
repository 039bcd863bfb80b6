"""Training batches of people: drawn ones who pass the cameras of one site, and a few real ones taken again.

A batch is a pure function of (seed, step): people are drawn while the training runs, none is stored, and no two batches
share one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from torch.utils.data import IterableDataset

from packed_scenes.data.synth.people import retake, sample_camera, shoot

Picture = npt.NDArray[np.uint8]
Batch = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


@dataclass
class RealPeople:
    """Crops of real people by identity, and photos for the backgrounds of drawn ones.

    Attributes:
        crops: per identity its (h, w, 3) uint8 crops.
        pictures: (H, W, 3) uint8 photos.
    """

    crops: Sequence[Sequence[Picture]] = ()
    pictures: Sequence[Picture] = ()


class PeopleBatches(IterableDataset[Batch]):
    """Endless batches from ``start`` on: ((B, H, W, 3) uint8, (B,) int64 identities, which count within a batch).

    Args:
        width, height: canvas in pixels.
        people, views: drawn identities per batch and crops of each.
        group: drawn identities that look alike.
        real: real people; ``real_people`` of them per batch, with as many views.
        seed, start: the batch of step s is a function of (seed, s).
    """

    def __init__(
        self,
        *,
        width: int,
        height: int,
        people: int = 16,
        views: int = 4,
        group: int = 2,
        real: RealPeople | None = None,
        real_people: int = 3,
        seed: int = 0,
        start: int = 0,
    ) -> None:
        self.width, self.height, self.people, self.views, self.group = width, height, people, views, group
        self.real, self.seed, self.start = real or RealPeople(), seed, start
        self.real_people = min(real_people, len(self.real.crops))

    def batch(self, step: int) -> Batch:
        """The batch of one step."""
        rng = np.random.default_rng([self.seed, step])
        drawn = shoot(
            rng, people=self.people, views=self.views, width=self.width, height=self.height, group=self.group,
            pictures=self.real.pictures,
        )  # fmt: skip
        pixels, label = [drawn.pixels], [drawn.label]
        chosen = rng.permutation(len(self.real.crops))[: self.real_people].tolist()
        cameras = [sample_camera(rng, self.real.pictures[:1]) for _ in range(3)] if chosen else []
        for number, identity in enumerate(chosen):
            own = self.real.crops[identity]
            picks = rng.choice(len(own), self.views, replace=len(own) < self.views)
            views = [
                retake(own[int(pick)], cameras[int(rng.integers(3))], rng, width=self.width, height=self.height)
                for pick in picks
            ]
            pixels.append(np.stack(views))
            label.append(np.full(self.views, self.people + number, np.int64))
        return np.concatenate(pixels), np.concatenate(label)

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(1)
        step = self.start
        while True:
            yield self.batch(step)
            step += 1
