"""Congregations: where the objects of one identity stand together in a scene."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from packed_scenes.aggregate.adjacency import Floats, Ints, ScaleBy, adjacent_pairs, components, object_scale
from packed_scenes.aggregate.outline import Polygon, outlines
from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE, Objects

DEFAULT_REACH = 0.3  # between neighbours and missing facings; the measurement is in `packed_scenes.aggregate.adjacency`


@dataclass(frozen=True)
class Congregation:
    """Objects of one cluster that stand together.

    Attributes:
        cluster: identity of all its members.
        index: 1, 2, … within the cluster and scene: most members first, equals in reading order.
        label: ``"4"`` if cluster 4 has one congregation in the scene, else ``"4_1"``, ``"4_2"``, …
        polygons: its outline in image pixels, within the picture: polygons of rings of (x, y), the outside first, then
            holes; the first point of a ring is not repeated. Several polygons where other objects cut it.
        bbox: (x1, y1, x2, y2) around its members' boxes, clipped to the picture.
        object_ids: its members, in the order of the rows.
    """

    cluster: int
    index: int
    label: str
    polygons: tuple[Polygon, ...]
    bbox: tuple[float, float, float, float]
    object_ids: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; ``polygons`` is nested as the coordinates of a GeoJSON MultiPolygon."""
        return {
            "cluster": self.cluster,
            "index": self.index,
            "label": self.label,
            "polygons": [[[list(point) for point in ring] for ring in polygon] for polygon in self.polygons],
            "bbox": list(self.bbox),
            "object_ids": list(self.object_ids),
        }


def aggregate(
    objects: Objects,
    image_size: tuple[int, int],
    *,
    reach: float = DEFAULT_REACH,
    scale_by: ScaleBy | str = ScaleBy.OBJECT,
) -> tuple[Objects, list[Congregation]]:
    """Find where the objects of each identity stand together.

    Two objects of a cluster belong together when the gap between them is at most ``reach`` times the cluster's typical
    object size, they face each other, and no object of another cluster (or noise) stands in the gap; congregations are
    the connected components. This is what a morphological closing with a square of that side joins, computed exactly
    on the boxes (see `packed_scenes.aggregate.adjacency`); the outline is that closing. For groups of people, whoever
    they are, give all of them one cluster and ``scale_by="height"``.

    Args:
        objects: N objects of one scene with ``cluster`` set.
        image_size: (height, width) in pixels; outlines are clipped to it.
        reach: widest gap that still joins, as a fraction of the scale.
        scale_by: ``"object"``, the cluster's typical size, or ``"height"``, each object's own height.

    Returns:
        The objects with ``congregation`` set (the index within the cluster, from 1; -1 for noise), and the
        congregations, by cluster and index. Every object that is not noise is in exactly one.

    Memory: about 40 bytes per neighbouring pair, and the outlines; nothing is rasterised.

    Raises:
        InputError: if ``cluster`` is not set, or an option is out of its range.
    """
    if objects.cluster is None:
        raise InputError(
            "objects have no cluster yet", remedy="Cluster them first, or set cluster to known identities."
        )
    if not (math.isfinite(reach) and reach >= 0):
        raise InputError(f"reach must be a number >= 0, got {reach}")
    if len(image_size) != 2 or min(image_size) < 1:
        raise InputError(f"image_size must be (height, width) of at least 1 px, got {image_size}")
    try:
        scale_by = ScaleBy(scale_by)
    except ValueError as error:
        raise InputError(f"scale_by must be one of {', '.join(ScaleBy)}, got {scale_by!r}") from error
    xyxy, cluster = objects.xyxy.astype(np.float64), objects.cluster
    members = np.flatnonzero(cluster >= 0)
    if not len(members):
        return objects.replace(congregation=np.full(len(objects), NOISE)), []

    links = adjacent_pairs(xyxy, cluster, reach=reach, scale_by=scale_by)
    component = components(len(objects), links.pairs)
    group = np.full(len(objects), NOISE)
    _, first, group[members] = np.unique(component[members], return_index=True, return_inverse=True)
    owner = cluster[members[first]]
    bbox, count = _bounds(xyxy[members], group[members], len(owner))
    order, index = numbering(owner, bbox, count)
    rank = np.argsort(order)
    group[members] = rank[group[members]]
    owner, bbox, index = owner[order], bbox[order], index[order]

    scale = np.full(len(owner), np.inf)
    np.minimum.at(scale, group[members], object_scale(xyxy, cluster, scale_by)[members])
    found = outlines(xyxy, cluster, group, links, reach=reach * scale, frame=image_size)
    congregation = np.full(len(objects), NOISE)
    congregation[members] = index[group[members]]
    height, width = image_size
    clipped = np.round(np.clip(bbox, 0, [width, height, width, height]), 2)
    by_group = np.argsort(group[members], kind="stable")
    ids = np.split(objects.object_id[members][by_group], np.cumsum(np.bincount(group[members]))[:-1])
    alone = dict(zip(*(values.tolist() for values in np.unique(owner, return_counts=True)), strict=True))
    result = [
        Congregation(c, i, f"{c}_{i}" if alone[c] > 1 else str(c), polygons, (x1, y1, x2, y2), tuple(names.tolist()))
        for c, i, polygons, (x1, y1, x2, y2), names in zip(
            owner.tolist(), index.tolist(), found, clipped.tolist(), ids, strict=True
        )
    ]
    return objects.replace(congregation=congregation), result


def _bounds(xyxy: Floats, group: Ints, count: int) -> tuple[Floats, Ints]:
    """Return (G, 4) the box around each group, and (G,) its number of members."""
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    np.minimum.at(low, group, xyxy[:, :2])
    np.maximum.at(high, group, xyxy[:, 2:])
    return np.concatenate([low, high], axis=1), np.bincount(group, minlength=count)


def numbering(owner: Ints, bbox: Floats, count: Ints) -> tuple[Ints, Ints]:
    """Sort groups by cluster, most members, reading order; return the order, and (G,) the number within the cluster."""
    row = np.zeros(len(owner), np.int64)
    middle, half = (bbox[:, 1] + bbox[:, 3]) / 2, (bbox[:, 3] - bbox[:, 1]) / 2
    previous, top, band = -1, -math.inf, 0
    for g in np.lexsort(
        (bbox[:, 0], middle, owner)
    ).tolist():  # a new row starts below the middle of the row's first group
        if owner[g] != previous or middle[g] > top + half[g]:
            band, top, previous = band + 1, middle[g], owner[g]
        row[g] = band
    order = np.lexsort((bbox[:, 1], bbox[:, 0], row, -count, owner))
    index = np.empty(len(owner), np.int64)
    _, start, size = np.unique(owner[order], return_index=True, return_counts=True)
    index[order] = np.arange(len(owner)) - np.repeat(start, size) + 1
    return order, index
