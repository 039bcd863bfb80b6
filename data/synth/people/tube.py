"""One body part or garment as a textured tube in space, seen through a camera: the primitive of drawn people.

A tube has an axis between two points, a half width and a half depth along it, and a texture wrapped once around it. The
silhouette of an elliptical cylinder turned by ``yaw`` is again a strip about the projected axis, and the point of the
surface at signed share s of its half width lies at the angle asin(s) - psi, so that one remap of the texture draws it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin

import cv2
import numpy as np
import numpy.typing as npt

Point = tuple[float, float, float]
Texture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
STEPS = 48  # samples of a profile along its axis


@dataclass(frozen=True, kw_only=True)
class Tube:
    """A surface around an axis; lengths are shares of the body's height, y points down, z to the front.

    Attributes:
        start, end: ends of the axis in the body's own frame.
        width: (48,) half widths from start to end, across the body (x).
        depth: ratio of half depth (z) to half width.
        texture: (h, w, 4) uint8 RGBA; column 0 is the front, columns go round once, rows go from start to end.
        rows: share of the texture's rows that this tube shows.
        layer: added to the depth when parts are sorted from far to near.
    """

    start: Point
    end: Point
    width: Floats
    texture: Texture
    depth: float = 1.0
    rows: tuple[float, float] = (0.0, 1.0)
    layer: float = 0.0


@dataclass(frozen=True, kw_only=True)
class View:
    """How a figure is seen.

    Attributes:
        yaw: turn about the vertical in radians; 0 = from the front, pi = from behind.
        pitch: the camera looks down by so many radians.
        near: how much larger the top of the body appears than its feet, as a share.
        light: direction of the light across the picture (-1 … 1, positive from the right) and its strength (0 … 1).
    """

    yaw: float
    pitch: float = 0.0
    near: float = 0.0
    light: tuple[float, float] = (0.0, 0.3)

    def project(self, point: Point) -> tuple[float, float, float]:
        """Body frame -> (x, y, depth towards the camera), in body heights."""
        x, y, z = point
        across = x * cos(self.yaw) + z * sin(self.yaw)
        toward = -x * sin(self.yaw) + z * cos(self.yaw)
        size = 1 + self.near * (0.5 - y)
        return across * size, (y * cos(self.pitch) + toward * sin(self.pitch)) * size, toward


def profile(*knots: tuple[float, float]) -> Floats:
    """Half widths along an axis from (share of the length, half width) knots; (48,)."""
    at, value = zip(*knots, strict=True)
    half: Floats = np.interp(np.linspace(0, 1, STEPS), at, value).astype(np.float32)
    return half


def oval(radius: float) -> Floats:
    """Profile of an ellipsoid."""
    t = np.linspace(-1, 1, STEPS)
    half: Floats = (radius * np.sqrt(np.clip(1 - t * t, 0.02, 1))).astype(np.float32)
    return half


def paint(canvas: Floats, tube: Tube, view: View, *, scale: float, origin: tuple[float, float], folds: Floats) -> None:
    """Draw a tube over what is on the canvas.

    Args:
        canvas: (H, W, 4) float32 RGBA 0…255, straight alpha; changed in place.
        tube: what to draw.
        view: from where.
        scale: pixels per body height.
        origin: pixel of the body's point (0, 0, 0).
        folds: (h, w) float32 sheet of light and dark, at least as large as the canvas.
    """
    x0, y0, z0 = view.project(tube.start)
    x1, y1, z1 = view.project(tube.end)
    size = scale * (1 + view.near * (0.5 - (tube.start[1] + tube.end[1]) / 2))
    w, d = cos(view.yaw), tube.depth * sin(view.yaw)
    radius = tube.width * (size * hypot(w, d))
    x0, y0, x1, y1 = (x0 * scale + origin[0], y0 * scale + origin[1], x1 * scale + origin[0], y1 * scale + origin[1])
    length, widest = hypot(x1 - x0, y1 - y0), float(radius.max())
    # a tube that points at the camera shows its end, which here is drawn as a longer tube
    tilt = abs(z1 - z0) * scale / max(1e-6, hypot(length, (z1 - z0) * scale))
    if length < 1e-3:
        x1, y1, length = x0, y0 + 1e-3, 1e-3
    ux, uy, extra = (x1 - x0) / length, (y1 - y0) / length, widest * tilt * 0.9
    x0, y0, length = x0 - ux * extra, y0 - uy * extra, length + 2 * extra
    x1, y1 = x0 + ux * length, y0 + uy * length
    pad = widest + 1
    left, right = max(0, int(min(x0, x1) - pad)), min(canvas.shape[1], int(max(x0, x1) + pad) + 2)
    top, bottom = max(0, int(min(y0, y1) - pad)), min(canvas.shape[0], int(max(y0, y1) + pad) + 2)
    if left >= right or top >= bottom:
        return
    dx = np.arange(left, right, dtype=np.float32)[None] - np.float32(x0)
    dy = np.arange(top, bottom, dtype=np.float32)[:, None] - np.float32(y0)
    along, across = dx * np.float32(ux) + dy * np.float32(uy), dx * np.float32(uy) - dy * np.float32(ux)
    place = np.clip(along * np.float32(1 / max(length, 1e-3)), 0, 1)
    half = np.maximum(radius[(place * (STEPS - 1) + 0.5).astype(np.intp)], 0.3)
    inside = np.minimum(half - np.abs(across), np.minimum(along, length - along)) + np.float32(0.5)
    share = np.clip(across / half, -1, 1)
    rows, columns = tube.texture.shape[:2]
    angle = np.arcsin(share) - np.float32(atan2(d, w))
    u = np.mod(angle * np.float32(columns / (2 * pi)), np.float32(columns))
    v = (tube.rows[0] + place * (tube.rows[1] - tube.rows[0])) * np.float32(rows - 1)
    colours = cv2.remap(tube.texture, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP).astype(np.float32)
    side, strength = view.light
    shade = 1 - strength * (0.55 - 0.45 * np.sqrt(1 - share * share) - np.float32(0.6 * side) * share)
    shade *= folds[top:bottom, left:right]
    alpha = np.clip(inside, 0, 1) * colours[..., 3] * np.float32(1 / 255)
    patch = canvas[top:bottom, left:right]
    patch[..., :3] += (colours[..., :3] * shade[..., None] - patch[..., :3]) * alpha[..., None]
    patch[..., 3] = np.maximum(patch[..., 3], alpha * 255)
