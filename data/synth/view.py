"""The camera: which part of the canvas is seen, and how obliquely."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.data.synth.spec import SceneSpec


@dataclass(frozen=True)
class View:
    """Canvas size and the homography canvas -> picture that fills the whole picture."""

    height: int
    width: int
    matrix: npt.NDArray[np.float64]


def choose_view(spec: SceneSpec, rnd: Random, *, tilted: bool) -> View:
    """Draw a view: nearly frontal, mildly oblique, or strongly oblique (aisle seen from the side)."""
    height, width = spec.size
    strength = spec.oblique
    quad = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    kind = rnd.random()
    reach = 0.03 if kind < 0.55 or not tilted else 0.10
    jitter = np.array([[rnd.uniform(-1, 1), rnd.uniform(-1, 1)] for _ in range(4)])
    quad += 2 * strength * reach * jitter * (width, height)
    if tilted and kind > 0.87:
        # the far side shows more of the shelf than the near side
        far = 2 * strength * rnd.uniform(0.1, 0.45) * height / 2
        near = -2 * strength * rnd.uniform(0.0, 0.15) * height / 2
        left, right = (far, near) if rnd.random() < 0.5 else (near, far)
        quad += [[0, -left], [0, -right], [0, right], [0, left]]
    angle = 2 * strength * rnd.gauss(0, 0.02)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = quad.mean(axis=0)
    quad = (quad - middle) @ turn.T + middle
    quad -= quad.min(axis=0)
    size = np.ceil(quad.max(axis=0)).astype(int) + 1
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), corners)
    return View(int(size[1]), int(size[0]), np.asarray(matrix, np.float64))
