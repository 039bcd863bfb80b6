"""A scene of coloured squares and an observer that needs no network: boxes are given, the vector is the mean colour."""

from types import SimpleNamespace

import numpy as np
import pytest

from packed_scenes.data import Objects
from packed_scenes.observation import Observation
from packed_scenes.settings import Settings

COLOURS = np.array([[230, 30, 30], [30, 200, 40], [40, 60, 240], [240, 220, 30]], np.uint8)


class ColourObserver:
    """Takes each non-grey 20 px square of a painted picture as an object."""

    def __init__(self) -> None:
        self.settings = Settings()
        self.embedder = SimpleNamespace(card={"calibration": {"threshold": 0.05}}, weights_hash="0" * 64, dimension=3)
        self.calls = 0

    def load(self, *, detect):
        """It needs no model."""

    def observe(self, scene, boxes=None):
        self.calls += 1
        if boxes is None:
            boxes = squares(scene.image)
        centre = boxes.center.astype(int)
        vectors = scene.image[centre[:, 1], centre[:, 0]].astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return Observation(
            objects=boxes.replace(embedding=vectors), size=(scene.height, scene.width), seconds={"embed": 0.0}
        )


def squares(image):
    """The boxes of a picture made by :func:`paint`."""
    height, width = image.shape[:2]
    ys, xs = np.meshgrid(np.arange(0, height, 30), np.arange(0, width, 30), indexing="ij")
    corners = np.stack([xs.ravel(), ys.ravel()], 1) + 5
    filled = image[corners[:, 1] + 10, corners[:, 0] + 10].std(axis=1) > 0
    corners = corners[filled]
    return Objects.from_boxes(np.concatenate([corners, corners + 20], 1))


def paint(rows):
    """A grey picture with one 20 px square per cell of ``rows``: a colour number, or None for an empty cell."""
    image = np.full((30 * len(rows), 30 * len(rows[0]), 3), 120, np.uint8)
    for r, row in enumerate(rows):
        for c, colour in enumerate(row):
            if colour is not None:
                image[30 * r + 5 : 30 * r + 25, 30 * c + 5 : 30 * c + 25] = COLOURS[colour]
    return image


@pytest.fixture
def observer():
    return ColourObserver()
