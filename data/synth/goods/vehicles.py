"""Traffic seen from behind: cars, vans, lorries and riders on scooters, with the same interface as packages.

Simple figures for car parks and roads, and for training an embedding on vehicles: families share a model, variants
differ in paint, clothes, helmet, load or lettering.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from packed_scenes.data.synth.goods.colour import Colour, contrasting, far_from, mix, package_colour
from packed_scenes.data.synth.goods.text import FACES, invent_word, text_mask

__all__ = ["VehicleDesign", "change_vehicle", "draw_vehicle", "sample_vehicle"]

U8 = NDArray[np.uint8]
Points = tuple[tuple[float, float], ...]
_PAINTS: tuple[Colour, ...] = (
    (242, 242, 240), (242, 242, 240), (22, 23, 26), (40, 42, 46), (150, 153, 158), (196, 198, 200),
    (150, 24, 28), (30, 60, 130), (110, 100, 84), (40, 150, 150), (225, 150, 30), (60, 80, 60),
)  # fmt: skip
_SKIN: tuple[Colour, ...] = ((224, 178, 140), (170, 115, 80), (110, 70, 48))
_DARK: Colour = (24, 25, 28)


@dataclass(frozen=True)
class VehicleDesign:
    """What fixes the look of one vehicle.

    style: rider, car, suv, van or lorry. colours: by role (paint, helmet, jacket, trousers, pack, load, ink). word:
    lettering on a load or jacket, or "". face: of its letters. pack: a rider's back pack. roof: share of the height
    taken by the cabin. plate: number plate and chance details.
    """

    style: str
    aspect: float
    colours: tuple[tuple[str, Colour], ...]
    word: str
    face: str
    pack: bool
    roof: float
    plate: int
    kind: str = "vehicle"
    height_cm: float = 30.0

    def colour(self, role: str) -> Colour:
        """Colour of a role."""
        return dict(self.colours).get(role, (128, 128, 128))


class _Sketch:
    """Draws in unit coordinates of the whole picture, colour and coverage together."""

    def __init__(self, height: int, width: int) -> None:
        self.rgb, self.alpha = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
        self.height, self.width = height, width

    def polygon(self, points: Points, colour: Colour) -> None:
        pts = np.round(np.array(points) * (self.width * 16, self.height * 16)).astype(np.int32)
        for target, ink in ((self.rgb, colour), (self.alpha, 255)):
            cv2.fillPoly(target, [pts], ink, cv2.LINE_AA, 4)

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        centre = (round(x * self.width * 16), round(y * self.height * 16))
        axes = (max(6, round(rx * self.width * 16)), max(6, round(ry * self.height * 16)))
        for target, ink in ((self.rgb, colour), (self.alpha, 255)):
            cv2.ellipse(target, centre, axes, 0, 0, 360, ink, -1, cv2.LINE_AA, 4)

    def word(self, text: str, face: str, box: tuple[float, float, float, float], colour: Colour) -> None:
        x0, y0 = round(box[0] * self.width), round(box[1] * self.height)
        w, h = round(box[2] * self.width), round(box[3] * self.height)
        if w < 3 or h < 3 or not text:
            return
        mask = cv2.resize(text_mask(text, face, 32), (w, h), interpolation=cv2.INTER_AREA)[..., None] / 255
        spot = self.rgb[y0 : y0 + h, x0 : x0 + w]
        mask = mask[: spot.shape[0], : spot.shape[1]]
        spot[:] = spot * (1 - mask) + np.array(colour) * mask


def sample_vehicle(rng: np.random.Generator) -> VehicleDesign:
    """Draw a family's first vehicle."""
    style = str(rng.choice(["rider", "car", "suv", "van", "lorry"], p=[0.45, 0.2, 0.15, 0.1, 0.1]))
    u = rng.uniform
    aspect = {
        "rider": u(0.4, 0.56),
        "car": u(1.25, 1.6),
        "suv": u(1.1, 1.4),
        "van": u(0.95, 1.25),
        "lorry": u(0.85, 1.3),
    }
    paint = _PAINTS[int(rng.integers(len(_PAINTS)))]
    load = package_colour(rng)
    roles: dict[str, Colour] = {
        "paint": paint, "helmet": package_colour(rng), "jacket": package_colour(rng), "pack": package_colour(rng),
        "trousers": package_colour(rng, str(rng.choice(["dark", "kraft", "dark", "white"]))), "load": load,
        "ink": contrasting(rng, load), "skin": _SKIN[int(rng.integers(3))],
    }  # fmt: skip
    lettered = style == "lorry" or rng.random() < 0.3
    word = invent_word(rng) if lettered else ""
    height = {"rider": 17.0, "car": 15.0, "suv": 18.0, "van": 20.0, "lorry": 32.0}[style]
    return VehicleDesign(
        style, aspect[style], tuple(roles.items()), word, str(rng.choice(FACES[:4])), bool(rng.random() < 0.4),
        float(u(0.36, 0.46)), int(rng.integers(1 << 31)), height_cm=height,
    )  # fmt: skip


def change_vehicle(design: VehicleDesign, rng: np.random.Generator) -> tuple[str, VehicleDesign]:
    """Make one candidate variant: what was changed and the new design."""
    roles = ["paint"]
    if design.style == "rider":
        roles = ["helmet", "jacket", "jacket", "trousers", "paint"] + (["pack"] if design.pack else [])
    elif design.style == "lorry":
        roles = ["paint", "load", "load"]
    options = [f"colour:{r}" for r in roles] + (["pack"] if design.style == "rider" else [])
    options += ["word"] if design.word and design.style in ("van", "lorry") else []
    what = str(rng.choice(options))
    if what == "pack":
        return what, replace(design, pack=not design.pack)
    if what == "word":
        return what, replace(design, word=invent_word(rng))
    role = what.partition(":")[2]
    new = far_from(rng, [design.colour(role)], min_distance=0.4)
    if role == "paint" and design.style != "rider":
        new = mix(_PAINTS[int(rng.integers(len(_PAINTS)))], new, 0.15)
    return what, replace(design, colours=tuple((r, new if r == role else c) for r, c in design.colours))


def _rider(s: _Sketch, d: VehicleDesign, turn: float) -> None:
    c = d.colour
    mid = 0.5 + 0.06 * turn
    jacket, dark = c("jacket"), mix(c("jacket"), (0, 0, 0), 0.3)
    s.ellipse(mid, 0.9, 0.09, 0.1, _DARK)
    for side in (-1, 1):
        s.polygon(
            ((mid + side * 0.12, 0.34), (mid + side * 0.46, 0.28), (mid + side * 0.47, 0.3), (mid + side * 0.12, 0.37)),
            _DARK,
        )
        s.ellipse(mid + side * 0.44, 0.26, 0.055, 0.028, (60, 62, 66))
        x = mid + side * (0.28 + 0.02 * turn * side)
        s.polygon(
            ((mid + side * 0.1, 0.52), (x + side * 0.07, 0.56), (x + side * 0.05, 0.84), (x - side * 0.06, 0.84)),
            c("trousers"),
        )
        s.ellipse(x, 0.86, 0.07, 0.025, _DARK)
        s.polygon(
            ((mid + side * 0.2, 0.2), (mid + side * 0.33, 0.26), (mid + side * 0.36, 0.42), (mid + side * 0.24, 0.44)),
            dark,
        )
        s.ellipse(mid + side * 0.31, 0.43, 0.06, 0.025, c("skin"))
    s.polygon(((mid - 0.17, 0.55), (mid + 0.17, 0.55), (mid + 0.13, 0.84), (mid - 0.13, 0.84)), c("paint"))
    s.polygon(((mid - 0.1, 0.62), (mid + 0.1, 0.62), (mid + 0.08, 0.655), (mid - 0.08, 0.655)), (205, 30, 30))
    s.polygon(((mid - 0.09, 0.71), (mid + 0.09, 0.71), (mid + 0.09, 0.77), (mid - 0.09, 0.77)), (235, 235, 230))
    s.word(f"{d.plate % 1000:03d}", "DejaVuSans-Bold", (mid - 0.07, 0.72, 0.14, 0.04), (30, 30, 40))
    s.polygon(
        (
            (mid - 0.22, 0.19),
            (mid + 0.22, 0.19),
            (mid + 0.27, 0.28),
            (mid + 0.2, 0.58),
            (mid - 0.2, 0.58),
            (mid - 0.27, 0.28),
        ),
        jacket,
    )
    s.polygon(
        ((mid, 0.2), (mid + 0.22, 0.2), (mid + 0.27, 0.28), (mid + 0.2, 0.58), (mid + 0.08, 0.58)),
        mix(jacket, (0, 0, 0), 0.12),
    )
    if d.word:
        s.word(d.word, d.face, (mid - 0.16, 0.29, 0.32, 0.06), contrasting(np.random.default_rng(d.plate), jacket))
    if d.pack:
        s.polygon(((mid - 0.15, 0.22), (mid + 0.15, 0.22), (mid + 0.17, 0.45), (mid - 0.17, 0.45)), c("pack"))
        s.polygon(
            ((mid - 0.11, 0.34), (mid + 0.11, 0.34), (mid + 0.12, 0.43), (mid - 0.12, 0.43)),
            mix(c("pack"), (0, 0, 0), 0.25),
        )
    s.ellipse(mid, 0.185, 0.08, 0.03, c("skin"))
    s.ellipse(mid, 0.095, 0.17, 0.095, mix(c("helmet"), (0, 0, 0), 0.25))
    s.ellipse(mid - 0.015, 0.09, 0.15, 0.083, c("helmet"))
    s.ellipse(mid - 0.05, 0.06, 0.05, 0.025, mix(c("helmet"), (255, 255, 255), 0.6))


def _car(s: _Sketch, d: VehicleDesign, turn: float) -> None:
    paint, cut = d.colour("paint"), 0.62 + 0.14 * turn
    side, glass = mix(paint, (0, 0, 10), 0.28), (34, 40, 46)
    tall = d.style in ("van", "lorry")
    roof = d.roof if not tall else 0.5
    s.polygon(((0.05, 0.88), (cut - 0.05, 0.97), (cut - 0.05, 0.99), (0.06, 0.93)), _DARK)
    s.polygon(((cut, roof - 0.02), (0.97, roof + 0.02), (1.0, 0.66), (0.97, 0.78), (cut, 0.94)), side)
    s.polygon(((0.0, roof + 0.02), (cut, roof - 0.02), (cut, 0.94), (0.03, 0.9)), paint)
    if tall:
        s.polygon(((0.02, 0.03), (cut, 0.0), (cut, roof + 0.1), (0.0, roof + 0.1)), paint)
        s.polygon(((cut, 0.0), (0.95, 0.09), (0.99, roof + 0.12), (cut, roof + 0.1)), side)
    else:
        s.polygon(((0.12, 0.05), (cut - 0.06, 0.0), (cut, roof), (0.0, roof + 0.03)), paint)
        s.polygon(((cut - 0.06, 0.0), (0.82, 0.05), (0.99, roof + 0.04), (cut, roof)), side)
    if d.style == "lorry":
        load, shade = d.colour("load"), mix(d.colour("load"), (0, 0, 10), 0.25)
        s.polygon(((0.02, 0.02), (cut, 0.0), (cut, 0.76), (0.02, 0.74)), load)
        s.polygon(((cut, 0.0), (0.96, 0.1), (0.98, 0.66), (cut, 0.76)), shade)
        for k in range(1, 5):
            x = 0.02 + (cut - 0.02) * k / 5
            s.polygon(((x, 0.02), (x + 0.006, 0.02), (x + 0.006, 0.74), (x, 0.74)), shade)
        s.word(d.word, d.face, (0.08, 0.22, cut - 0.14, 0.16), d.colour("ink"))
    else:
        low = roof - 0.03
        s.polygon(((0.15, 0.09), (cut - 0.09, 0.06), (cut - 0.05, low), (0.07, low + 0.02)), glass)
        s.polygon(((0.17, 0.1), (0.3, 0.09), (0.24, low), (0.1, low)), mix(glass, (255, 255, 255), 0.2))
        s.polygon(((cut - 0.01, 0.08), (0.8, 0.11), (0.93, low + 0.02), (cut + 0.02, low)), glass)
        s.polygon(((0.76, 0.1), (0.78, 0.1), (0.86, low + 0.01), (0.83, low + 0.01)), side)
        if d.word:
            s.word(d.word, d.face, (0.14, roof + 0.05, cut - 0.3, 0.09), d.colour("ink"))
    lamp = roof + 0.07 if d.style != "lorry" else 0.78
    for x in (0.02, cut - 0.13):
        s.polygon(((x, lamp), (x + 0.12, lamp - 0.01), (x + 0.1, lamp + 0.09), (x + 0.02, lamp + 0.1)), (190, 22, 26))
        s.polygon(
            ((x + 0.02, lamp + 0.03), (x + 0.06, lamp + 0.03), (x + 0.06, lamp + 0.06), (x + 0.02, lamp + 0.06)),
            (255, 190, 180),
        )
    for x, y, rx in ((cut + 0.075, 0.87, 0.06), (0.9, 0.79, 0.045)):
        s.ellipse(x, y, rx, 0.12, _DARK)
        s.ellipse(x + 0.008, y, rx * 0.55, 0.065, (120, 122, 126))
    mid = cut / 2
    s.polygon(((0.04, 0.8), (cut - 0.02, 0.82), (cut - 0.02, 0.9), (0.05, 0.87)), mix(paint, (0, 0, 0), 0.55))
    top = 0.66 if d.style != "lorry" else 0.8
    s.polygon(((mid - 0.1, top), (mid + 0.1, top), (mid + 0.1, top + 0.08), (mid - 0.1, top + 0.08)), (236, 236, 230))
    s.word(f"{d.plate % 100000:05d}", "DejaVuSans-Bold", (mid - 0.085, top + 0.015, 0.17, 0.05), (30, 30, 40))


def draw_vehicle(design: VehicleDesign, size: tuple[int, int], *, turn: float = 0.0, seed: int = 0) -> U8:
    """Draw a vehicle.

    Args:
        design: what to draw.
        size: (height, width) in pixels.
        turn: how far it is turned, -1 … 1.
        seed: fixes the light.

    Returns:
        RGBA uint8 (height, width, 4), straight alpha.
    """
    height, width = max(size[0], 48), max(size[1], 16)
    sketch = _Sketch(height, width)
    (_rider if design.style == "rider" else _car)(sketch, design, turn)
    v, x = np.linspace(0, 1, height)[:, None], np.linspace(-1, 1, width)[None]
    tilt = np.random.default_rng([design.plate, seed]).uniform(-0.12, 0.12)
    gain = (1.12 - 0.3 * v) * (1 + tilt * x)
    canvas = np.dstack([sketch.rgb * gain[..., None], sketch.alpha]).astype(np.float32)
    canvas[..., :3] *= canvas[..., 3:] / 255
    if (height, width) != size:
        canvas = cv2.resize(canvas, size[::-1], interpolation=cv2.INTER_AREA)
    canvas[..., :3] *= 255 / np.maximum(canvas[..., 3:], 1)
    return np.asarray(np.clip(canvas + 0.5, 0, 255), np.uint8)
