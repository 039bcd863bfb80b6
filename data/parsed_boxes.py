"""``ParsedBoxes``: what a reader of label files found, before it is known which pictures are meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.checks import Size
from packed_scenes.data.objects import Objects


@dataclass
class ParsedBoxes:
    """Boxes by picture.

    Attributes:
        scenes: objects by picture name as the file has it; ``""`` where the file names no picture.
        sizes: (width, height) of the pictures for which the file says it.
        warnings: one line each.
        names: class names by ``class_id``, where the file has names.
        fractions: the boxes are fractions of the picture's size, not pixels.
    """

    scenes: dict[str, Objects] = field(default_factory=dict)
    sizes: dict[str, Size] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    names: tuple[str, ...] = ()
    fractions: bool = False


def bounds_of_rotated(box: Sequence[float], degrees: float, *, about: tuple[float, float] | None = None) -> list[float]:
    """Return the upright box around a box turned clockwise (y points down) about a point, by default its middle.

    Args:
        box: x1, y1, x2, y2 in pixels.
        degrees: of the turn.
        about: the point that stays, in pixels.
    """
    x1, y1, x2, y2 = box
    middle = np.array(about if about is not None else ((x1 + x2) / 2, (y1 + y2) / 2))
    angle = np.deg2rad(degrees % 360)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners: npt.NDArray[Any] = (np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]) - middle) @ turn.T + middle
    corners = corners.round(6)
    return [*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist()]
