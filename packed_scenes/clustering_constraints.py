"""What is known about objects beside their appearance, as constraints for the clusterer.

Two boxes of one picture are two people; a box that is followed from frame to frame is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from packed_scenes.data.objects import Objects
from packed_scenes.pictures import Source
from packed_scenes.settings import Settings
from packed_scenes.tracking import follow, links_of

if TYPE_CHECKING:
    from packed_scenes.data.boxes import BoxFile


def clustering_constraints(
    found: Sequence[Source], parts: Sequence[Objects], *, settings: Settings, given: BoxFile | None
) -> tuple[dict[str, Any], list[str]]:
    """Constraints on the objects of all scenes that the settings ask for, and warnings.

    Returns:
        ``exclusive`` and ``must_link`` over the rows of all parts, where the settings ask for them.
    """
    constraints: dict[str, Any] = {}
    warnings: list[str] = []
    if settings.once:
        constraints["exclusive"] = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    if settings.linked:
        constraints["must_link"], warnings = _followed(found, parts, given)
    return constraints, warnings


def _followed(found: Sequence[Source], parts: Sequence[Objects], given: BoxFile | None) -> tuple[Any, list[str]]:
    """Links between scenes by following boxes; given boxes of frames between the scenes are followed, too."""
    boxes = {} if given is None else {name: objects.xyxy for name, objects in given.scenes.items()}
    names = [source.name if given is None else given.name_of(source.where) for source in found]
    boxes |= {name: part.xyxy for name, part in zip(names, parts, strict=True)}
    tracks, warnings = follow(boxes)
    if not tracks:
        warnings.append("no scene's name ends in a frame number, so nothing was followed")
    alone = [np.full(len(part), -1, np.int64) for part in parts]
    return links_of([tracks.get(name, none) for name, none in zip(names, alone, strict=True)]), warnings
