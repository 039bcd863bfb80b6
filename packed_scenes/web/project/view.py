"""What a project shows: its photos, and the boxes that are visible now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.pictures import Source
from packed_scenes.web.edits import Grouping

if TYPE_CHECKING:
    from packed_scenes.aggregate.colors import Color

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Photo:
    """One photo of a project.

    Attributes:
        number: its key; never given again.
        source: where its picture comes from; None if that may not be read here.
        size: (height, width) in pixels.
        sha256: of the file.
        about: what else is kept: detection, warnings.
    """

    number: int
    name: str
    source: Source | None
    size: tuple[int, int]
    sha256: str
    about: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class View:
    """The visible boxes, row by row.

    Attributes:
        rows: (M,) their numbers in the project, ascending.
        grouping: over these M rows.
        probability: (M,) membership strength.
        photo: (M,) number of the photo of each.
        colors: group -> (red, green, blue).
    """

    rows: Ints
    grouping: Grouping
    probability: npt.NDArray[np.float32]
    photo: Ints
    colors: dict[int, Color]

    def local(self, rows: Iterable[int]) -> Ints:
        """Places of project rows among the visible ones.

        Raises:
            InputError: if a row is not visible.
        """
        wanted = np.unique(np.fromiter(rows, np.int64))
        at = np.searchsorted(self.rows, wanted)
        if not len(wanted) or at.max() >= len(self.rows) or (self.rows[at] != wanted).any():
            raise InputError("choose objects that are there", remedy="They may have been deleted in another tab.")
        return at.astype(np.int64)
