"""Cameras and places: what becomes of a drawn person in a crop of a picture.

A camera has its own place, height, light, white balance, gamma, saturation, sharpness, resolution and codec, and shows
all its people before the same few backgrounds: what is common to a camera must tell nothing about who somebody is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.data.synth.canvas import Picture
from packed_scenes.data.synth.people.tube import View

Floats = npt.NDArray[np.float32]
_GRAIN = np.random.default_rng(5).standard_normal(1 << 17).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Camera:
    """One camera at its place.

    Attributes:
        pitch, near: see :class:`~packed_scenes.data.synth.people.tube.View`.
        heading: direction from which most people are seen, radians; ``spread``: how much they differ from it.
        light: see ``View``.
        gain: (3,) factors of the channels, exposure included.
        gamma, saturation, haze, contrast: tone.
        blur: standard deviation in pixels of a crop 128 pixels high.
        rows: (low, high) height in pixels at which people appear.
        noise: largest standard deviation in grey levels.
        quality: (low, high) of JPEG.
        places: (h, w, 3) uint8 backgrounds.
        box_error: standard deviation of box edges as a share of the box side.
    """

    pitch: float
    near: float
    heading: float
    spread: float
    light: tuple[float, float]
    gain: Floats
    gamma: float
    saturation: float
    haze: float
    contrast: float
    blur: float
    rows: tuple[float, float]
    noise: float
    quality: tuple[int, int]
    places: tuple[Picture, ...]
    box_error: float

    def view(self, rng: np.random.Generator) -> View:
        """From where one more person is seen."""
        return View(
            yaw=self.heading + float(rng.normal(0, self.spread)), pitch=self.pitch * float(rng.uniform(0.8, 1.2)),
            near=self.near, light=(self.light[0], min(0.8, self.light[1] * float(rng.uniform(0.7, 1.3)))),
        )  # fmt: skip


def sample_camera(rng: np.random.Generator, pictures: Sequence[Picture] = ()) -> Camera:
    """Draw a camera.

    Args:
        rng: source of randomness.
        pictures: (H, W, 3) uint8 photos to cut backgrounds from; without any, backgrounds are drawn.
    """
    low = rng.uniform(26, 150)
    gain = np.exp(rng.normal(0, 0.22) + rng.normal(0, 0.085, 3)).astype(np.float32)
    quality = int(rng.uniform(35, 92))
    return Camera(
        pitch=float(rng.uniform(0, 0.62) * rng.random() ** 0.5), near=float(rng.uniform(0, 0.35) ** 1.3),
        heading=float(rng.uniform(0, 2 * np.pi)), spread=float(rng.choice([0.3, 0.7, 1.6])),
        light=(float(rng.uniform(-1, 1)), float(rng.uniform(0.1, 0.65))), gain=gain,
        gamma=float(np.exp(rng.normal(0, 0.28))), saturation=float(np.clip(rng.normal(0.85, 0.3), 0.1, 1.6)),
        haze=float(max(0.0, rng.normal(4, 14))), contrast=float(np.exp(rng.normal(0, 0.16))),
        blur=float(rng.uniform(0, 1.5) * rng.random()), rows=(low, low * float(rng.uniform(1.05, 1.8))),
        noise=float(rng.uniform(0, 11)), quality=(quality, min(98, quality + 15)),
        places=tuple(_place(rng, pictures) for _ in range(4)), box_error=float(rng.uniform(0.01, 0.055)),
    )  # fmt: skip


def _place(rng: np.random.Generator, pictures: Sequence[Picture]) -> Picture:
    if len(pictures) and rng.random() < 0.75:
        picture = pictures[int(rng.integers(len(pictures)))]
        h, w = picture.shape[:2]
        side = int(min(h, w) * rng.uniform(0.4, 1.0))
        y, x = int(rng.integers(h - side + 1)), int(rng.integers(w - side + 1))
        cut = picture[y : y + side, x : x + side]
        return np.ascontiguousarray(cv2.resize(cut, (192, 192), interpolation=cv2.INTER_AREA), np.uint8)
    ground, wall = rng.uniform(30, 230) + rng.normal(0, 12, 3), rng.uniform(30, 230) + rng.normal(0, 18, 3)
    out = np.empty((192, 192, 3), np.float32)
    line = int(rng.uniform(0.05, 0.9) * 192)
    out[:line], out[line:] = wall, ground
    for _ in range(int(rng.integers(0, 9))):  # doors, windows, kerbs, posts
        x, y, w, h = (int(v) for v in rng.uniform([-20, -20, 3, 8], [190, 190, 70, 120]))
        cv2.rectangle(out, (x, y), (x + w, y + h), (rng.uniform(20, 240) + rng.normal(0, 15, 3)).tolist(), -1)
    for _ in range(int(rng.integers(0, 5))):
        ends = rng.integers(-60, 250, 4).tolist()
        cv2.line(
            out, tuple(ends[:2]), tuple(ends[2:]), (rng.uniform(20, 240),) * 3, int(rng.integers(1, 6)), cv2.LINE_AA
        )
    out += cv2.resize(rng.normal(0, 9, (24, 24, 3)).astype(np.float32), (192, 192), interpolation=cv2.INTER_CUBIC)
    out += rng.normal(0, rng.uniform(0, 14), (192, 192, 1))
    return np.clip(out, 0, 255).astype(np.uint8)


def compose(
    figure: Picture, camera: Camera, rng: np.random.Generator, *, other: Picture | None = None
) -> npt.NDArray[np.float32]:
    """Put a figure before a background, with neighbours and obstacles, and cut it out by an imperfect box.

    Args:
        figure: (h, w, 4) uint8 RGBA, cut to the person.
        camera: whose backgrounds and box errors.
        rng: source of randomness.
        other: somebody else, who may stand beside, behind or before.

    Returns:
        (H, W, 3) float32 picture of the box, before the camera has taken it.
    """
    h, w = figure.shape[:2]
    top, bottom = (np.clip(rng.normal(0, camera.box_error, 2), -0.1, 0.12) * h).astype(int)
    left, right = (np.clip(rng.normal(-0.03, camera.box_error * 1.6, 2), -0.25, 0.15) * w).astype(int)
    cut = rng.random()
    if cut < 0.1:  # legs out of the picture, or behind a table
        bottom = int(h * rng.uniform(0.12, 0.5))
    elif cut < 0.14:
        left, right = (
            (int(w * rng.uniform(0.1, 0.4)), right) if rng.random() < 0.5 else (left, int(w * rng.uniform(0.1, 0.4)))
        )
    width, height = max(8, w - left - right), max(16, h - top - bottom)
    place = camera.places[int(rng.integers(len(camera.places)))]
    zoom = rng.uniform(0.75, 1.0)
    size = (max(1, int(192 * zoom * min(1, width / height))), int(192 * zoom))
    y, x = int(rng.integers(193 - size[1])), int(rng.integers(193 - size[0]))
    cut_out = cv2.resize(place[y : y + size[1], x : x + size[0]], (width, height), interpolation=cv2.INTER_LINEAR)
    scene: Floats = cut_out.astype(np.float32)
    if rng.random() < 0.5:
        scene *= np.float32(rng.uniform(0.8, 1.15))
    front = other is not None and rng.random() < 0.45
    aside = (1 if rng.random() < 0.5 else -1) * rng.uniform(0.45, 1.0) * width
    if other is not None and not front:
        _lay(scene, other, x=width / 2 + aside - other.shape[1] / 2, y=height - other.shape[0] * rng.uniform(0.85, 1.1))
    _lay(scene, figure, x=-left, y=-top)
    if other is not None and front:
        _lay(
            scene,
            other,
            x=width / 2 + 1.15 * aside - other.shape[1] / 2,
            y=height - other.shape[0] * rng.uniform(0.6, 1.0),
        )
    if rng.random() < 0.16:
        _obstacle(scene, camera, rng)
    return scene


def _lay(scene: Floats, figure: Picture, *, x: float, y: float) -> None:
    x, y = int(x), int(y)
    h, w = figure.shape[:2]
    y1, y2, x1, x2 = max(0, y), min(scene.shape[0], y + h), max(0, x), min(scene.shape[1], x + w)
    if y1 >= y2 or x1 >= x2:
        return
    cut = figure[y1 - y : y2 - y, x1 - x : x2 - x]
    alpha = cut[..., 3:].astype(np.float32) * np.float32(1 / 255)
    patch = scene[y1:y2, x1:x2]
    patch += (cut[..., :3] - patch) * alpha


def _obstacle(scene: Floats, camera: Camera, rng: np.random.Generator) -> None:
    """A post, a rail, a table or a car before the person."""
    h, w = scene.shape[:2]
    tone = np.float32(rng.uniform(20, 235)) + rng.normal(0, 12, 3).astype(np.float32)
    kind = rng.random()
    if kind < 0.3:
        x, wide = int(rng.uniform(0, w)), max(1, int(w * rng.uniform(0.04, 0.18)))
        scene[:, x : x + wide] = tone
    elif kind < 0.55:
        y, tall = int(rng.uniform(0.35, 0.95) * h), max(1, int(h * rng.uniform(0.015, 0.06)))
        scene[y : y + tall] = tone
    else:
        y, x = int(h * rng.uniform(0.45, 0.9)), int(rng.uniform(-0.5, 0.7) * w)
        place = camera.places[0]
        block = scene[y:, max(0, x) : max(0, x) + int(w * rng.uniform(0.3, 1))]
        if block.size:
            block[:] = cv2.resize(place[60:120, 60:120], block.shape[1::-1]) if rng.random() < 0.6 else tone


def take(scene: Floats, camera: Camera, rng: np.random.Generator, *, width: int, height: int) -> Picture:
    """The camera takes the picture and the crop is stretched to the canvas.

    Args:
        scene: (H, W, 3) float32, 0…255.
        camera: its gains, tone, sharpness and codec.
        rng: source of randomness.
        width, height: canvas in pixels.

    Returns:
        (height, width, 3) uint8.
    """
    rows = min(rng.uniform(*camera.rows), 200)
    tall = max(12, round(rows))
    wide = max(5, round(rows * scene.shape[1] / scene.shape[0]))
    shrink = tall < scene.shape[0]
    small = cv2.resize(scene, (wide, tall), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR)
    if camera.blur > 0.25:
        small = cv2.GaussianBlur(small, (0, 0), camera.blur * max(0.5, tall / 128))
    small *= camera.gain * np.float32(np.exp(rng.normal(0, 0.1)))
    if rng.random() < 0.3:  # light that falls off across the crop
        gx, gy = rng.uniform(-0.3, 0.3, 2)
        down, across = np.linspace(-1, 1, tall, dtype=np.float32), np.linspace(-1, 1, wide, dtype=np.float32)
        small *= (1 + gy * down[:, None] + gx * across[None])[..., None].astype(np.float32)
    np.clip(small, 0, 255, out=small)
    small = 255 * (small * np.float32(1 / 255)) ** np.float32(camera.gamma)
    grey = small.mean(2, keepdims=True)
    small = grey + (small - grey) * np.float32(camera.saturation)
    small = (small - 110) * np.float32(camera.contrast * (1 - camera.haze / 255)) + np.float32(110 + camera.haze * 0.6)
    start = int(rng.integers(len(_GRAIN) - tall * wide))
    small += (_GRAIN[start : start + tall * wide] * np.float32(rng.uniform(0, camera.noise))).reshape(tall, wide, 1)
    out = np.clip(small, 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        done, code = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*camera.quality))])
        if done:
            out = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
    mode = cv2.INTER_AREA if tall > height else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(out, (width, height), interpolation=mode), np.uint8)
