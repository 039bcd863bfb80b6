"""What a shelf and a detector do to a crop, drawn at random: one function from a stored RGBA crop to a canvas.

In the order of the world: geometry (tilt, box error, cut-off), neighbours and background around and before the goods,
occluders (price tags, rails), light (gain, white balance, contrast, gradient, gloss), optics (low resolution, blur,
noise), and last the letterbox. Every step is a resize or a lookup of OpenCV, 0.4 ms per crop in all.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.data.letterbox import GREY

RGBA = npt.NDArray[np.uint8]
_GRAIN = np.random.default_rng(0).standard_normal(1 << 19, np.float32)  # drawing fresh noise costs as much as all else


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How strong each step is; 0 switches it off.

    Attributes:
        box_error: standard deviation of each box edge, as a share of the box side.
        cut: probability that one side is cut off, by up to ``cut_depth`` of the box.
        cut_depth: see ``cut``.
        tilt: standard deviation of the rotation, in radians.
        stretch: standard deviation of the log aspect ratio.
        overlap: probability that a neighbour stands in front of one edge.
        occlude: probability of a tag, a rail or an erased rectangle.
        gain: half range of the log exposure.
        white: half range of the log white balance per channel.
        contrast: half range of the log contrast.
        gradient: half range of the light gradient across the crop.
        gloss: probability of a highlight.
        low: probability of a low resolution, between ``low_scale`` and ``low_top`` of the canvas.
        low_scale, low_top: see ``low``.
        noise: largest standard deviation of the sensor noise, in grey levels.
    """

    box_error: float = 0.035
    cut: float = 0.12
    cut_depth: float = 0.3
    tilt: float = 0.03
    stretch: float = 0.05
    overlap: float = 0.2
    occlude: float = 0.3
    gain: float = 0.35
    white: float = 0.07
    contrast: float = 0.25
    gradient: float = 0.25
    gloss: float = 0.2
    low: float = 0.45
    low_scale: float = 0.28
    low_top: float = 1.0
    noise: float = 9.0


MILD = Augmentation(
    box_error=0.03, cut=0.1, occlude=0.25, gain=0.25, white=0.05, contrast=0.2, low=0.3, low_scale=0.35, noise=6.0
)  # for the last part of a training: closer to what one photo holds


def augment(
    crop: RGBA,
    size: tuple[int, int],
    neighbour: RGBA,
    neighbour_size: tuple[int, int],
    *,
    width: int,
    height: int,
    rng: np.random.Generator,
    how: Augmentation,
) -> npt.NDArray[np.uint8]:
    """Draw one view of a crop.

    Args:
        crop: (h, w, 4) uint8 RGBA canvas with the goods in its top-left ``size`` (width, height).
        size: see ``crop``.
        neighbour: another such canvas, drawn left and right of the goods, and behind or in front of them.
        neighbour_size: its goods' (width, height).
        width, height: output canvas in pixels.
        rng: source of randomness.
        how: strengths.

    Returns:
        (height, width, 3) uint8.
    """
    w, h = size
    crop, neighbour = crop[:h, :w], neighbour[: neighbour_size[1], : neighbour_size[0]]
    left, top, right, bottom = np.clip(rng.normal(0, how.box_error, 4), -0.12, 0.12)
    if rng.random() < how.cut:
        edge, depth = rng.integers(4), rng.uniform(0.05, how.cut_depth)
        left, top, right, bottom = (v + depth * (edge == i) for i, v in enumerate((left, top, right, bottom)))
    aspect = np.exp(rng.normal(0, how.stretch))
    box_w, box_h = w * aspect * (1 - left - right), h * (1 - top - bottom)
    scale = min(width / box_w, height / box_h)
    new_w, new_h = min(width, max(1, round(box_w * scale))), min(height, max(1, round(box_h * scale)))
    low = rng.uniform(how.low_scale, how.low_top) if rng.random() < how.low else 1.0
    view_w, view_h = max(4, round(new_w * low)), max(4, round(new_h * low))

    # goods -> view: a box fraction p maps to goods fraction left + p (1 - left - right), then a small rotation
    sx, sy = view_w / (w * (1 - left - right)), view_h / (h * (1 - top - bottom))
    angle = rng.normal(0, how.tilt)
    cos, sin = np.cos(angle), np.sin(angle)
    linear = np.array([[cos * sx, -sin * sy], [sin * sx, cos * sy]])
    centre = np.array([(0.5 - left) * w * sx, (0.5 - top) * h * sy])
    offset = centre - linear @ [w / 2, h / 2]
    own = _warp(crop, np.column_stack([linear, offset]), view_w, view_h, shrink=min(sx, sy))

    colour = rng.uniform(0, 1) ** 2 * 200 * np.exp(rng.uniform(-0.15, 0.15, 3))
    scene = np.empty((view_h, view_w, 3), np.float32)
    scene[:] = colour * np.linspace(rng.uniform(0.5, 1.2), rng.uniform(0.5, 1.2), view_h)[:, None, None]
    beside, overlapping = rng.random() < 0.85, rng.random() < how.overlap
    if beside or overlapping:
        nw, nh = neighbour_size
        n_scale = h * sy / nh * rng.uniform(0.85, 1.15)
        gap = rng.uniform(-0.02, 0.08) if not overlapping else -rng.uniform(0.03, 0.2)
        side = 1 if rng.random() < 0.5 else -1
        floor = (1 - top) * h * sy  # both stand on the same shelf
        for s in (side, -side):
            edge_x = (1 - left + gap) * w * sx if s > 0 else (-left - gap) * w * sx - nw * n_scale
            matrix = np.array([[n_scale, 0, edge_x], [0, n_scale, floor - nh * n_scale]])
            other = _warp(neighbour, matrix, view_w, view_h, shrink=n_scale)
            if overlapping and s == side:
                own = _over(own, other)
            else:
                scene = _paint(scene, other)
            gap = abs(gap)
    scene = _paint(scene, own)
    if rng.random() < how.occlude:
        _occlude(scene, rng)
    _light(scene, rng, how)
    if rng.random() < 0.2:
        scene = cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.3, 0.9))
    if low < 1:
        np.clip(scene, 0, 255, out=scene)
        scene = cv2.resize(scene, (new_w, new_h), interpolation=cv2.INTER_LINEAR)
    start = int(rng.integers(len(_GRAIN) - new_w * new_h))
    grain = _GRAIN[start : start + new_w * new_h].reshape(new_h, new_w)
    strength = float(rng.uniform(0, how.noise))
    scene = cv2.scaleAdd(cv2.merge([grain] * 3), strength, scene)
    canvas = np.full((height, width, 3), GREY, np.uint8)
    x, y = (width - new_w) // 2, (height - new_h) // 2
    np.clip(scene, 0, 255, out=scene)
    canvas[y : y + new_h, x : x + new_w] = scene
    return canvas


def _warp(
    crop: RGBA, matrix: npt.NDArray[np.float64], width: int, height: int, *, shrink: float
) -> npt.NDArray[np.float32]:
    # warpAffine samples bilinearly: average first when it shrinks, or print aliases
    if shrink < 0.62:
        small_size = max(1, round(crop.shape[1] * shrink)), max(1, round(crop.shape[0] * shrink))
        small = cv2.resize(crop, small_size, interpolation=cv2.INTER_AREA)
        ratio = np.diag([crop.shape[1] / small.shape[1], crop.shape[0] / small.shape[0]])
        matrix = np.column_stack([matrix[:, :2] @ ratio, matrix[:, 2]])
        crop = small
    warped: npt.NDArray[np.uint8] = cv2.warpAffine(crop, matrix, (width, height), flags=cv2.INTER_LINEAR)
    return warped.astype(np.float32)


def _over(below: npt.NDArray[np.float32], above: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    alpha = above[..., 3:] * (1 / 255)
    mixed = below[..., :3] * (1 - alpha) + above[..., :3] * alpha
    return np.dstack([mixed, np.maximum(below[..., 3], above[..., 3])])


def _paint(scene: npt.NDArray[np.float32], layer: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    alpha = layer[..., 3] * np.float32(1 / 255)
    blended: npt.NDArray[np.float32] = cv2.blendLinear(scene, np.ascontiguousarray(layer[..., :3]), 1 - alpha, alpha)
    return blended


def _occlude(scene: npt.NDArray[np.float32], rng: np.random.Generator) -> None:
    h, w = scene.shape[:2]
    kind = rng.random()
    tint = [rng.uniform(200, 255, 3), np.array([250, 220, 40]) * rng.uniform(0.7, 1), rng.uniform(0, 255, 3)][
        rng.integers(3)
    ]
    if kind < 0.3:  # rail along the bottom or the top
        depth = int(h * rng.uniform(0.04, 0.2))
        rows = slice(h - depth, h) if rng.random() < 0.7 else slice(0, depth)
        scene[rows] = tint
    else:  # a tag, or an erased rectangle
        rh, rw = int(h * rng.uniform(0.1, 0.4)), int(w * rng.uniform(0.15, 0.55))
        y, x = rng.integers(0, h - rh + 1), rng.integers(0, w - rw + 1)
        scene[y : y + rh, x : x + rw] = tint
        if kind < 0.7 and rh > 6 and rw > 6:
            lines = rng.integers(1, 4)
            for line in range(lines):
                yy = y + (line + 1) * rh // (lines + 1)
                scene[yy : yy + max(1, rh // 10), x + rw // 8 : x + rw - rng.integers(1, max(2, rw // 2))] = 255 - tint


def _light(scene: npt.NDArray[np.float32], rng: np.random.Generator, how: Augmentation) -> None:
    h, w = scene.shape[:2]
    gain = np.exp(rng.uniform(-how.gain, how.gain * 0.8) + rng.uniform(-how.white, how.white, 3)).astype(np.float32)
    contrast = np.float32(np.exp(rng.uniform(-how.contrast, how.contrast)))
    mean = np.array(cv2.mean(scene)[:3], np.float32)
    scene -= mean
    scene *= gain * contrast
    scene += mean * gain
    gx, gy = rng.uniform(-how.gradient, how.gradient, 2)
    across = 1 + gx * np.linspace(-1, 1, w, dtype=np.float32)
    down = 1 + gy * np.linspace(-1, 1, h, dtype=np.float32)
    scene *= (down[:, None] * across[None])[..., None]
    if rng.random() < how.gloss:
        x, spread = rng.uniform(0, w), w * rng.uniform(0.03, 0.2)
        band = np.exp(-(((np.arange(w, dtype=np.float32) - x) / spread) ** 2)) * rng.uniform(20, 110)
        scene += band[None, :, None].astype(np.float32)
    elif rng.random() < 0.15:  # haze: a shop window, a plastic sheet
        scene += np.float32(rng.uniform(10, 60))
