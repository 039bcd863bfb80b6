"""Groups of people who stand together, whoever they are.

A group is a congregation of everybody, with the gap measured in each one's own height
(`packed_scenes.aggregate.ScaleBy.HEIGHT`), since height in the picture says how far away a person is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from packed_scenes.data.objects import NOISE, Objects
from packed_scenes.titles import numbered

if TYPE_CHECKING:
    from packed_scenes.aggregate import Congregation
    from packed_scenes.aggregate.colors import Color

GROUP = NOISE  # a group is of no one identity
GROUP_COLOR = (255, 255, 255)


def group_people(objects: Objects, size: tuple[int, int], *, reach: float) -> tuple[Objects, list[Congregation]]:
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
    show: str = "both",
    names: Mapping[int, str] | None = None,
    identities: Mapping[int, int] | None = None,
) -> npt.NDArray[np.uint8]:
    """Draw a scene's congregations; around groups, everybody is drawn in the colour of their identity.

    ``names``: cluster -> name to write instead of its number; ``identities``: cluster -> number in a catalogue, which
    is written as ``#12`` where there is no name.
    """
    from packed_scenes.aggregate import draw_overlay

    if congregations and not any(c.cluster == GROUP for c in congregations):
        places = numbered(congregations, identities)
        return draw_overlay(image, objects, places, colors=colors, show=show, names=names)
    shown = [*congregations, *numbered(person_outlines(objects), identities)]
    return draw_overlay(image, objects, shown, colors={**colors, GROUP: GROUP_COLOR}, show=show, names=names)


def person_outlines(objects: Objects) -> list[Congregation]:
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
