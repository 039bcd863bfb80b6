"""``LabelledScene``: what a labelled picture says, before its pixels are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from packed_scenes.data.checks import Size, check_size
from packed_scenes.data.errors import InputError
from packed_scenes.data.images import Warn, read_image
from packed_scenes.data.objects import Objects
from packed_scenes.data.scene import Scene


@dataclass(frozen=True, eq=False)
class LabelledScene:
    """Truth of one picture.

    Attributes:
        image: the picture file; it need not exist until :meth:`load`.
        name: short name, unique within its label file.
        truth: labelled objects; ``cluster`` is the index of their category in ``categories``.
        size: (width, height) in pixels, or None where the labels do not say.
        ignore: (M, 4) float32 boxes of regions that are not labelled object by object; a detection mostly inside one
            counts neither way.
        identity_uncertain: (N,) bool; True = counts for detection, not for identity.
        categories: category names by index; the same tuple for all scenes of a label file.
        warnings: what had to be corrected, one line each.

    Raises:
        InputError: if the columns do not align.
    """

    image: Path
    name: str
    truth: Objects
    size: Size | None = None
    ignore: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    identity_uncertain: npt.NDArray[np.bool_] | None = None
    categories: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        uncertain = np.zeros(len(self.truth), np.bool_) if self.identity_uncertain is None else self.identity_uncertain
        object.__setattr__(self, "identity_uncertain", uncertain)
        if uncertain.shape != (len(self.truth),):
            raise InputError(f"identity_uncertain must have shape ({len(self.truth)},), got {uncertain.shape}")
        if self.ignore.ndim != 2 or self.ignore.shape[1] != 4:
            raise InputError(f"ignore must have shape (M, 4), got {self.ignore.shape}")

    def load(self, *, warn: Warn | None = None) -> Scene:
        """Read the picture and give it the truth.

        Raises:
            InputError: if the picture cannot be read or has another size than its labels say.
        """
        pixels = read_image(self.image, warn=warn)
        found = (int(pixels.shape[1]), int(pixels.shape[0]))
        check_size(found, self.size, picture=self.image)
        return Scene(image=pixels, name=self.name, truth=self.truth)
