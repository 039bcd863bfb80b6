"""The outline of a group of boxes: closed over small gaps, never over an object of another cluster.

All groups of a scene are worked on at once by array operations of GEOS; nothing is rasterised, so memory is that of
the vertices.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.aggregate.adjacency import Floats, Ints, Links, rectangles

HOLE = 0.25  # smaller holes (share of the squared object size) are gaps between goods, not room for one
DECIMALS = 2  # of polygon coordinates in pixels

Ring = tuple[tuple[float, float], ...]
Polygon = tuple[Ring, ...]
Geometries = npt.NDArray[Any]


def outlines(
    xyxy: Floats, cluster: Ints, group: Ints, links: Links, *, reach: Floats, frame: tuple[float, float]
) -> list[tuple[Polygon, ...]]:
    """Outline every group of objects.

    The closing of a group's boxes (square, side ``reach``), with the gaps between linked objects filled, less the
    boxes of objects outside the cluster where they don't lie on the group's own boxes, within the picture.

    Args:
        xyxy: (N, 4) boxes in pixels.
        cluster: (N,) identity, -1 = noise.
        group: (N,) group of each object 0 … G-1, -1 = none; the members of a group are of one cluster.
        links: pairs that stand together.
        reach: (G,) side of the closing square in pixels.
        frame: (height, width) of the picture in pixels.

    Returns:
        For each group its polygons: rings of (x, y) in pixels, the outside first, then holes; not closed (the first
        point is not repeated). A group wholly outside the picture has none.
    """
    import shapely

    count = len(reach)
    if not count:
        return []
    members = np.flatnonzero(group >= 0)
    boxes = rectangles(xyxy)
    shape = np.empty(count, object)
    shape[group[members]] = boxes[members]
    several = np.flatnonzero(np.bincount(group[members], minlength=count) > 1)
    if len(several):
        shape[several] = _closed(xyxy, cluster, group, boxes, links, reach, several)
    bounds = shapely.bounds(shape)
    height, width = frame
    outside = (bounds[:, :2] < 0).any(axis=1) | (bounds[:, 2] > width) | (bounds[:, 3] > height)
    if outside.any():
        shape[outside] = shapely.intersection(shape[outside], shapely.box(0, 0, width, height))
    shape = shapely.normalize(shapely.simplify(shape, 0))
    return _rings(shape)


def _closed(
    xyxy: Floats, cluster: Ints, group: Ints, boxes: Geometries, links: Links, reach: Floats, several: Ints
) -> Geometries:
    """Close the groups that have several members."""
    import shapely

    place = np.full(len(reach), -1)
    place[several] = np.arange(len(several))
    rows = np.flatnonzero(group >= 0)
    rows = rows[place[group[rows]] >= 0]
    own = _union(boxes[rows], place[group[rows]], len(several))
    gaps = (links.bridges[:, 2:] > links.bridges[:, :2]).all(axis=1)
    parts = np.concatenate([boxes[rows], rectangles(links.bridges[gaps])])
    index = np.concatenate([place[group[rows]], place[group[links.pairs[gaps, 0]]]])
    half = reach[several] / 2
    grown = _union(parts, index, len(several), grow=half)
    closed = shapely.buffer(grown, -half, join_style="mitre")

    own_cluster = np.empty(len(several), np.int64)
    own_cluster[place[group[rows]]] = cluster[rows]
    side = np.sqrt(np.prod(xyxy[rows, 2:] - xyxy[rows, :2], axis=1))
    smallest = np.full(len(several), np.inf)
    np.minimum.at(smallest, place[group[rows]], side)
    closed = _fill_holes(closed, HOLE * smallest**2)

    g, k = shapely.STRtree(boxes).query(closed)
    others = cluster[k] != own_cluster[g]
    g, k = g[others], k[others]
    cut = np.unique(g)
    if len(cut):
        at = np.searchsorted(cut, g)
        closed[cut] = shapely.difference(closed[cut], _union(boxes[k], at, len(cut)))
    closed = shapely.union(closed, own)
    return _attached(closed, own)


def _union(parts: Geometries, index: Ints, count: int, *, grow: Floats | float = 0.0) -> Geometries:
    """Unite parts by index, growing each by a distance (square corners); buffering a collection unites it."""
    import shapely

    order = np.argsort(index, kind="stable")
    collections = np.empty(count, object)
    shapely.geometrycollections(parts[order], indices=index[order], out=collections)
    return np.asarray(shapely.buffer(collections, grow, join_style="mitre"))


def _fill_holes(shape: Geometries, smallest: Floats) -> Geometries:
    """Fill holes with an area below ``smallest`` (one value per shape)."""
    import shapely

    holed = np.flatnonzero(shapely.get_num_coordinates(shape) > 8)  # a frame around a hole has at least 10 points
    polygons, at = shapely.get_parts(shape[holed], return_index=True)
    rings, of = shapely.get_rings(polygons, return_index=True)
    inside = np.concatenate([[False], of[1:] == of[:-1]]) if len(of) else np.zeros(0, bool)
    holes = shapely.polygons(rings[inside])
    owner = holed[at[of[inside]]]
    small = shapely.area(holes) < smallest[owner]
    filled = np.unique(owner[small])
    if len(filled):
        index = np.searchsorted(filled, owner[small])
        shape[filled] = shapely.union(shape[filled], _union(holes[small], index, len(filled)))
    return shape


def _attached(shape: Geometries, own: Geometries) -> Geometries:
    """Drop pieces that the cut has separated from every box of the group."""
    import shapely

    split = np.flatnonzero(shapely.get_num_geometries(shape) > 1)
    if len(split):
        parts, at = shapely.get_parts(shape[split], return_index=True)
        kept = shapely.area(shapely.intersection(parts, own[split[at]])) > 0
        pieces = np.empty(len(split), object)
        shapely.multipolygons(parts[kept], indices=at[kept], out=pieces)
        shape[split] = pieces
    return shape


def _rings(shape: Geometries) -> list[tuple[Polygon, ...]]:
    import shapely

    parts, at = shapely.get_parts(shape, return_index=True)
    solid = (shapely.get_dimensions(parts) == 2) & ~shapely.is_empty(parts)
    parts, at = parts[solid], at[solid]
    rings, of = shapely.get_rings(parts, return_index=True)
    coordinates, ring_of = shapely.get_coordinates(rings, return_index=True)
    starts = np.searchsorted(ring_of, np.arange(len(rings) + 1))
    points = [(x, y) for x, y in np.round(coordinates, DECIMALS).tolist()]
    found: list[list[list[Ring]]] = [[] for _ in range(len(shape))]
    previous = -1
    for ring, part in enumerate(of.tolist()):
        polygons = found[at[part]]
        if part != previous:
            polygons.append([])
        polygons[-1].append(tuple(points[starts[ring] : starts[ring + 1] - 1]))
        previous = part
    return [tuple(tuple(polygon) for polygon in polygons) for polygons in found]
