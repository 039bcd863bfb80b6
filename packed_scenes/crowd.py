"""People (and cars) counted once: what is known about them beside their looks, and groups of whoever stands together.

Two boxes of one picture are two people; a box that is followed from frame to frame is one. Groups are congregations
of everybody, whoever they are, with the gap measured in each one's own height
(`packed_scenes.aggregate.ScaleBy.HEIGHT`), since height in the picture tells how far away a person is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.objects import NOISE, Objects
from packed_scenes.frames import follow, links_of
from packed_scenes.settings import Settings

if TYPE_CHECKING:
    from packed_scenes.aggregate import Congregation
    from packed_scenes.aggregate.colors import Color
    from packed_scenes.data.boxes import BoxFile
    from packed_scenes.sources import Source

GROUP = NOISE  # a group is of no one identity
GROUP_COLOR = (255, 255, 255)


def known(
    found: Sequence[Source], parts: Sequence[Objects], *, settings: Settings, given: BoxFile | None
) -> tuple[dict[str, Any], list[str]]:
    """What the settings say about the objects of all scenes, for the clusterer, and warnings.

    Returns:
        ``exclusive`` and ``must_link`` over the rows of all parts, where the settings ask for them.
    """
    hints: dict[str, Any] = {}
    warnings: list[str] = []
    if settings.once:
        hints["exclusive"] = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    if settings.linked:
        hints["must_link"], warnings = _followed(found, parts, given)
    return hints, warnings


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


def group(objects: Objects, size: tuple[int, int], *, reach: float) -> tuple[Objects, list[Congregation]]:
    """Congregations of everybody in one scene, labelled ``g1``, ``g2``, …; those of one are left out.

    Args:
        objects: with identities.
        size: (height, width) of the picture.
        reach: widest gap, as a fraction of a person's height.

    Returns:
        The objects with ``congregation`` set (-1 for those who stand alone), and the groups.
    """
    from packed_scenes.aggregate import aggregate

    everybody = objects.replace(cluster=np.zeros(len(objects), np.int64))
    placed, found = aggregate(everybody, size, reach=reach, scale_by="height")
    several = [c for c in found if len(c.object_ids) > 1]
    index = {c.index: number for number, c in enumerate(several, start=1)}
    assert placed.congregation is not None
    groups = [replace(c, cluster=GROUP, index=index[c.index], label=f"g{index[c.index]}") for c in several]
    place = np.array([index.get(at, NOISE) for at in placed.congregation.tolist()], np.int64)
    return objects.replace(congregation=place), groups


def draw_scene(
    image: npt.NDArray[np.uint8],
    objects: Objects,
    congregations: Sequence[Congregation],
    *,
    colors: Mapping[int, Color],
) -> npt.NDArray[np.uint8]:
    """Draw a scene's congregations; around groups, everybody is drawn in the colour of their identity."""
    from packed_scenes.aggregate import draw_overlay

    if congregations and not any(c.cluster == GROUP for c in congregations):
        return draw_overlay(image, objects, congregations, colors=colors)
    shown = [*congregations, *people(objects)]
    return draw_overlay(image, objects, shown, colors={**colors, GROUP: GROUP_COLOR})


def people(objects: Objects) -> list[Congregation]:
    """Every object as a congregation of itself, labelled by its identity: what an overlay shows of a crowd."""
    from packed_scenes.aggregate import Congregation

    assert objects.cluster is not None
    shown = zip(objects.xyxy.astype(float).tolist(), objects.cluster.tolist(), objects.object_id.tolist(), strict=True)
    return [
        Congregation(
            cluster, 1, str(cluster), ((((x1, y1), (x2, y1), (x2, y2), (x1, y2)),),), (x1, y1, x2, y2), (name,)
        )
        for (x1, y1, x2, y2), cluster, name in shown
        if cluster >= 0
    ]  # fmt: skip
