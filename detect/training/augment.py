"""From a labelled picture to a training crop: choose the object size, cut, flip, disturb light and sharpness, keep
the boxes exact.

The network is trained at a chosen object size rather than at a picture size: each crop is zoomed so that the
picture's median object gets a drawn number of pixels, the same quantity that the detector chooses at run time
(``packed_scenes.detect.scale``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.detect.training.pool import Example

Rng = np.random.Generator
Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Augmentation:
    """What may happen to a picture on its way into a batch.

    Attributes:
        object_px: range of the median object size (square root of its area) in input pixels, drawn log-uniformly.
        wide_px: a wider range, drawn in a fifth of the crops.
        squeeze: range of the factor by which width is changed against height, drawn log-uniformly; more narrow than
            wide, since goods stand closer and taller on real shelves than generated ones.
        dim: share of crops whose contrast is cut to a fifth to two thirds, so that neighbours are hardly separated.
        max_zoom: largest enlargement of a picture.
        max_objects: a crop with more objects is zoomed in further (bounds the loss's memory).
        min_visible: an object cut to less than this share of its area by the crop loses its box.
        min_side: an object with a side under this many input pixels loses its box.
        colour: strength of light and colour changes, 0 = none.
        clutter: share of crops that get signs, floors or ceilings painted over (see ``clutter``).
        focus: share of crops that are laid around one of the objects, where these are few.
        mosaic: share of crops that are put together from four (see :func:`mosaic`).
    """

    object_px: tuple[float, float] = (36.0, 150.0)
    wide_px: tuple[float, float] = (14.0, 300.0)
    squeeze: tuple[float, float] = (0.8, 1.25)
    dim: float = 0.0
    max_zoom: float = 2.0
    max_objects: int = 130
    min_visible: float = 0.3
    min_side: float = 5.0
    colour: float = 1.0
    clutter: float = 0.35
    mosaic: float = 0.0
    focus: float = 0.0


def crop(example: Example, size: int, rng: Rng, options: Augmentation) -> Example:
    """Cut a square crop of ``size`` px at a drawn object size; outside the picture is a flat or smooth filling.

    Boxes are clipped to the crop; see :class:`Augmentation` for which are dropped.
    """
    height, width = example.image.shape[:2]
    low, high = options.wide_px if rng.random() < 0.2 else options.object_px
    median = _median_size(example.xyxy) or 0.12 * max(height, width)
    zoom = float(np.exp(rng.uniform(np.log(low), np.log(high)))) / median
    zoom = min(zoom, options.max_zoom)
    density = len(example.xyxy) / (height * width)
    zoom = max(zoom, size * float(np.sqrt(density / options.max_objects)))
    stretch = float(np.exp(0.5 * rng.uniform(*np.log(options.squeeze))))
    zx, zy = zoom * stretch, zoom / stretch
    x0 = _origin(width * zx, size, rng)
    y0 = _origin(height * zy, size, rng)
    if len(example.xyxy) and rng.random() < options.focus:
        x1, y1, x2, y2 = (float(v) for v in example.xyxy[int(rng.integers(len(example.xyxy)))])
        x0 = _around(0.5 * (x1 + x2) * zx, width * zx, size, rng)
        y0 = _around(0.5 * (y1 + y2) * zy, height * zy, size, rng)
    flip = rng.random() < 0.5
    matrix = np.array([[-zx, 0, x0 + size] if flip else [zx, 0, -x0], [0, zy, -y0]], np.float64)
    source = example.image
    if zoom < 0.8:  # area-average first: warpAffine alone would alias
        source = cv2.resize(source, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
        matrix = matrix @ np.diag([width / source.shape[1], height / source.shape[0], 1.0])
    # warpAffine maps pixel indices; ours are continuous coordinates, where index i has its centre at i + 0.5
    shifted = matrix.copy()
    shifted[:, 2] += 0.5 * (matrix[:, 0] + matrix[:, 1]) - 0.5
    fill = tuple(int(v) for v in rng.integers(0, 256, 3)) if rng.random() < 0.7 else (114, 114, 114)
    border = cv2.BORDER_CONSTANT if rng.random() < 0.8 else cv2.BORDER_REPLICATE
    image = cv2.warpAffine(source, shifted, (size, size), flags=cv2.INTER_LINEAR, borderMode=border, borderValue=fill)
    boxes, kept = _move(example.xyxy, zx, zy, x0, y0, size, flip, options)
    ignore, _ = _move(example.ignore, zx, zy, x0, y0, size, flip, replace(options, min_visible=0.0, min_side=1.0))
    return Example(np.asarray(image, np.uint8), boxes, example.class_id[kept], ignore)


def mosaic(parts: Sequence[Example]) -> Example:
    """Put four square crops of one size together, two by two, so that pictures of few objects fill a crop (after
    Bochkovskiy et al. 2020, YOLOv4).
    """
    side = parts[0].image.shape[0]
    shifts = [np.array([x, y, x, y], np.float32) for y in (0, side) for x in (0, side)]
    rows = [np.concatenate([a.image, b.image], 1) for a, b in (parts[:2], parts[2:4])]
    return Example(
        np.concatenate(rows),
        np.concatenate([p.xyxy + s for p, s in zip(parts, shifts, strict=True)]),
        np.concatenate([p.class_id for p in parts]),
        np.concatenate([p.ignore + s for p, s in zip(parts, shifts, strict=True)]),
    )


def _origin(extent: float, size: int, rng: Rng) -> float:
    """Left (or top) edge of the crop in zoomed pixels; a tenth of the crop may hang over the edge."""
    slack = 0.1 * size
    low, high = sorted((-slack, extent - size + slack))
    return float(rng.uniform(low, high))


def _around(centre: float, extent: float, size: int, rng: Rng) -> float:
    """Left (or top) edge of a crop that shows a point; over the picture's edge as little as in :func:`_origin`."""
    slack = 0.1 * size
    low, high = sorted((-slack, extent - size + slack))
    return float(np.clip(centre - rng.uniform(0.1, 0.9) * size, low, high))


def _median_size(xyxy: npt.NDArray[np.float32]) -> float:
    if not len(xyxy):
        return 0.0
    return float(np.median(np.sqrt((xyxy[:, 2] - xyxy[:, 0]) * (xyxy[:, 3] - xyxy[:, 1]))))


def _move(
    xyxy: npt.NDArray[np.float32],
    zx: float,
    zy: float,
    x0: float,
    y0: float,
    size: int,
    flip: bool,
    options: Augmentation,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    moved = xyxy * np.array([zx, zy, zx, zy], np.float32) - np.array([x0, y0, x0, y0], np.float32)
    if flip:
        moved = moved[:, [2, 1, 0, 3]] * np.array([-1, 1, -1, 1], np.float32) + np.array([size, 0, size, 0], np.float32)
    clipped = moved.clip(0, size)
    side = clipped[:, 2:] - clipped[:, :2]
    area = np.prod(moved[:, 2:] - moved[:, :2], axis=1)
    kept = (side.min(1, initial=np.inf) >= options.min_side) & (np.prod(side, axis=1) >= options.min_visible * area)
    return np.ascontiguousarray(clipped[kept]), kept


def disturb(image: Image, rng: Rng, strength: float, *, dim: float = 0.0) -> Image:
    """Change light, colour, sharpness, noise and compression of an RGB crop; geometry stays.

    Args:
        dim: share of crops whose contrast is cut strongly, see :class:`Augmentation`.
    """
    if strength <= 0:
        return image
    table = np.arange(256, dtype=np.float32) / 255
    gamma = np.exp(rng.normal(0, 0.25 * strength))
    gain, lift = np.exp(rng.normal(0, 0.2 * strength)), rng.normal(0, 0.06 * strength)
    contrast = np.exp(rng.normal(0, 0.2 * strength))
    if rng.random() < dim:
        contrast, lift = contrast * rng.uniform(0.2, 0.66), lift + rng.uniform(-0.25, 0.25)
    tint = np.exp(rng.normal(0, 0.08 * strength, 3))
    curves = (((table**gamma)[:, None] * gain * tint - 0.45) * contrast + 0.45 + lift).clip(0, 1) * 255
    image = np.asarray(cv2.LUT(image, curves.astype(np.uint8)[None]), np.uint8)
    if rng.random() < 0.3 * strength:
        grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        image = np.asarray(cv2.addWeighted(image, share := float(rng.uniform(0, 1)), grey, 1 - share, 0), np.uint8)
    if rng.random() < 0.08 * strength:
        image = np.ascontiguousarray(image[..., rng.permutation(3)])
    if rng.random() < 0.25 * strength:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 1.6))), np.uint8)
    if rng.random() < 0.2 * strength:
        small = cv2.resize(image, None, fx=(f := float(rng.uniform(0.4, 0.85))), fy=f, interpolation=cv2.INTER_AREA)
        image = np.asarray(cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
    if rng.random() < 0.25 * strength:
        noise = rng.normal(0, rng.uniform(2, 12), image.shape[:2]).astype(np.int16)
        image = (image.astype(np.int16) + noise[..., None]).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.25 * strength:
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 90))])
        image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return image
