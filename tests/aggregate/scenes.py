"""Hypothesis strategies and hand-made scenes shared by the tests of `aggregate`."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import strategies as st

from packed_scenes.aggregate import Congregation
from packed_scenes.data import Objects

FRAME = (400, 500)


@st.composite
def packed(draw: st.DrawFn, *, clusters: int = 3, most: int = 14) -> Objects:
    """Boxes on a loose grid with whole-number corners, jittered so that they touch, overlap, or leave gaps."""
    count = draw(st.integers(0, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cell = rng.permutation(20)[:count]
    corner = np.stack([cell % 5 * 90, cell // 5 * 90], axis=1) + rng.integers(0, 40, (count, 2))
    size = rng.integers(20, 100, (count, 2))
    labels = rng.integers(-1, clusters, count)
    names = [f"box{n}" for n in rng.permutation(count)]
    return Objects.from_boxes(np.hstack([corner, corner + size]), cluster=labels, object_id=np.array(names, np.str_))


def boxes_of(*boxes: tuple[float, float, float, float], cluster: list[int]) -> Objects:
    """Objects from hand-made boxes."""
    return Objects.from_boxes(np.array(boxes, float).reshape(-1, 4), cluster=np.array(cluster, int))


def shape_of(congregation: Congregation) -> shapely.Geometry:
    """The outline as a shapely geometry."""
    return shapely.MultiPolygon([(rings[0], list(rings[1:])) for rings in congregation.polygons])


def members(found: list[Congregation]) -> set[tuple[int, frozenset[str]]]:
    """Which objects stand together, whatever the numbers and the order."""
    return {(c.cluster, frozenset(c.object_ids)) for c in found}
