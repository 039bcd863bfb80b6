"""The picture with its congregations drawn on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.aggregate.colors import NOISE_COLOR, Color, assign_colors
from packed_scenes.aggregate.congregations import Congregation
from packed_scenes.aggregate.lettering import Spot, draw_badge, place_badges
from packed_scenes.data.errors import InputError, named
from packed_scenes.data.objects import NOISE, Objects
from packed_scenes.data.rgb import check_image

Image = npt.NDArray[np.uint8]
Points = npt.NDArray[np.int32]

MAX_NAME = 24  # characters of a name
FILL = 0.08  # opacity of the tint: colours of the goods stay what they are


class Show(StrEnum):
    """What an overlay draws."""

    PLACES = "places"
    BOXES = "boxes"
    BOTH = "both"


def draw_overlay(
    image: Image,
    objects: Objects,
    congregations: Sequence[Congregation],
    *,
    show: str = Show.BOTH,
    colors: Mapping[int, Color] | None = None,
    names: Mapping[int, str] | None = None,
    legend: bool = False,
) -> Image:
    """Draw a thin box around every object and an outline with a label around every congregation of several.

    Lines and labels are in proportion to the objects, so that the photo stays readable; noise has thin dashed boxes.

    Args:
        image: (H, W, 3) uint8 RGB.
        objects: the scene's objects as :func:`packed_scenes.aggregate.aggregate` returned them.
        congregations: the same call's congregations.
        show: ``"both"``; ``"boxes"`` alone; or ``"places"``: the outlines alone, around single objects, too.
        colors: cluster -> colour over all scenes of the run (:func:`packed_scenes.aggregate.assign_colors`); None = of
            this scene alone.
        names: cluster -> name to write instead of its number, cut where room ends.
        legend: add a strip at the right with a crop, the label and the count of every cluster.

    Returns:
        A new picture, (H, W, 3) uint8 RGB; wider with a legend.

    Memory: the picture once more and, at a time, the area of one congregation.

    Raises:
        InputError: if the picture is not uint8 (H, W, 3), ``show`` is unknown, or a congregation names an object that
            is not there.
    """
    check_image(image)
    show = named(Show, show, "show")
    import cv2

    colors = assign_colors([objects]) if colors is None else colors
    drawn = np.array(image, order="C")
    line = line_width(image.shape, objects.xyxy)
    thin = max(1, round(line / 2))
    outlined = [c for c in congregations if show is not Show.BOXES and (len(c.object_ids) > 1 or show is Show.PLACES)]
    rings = [[np.array(ring) for polygon in c.polygons for ring in polygon] for c in outlined]
    for c, shape in zip(outlined, rings, strict=True):
        fill(drawn, shape, colors[c.cluster])
    if show is not Show.PLACES and objects.cluster is not None:
        for color, corners in _box_corners(objects, colors):
            cv2.polylines(drawn, corners, True, (0, 0, 0), thin + 2 * max(1, thin // 2))
            cv2.polylines(drawn, corners, True, color, thin)
    for c, shape in zip(outlined, rings, strict=True):
        points = [np.rint(ring).astype(np.int32) for ring in shape]
        cv2.polylines(drawn, points, True, (0, 0, 0), line + max(2, line // 2), cv2.LINE_AA)
        cv2.polylines(drawn, points, True, colors[c.cluster], line, cv2.LINE_AA)
    if objects.cluster is not None:
        dash_boxes(drawn, objects.xyxy[objects.cluster == NOISE], width=thin)
    spots = _spots(objects, congregations, colors, names or {})
    for badge in place_badges(spots, drawn.shape, obstacles=objects.xyxy):
        draw_badge(drawn, badge.text, badge.corner, badge.height, badge.color)
    if legend:
        from packed_scenes.aggregate.legend import draw_legend

        drawn = np.concatenate([drawn, draw_legend(image, objects, colors, names)], axis=1)
    return drawn


def line_width(shape: tuple[int, ...], xyxy: npt.NDArray[np.floating[Any]] | None = None) -> int:
    """Return the outline width in pixels for a picture of this (H, W), thinner where the boxes are small."""
    width = 0.0022 * max(shape[:2])
    if xyxy is not None and len(xyxy):
        width = min(width, 0.03 * float(np.median((xyxy[:, 2:] - xyxy[:, :2]).min(axis=1))))
    return max(1, round(width))


def fill(image: Image, rings: Sequence[npt.NDArray[np.float64]], color: Color, opacity: float = FILL) -> None:
    """Blend a colour into the area of the rings (holes by the even-odd rule), in place."""
    import cv2

    if not rings:
        return
    corners = np.concatenate(rings)
    x1, y1 = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    x2, y2 = np.minimum(np.ceil(corners.max(axis=0)).astype(int), [image.shape[1], image.shape[0]])
    if x1 >= x2 or y1 >= y2:
        return
    part = image[y1:y2, x1:x2]
    mask = np.zeros(part.shape[:2], np.uint8)
    # Pixel centres lie at half coordinates: shifted by half a pixel, an edge at x = 10 fills from pixel 10 on.
    points = [np.rint((ring - (x1, y1) - 0.5) * 16).astype(np.int32) for ring in rings]
    cv2.fillPoly(mask, points, 1, shift=4)
    table = np.arange(256)[:, None] * (1 - opacity) + np.array(color) * opacity
    mixed = cv2.LUT(part, np.rint(table).astype(np.uint8).reshape(256, 1, 3))
    cv2.copyTo(mixed, mask, part)


def dash_boxes(
    image: Image, xyxy: npt.NDArray[np.floating[Any]], color: Color = NOISE_COLOR, *, width: int | None = None
) -> None:
    """Outline boxes with thin dashes over a dark line, in place; ``width`` in pixels, None = by the picture's size."""
    import cv2

    if not len(xyxy):
        return
    thin = max(1, line_width(image.shape) // 2) if width is None else width
    dash = 6 * thin
    corners = np.rint(xyxy[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)).astype(np.int32)
    segments = _dashes(corners.astype(np.float64), dash)
    cv2.polylines(image, list(segments), False, (0, 0, 0), 3 * thin)
    cv2.polylines(image, list(segments), False, color, thin)


def _dashes(corners: npt.NDArray[np.float64], dash: int) -> Points:
    """Cut the outlines of (B, 4, 2) boxes into (S, 2, 2) dashes of about ``dash`` pixels with gaps as long."""
    start, stop = corners.reshape(-1, 2), np.roll(corners, -1, axis=1).reshape(-1, 2)
    length = np.abs(stop - start).sum(axis=1)
    pieces = np.maximum(np.rint(length / (2 * dash)), 1).astype(int)
    edge = np.repeat(np.arange(len(start)), pieces)
    number = np.arange(len(edge)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    step = (stop - start)[edge] / pieces[edge, None]
    low = start[edge] + step * (number + 0.25)[:, None]
    return np.asarray(np.rint(np.stack([low, low + step / 2], axis=1)), np.int32)


def _box_corners(objects: Objects, colors: Mapping[int, Color]) -> Iterator[tuple[Color, list[Points]]]:
    assert objects.cluster is not None
    corners = np.rint(objects.xyxy[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)).astype(np.int32)
    for cluster in np.unique(objects.cluster[objects.cluster >= 0]).tolist():
        yield colors[cluster], list(corners[objects.cluster == cluster])


def _spots(
    objects: Objects, congregations: Sequence[Congregation], colors: Mapping[int, Color], names: Mapping[int, str]
) -> list[Spot]:
    row = {name: at for at, name in enumerate(objects.object_id.tolist())}
    spots = []
    for c in congregations:
        try:
            members = [row[name] for name in c.object_ids]
        except KeyError as error:
            raise InputError(
                f"a congregation names object {error.args[0]!r}, which is not among the objects"
            ) from error
        name = " ".join(names.get(c.cluster, "").split())[:MAX_NAME]
        spots.append(Spot(c.label, colors[c.cluster], objects.xyxy[members].astype(np.float64), name))
    return spots
