"""``Scene``: one picture with its name and, if known, its truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import Objects
from packed_scenes.data.rgb import check_image


@dataclass(frozen=True, eq=False)
class Scene:
    """One full picture.

    Attributes:
        image: (H, W, 3) uint8, RGB.
        name: short name, unique within a run; names the scene's output folder.
        truth: labelled objects (their ``cluster`` is the true identity), or None.

    Raises:
        InputError: if the image has another shape or type, or the name is empty.
    """

    image: npt.NDArray[np.uint8]
    name: str
    truth: Objects | None = None

    def __post_init__(self) -> None:
        check_image(self.image)
        if not self.name:
            raise InputError("scene name is empty", remedy="Give every scene a name.")

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """Read a picture file; its stem is the scene's name.

        Raises:
            InputError: if the file is no readable picture.
        """
        from packed_scenes.data.images import read_image

        return cls(image=read_image(path), name=Path(path).stem)

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.image.shape[0])

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.image.shape[1])
