"""A dressed person in a pose, seen from anywhere: the parts in their order, drawn into one RGBA picture."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.data.synth.canvas import Picture
from packed_scenes.data.synth.people.appearance import Appearance
from packed_scenes.data.synth.people.fabric import folds_sheet, solid
from packed_scenes.data.synth.people.skeleton import Joints, Pose, joints
from packed_scenes.data.synth.people.tube import STEPS, Point, Tube, View, oval, paint, profile
from packed_scenes.data.synth.people.wardrobe import Wardrobe, hair_end, sew

_PAD = 0.32  # room around the body's axis, in body heights


def render_person(
    appearance: Appearance,
    pose: Pose,
    view: View,
    *,
    height: int,
    rng: np.random.Generator,
    wardrobe: Wardrobe | None = None,
) -> Picture:
    """Draw a person.

    Args:
        appearance: who.
        pose: doing what.
        view: from where.
        height: pixels of a standing body; a sitting one comes out smaller.
        rng: chooses how the cloth folds.
        wardrobe: the look's textures, if they are there already.

    Returns:
        (h, w, 4) uint8 RGBA cut to the figure, straight alpha.
    """
    worn = sew(appearance) if wardrobe is None else wardrobe
    hips = 0.042 * (0.85 + 0.3 * appearance.shape) * appearance.build
    place = joints(pose, shoulders=0.098 * appearance.build, hips=hips)
    tubes = parts(appearance, worn, place, pose)
    side = round(height * (1.15 + 2 * _PAD))
    canvas = np.zeros((round(height * 1.5), side, 4), np.float32)
    sheet = folds_sheet(1024)
    y, x = int(rng.integers(1024 - min(1023, canvas.shape[0]))), int(rng.integers(1024 - min(1023, side)))
    folds = sheet[y : y + canvas.shape[0], x : x + side]
    if folds.shape != canvas.shape[:2]:  # larger than the sheet
        folds = cv2.resize(sheet, (side, canvas.shape[0]))

    def depth(tube: Tube) -> float:
        return (view.project(tube.start)[2] + view.project(tube.end)[2]) / 2 + tube.layer

    for tube in sorted(tubes, key=depth):
        paint(canvas, tube, view, scale=height, origin=(side / 2, height * 0.16), folds=folds)
    seen = canvas[..., 3] > 90
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    cut = canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.clip(cut, 0, 255).astype(np.uint8)


def parts(appearance: Appearance, worn: Wardrobe, place: Joints, pose: Pose) -> list[Tube]:
    """All tubes of a dressed body; their ``layer`` settles what lies over what where depths are close."""
    b = appearance.build
    tubes = [*_trunk(appearance, worn, place, pose), *_head(appearance, worn, place)]
    for side, leg in zip((1, -1), place.legs, strict=True):
        hip, knee, ankle, toe = leg
        wide = appearance.lower.cut if appearance.lower.kind != "skirt" else 0.9
        base = 0.0 if pose.seated else -1.0
        thigh = profile((0, 0.046 * b * (0.9 + 0.1 * wide)), (1, 0.034 * (0.55 + 0.45 * wide) * b**0.5))
        if appearance.lower.kind == "shorts":
            thigh = np.maximum(thigh, 0.042 * wide**0.4)
        calf = profile((0, 0.033 * (0.5 + 0.5 * wide)), (0.3, 0.031 * (0.5 + 0.5 * wide)), (1, 0.021 * wide))
        if appearance.lower.kind != "trousers":
            calf = profile((0, 0.029), (0.3, 0.031), (1, 0.017))
        calf = (calf * b**0.4).astype(np.float32)
        tubes.append(Tube(start=hip, end=knee, width=thigh, texture=worn.legs, rows=(0, 0.5), layer=base))
        tubes.append(Tube(start=knee, end=ankle, width=calf, texture=worn.legs, rows=(0.5, 1), layer=base - 0.004))
        heel = (ankle[0] - side * 0.004, ankle[1] + 0.018, ankle[2] - 0.03)
        foot = profile((0, 0.02), (0.5, 0.021), (1, 0.017))
        tubes.append(
            Tube(
                start=(heel[0], heel[1] + 0.012, heel[2]),
                end=(toe[0], toe[1] + 0.01, toe[2]),
                width=foot,
                texture=solid(appearance.sole),
                layer=base - 0.012,
            )
        )
        tubes.append(Tube(start=heel, end=toe, width=foot, texture=solid(appearance.shoes), layer=base - 0.008))
    for arm in place.arms:
        shoulder, elbow, wrist, tip = arm
        bare = appearance.sleeve < 0.5
        upper = profile((0, 0.016), (0.06, 0.028), (0.16, 0.036), (0.3, 0.036), (1, 0.027 if bare else 0.031))
        lower = profile((0, 0.026 if bare else 0.03), (1, 0.018 if bare else 0.024))
        size = b**0.5
        tubes.append(Tube(start=shoulder, end=elbow, width=upper * size, texture=worn.arms, rows=(0, 0.5), layer=0.03))
        tubes.append(Tube(start=elbow, end=wrist, width=lower * size, texture=worn.arms, rows=(0.5, 1), layer=0.034))
        tubes.append(Tube(start=wrist, end=tip, width=oval(0.021), texture=worn.skin, layer=0.036))
        if worn.sleeves is not None:
            tubes.append(
                Tube(
                    start=shoulder,
                    end=elbow,
                    width=upper * size * 1.12,
                    texture=worn.sleeves,
                    rows=(0, 0.5),
                    layer=0.04,
                )
            )
            tubes.append(
                Tube(
                    start=elbow, end=wrist, width=lower * size * 1.15, texture=worn.sleeves, rows=(0.5, 1), layer=0.044
                )
            )
    tubes.extend(_bags(appearance, worn, place))
    return tubes


def _body_width(appearance: Appearance, y: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Half width of the trunk at heights y."""
    b, s = appearance.build, appearance.shape
    belly = max(0.0, b - 1.05)
    knots = (0.13, 0.15, 0.17, 0.19, 0.22, 0.3, 0.4, 0.47, 0.52, 0.56)
    half = (
        0.034, 0.052, 0.085 * b**0.6, 0.104 * b**0.7, 0.106 * b, 0.096 * b, (0.09 - 0.018 * s + 0.03 * belly) * b,
        (0.09 + 0.004 * s) * b, (0.088 + 0.012 * s) * b, (0.086 + 0.014 * s) * b,
    )  # fmt: skip
    width: npt.NDArray[np.float32] = np.interp(y, knots, half).astype(np.float32)
    return width


def _trunk(appearance: Appearance, worn: Wardrobe, place: Joints, pose: Pose) -> list[Tube]:
    top = (0.0, 0.137, place.neck[2])

    def garment(hem: float, texture: npt.NDArray[np.uint8], ease: float, layer: float, flare: float = 0.0) -> Tube:
        hem = min(hem, 0.54) if pose.seated else hem
        y = np.linspace(0.137, hem, 48, dtype=np.float32)
        width = _body_width(appearance, y) * ease + flare * np.clip(y - 0.5, 0, None)
        end = (0.0, hem, place.neck[2] * max(0.0, (0.5 - hem)))
        return Tube(start=top, end=end, width=width.astype(np.float32), depth=0.62, texture=texture, layer=layer)

    out = [garment(appearance.hem, worn.shirt, 1.0, 0.0, 0.1)]
    y = np.linspace(0.475, 0.575, 48, dtype=np.float32)
    pelvis = (_body_width(appearance, y) * np.linspace(1, 0.93, 48, dtype=np.float32)).astype(np.float32)
    out.append(Tube(start=(0, 0.475, 0), end=(0, 0.575, 0), width=pelvis, depth=0.68, texture=worn.pelvis, layer=-0.5))
    if worn.skirt is not None:
        hem = 0.6 if pose.seated else appearance.lower.hem
        y = np.linspace(0.45, hem, 48, dtype=np.float32)
        width = _body_width(appearance, y) * 1.02 + (0.12 + 0.12 * (appearance.lower.cut - 0.8)) * np.clip(
            y - 0.5, 0, None
        )
        out.append(
            Tube(
                start=(0, 0.45, 0),
                end=(0, hem, 0),
                width=width.astype(np.float32),
                depth=0.75,
                texture=worn.skirt,
                layer=-0.3,
            )
        )
    if worn.jacket is not None:
        out.append(garment(appearance.jacket_hem, worn.jacket, 1.1, 0.004, 0.1))
    return out


def _head(appearance: Appearance, worn: Wardrobe, place: Joints) -> list[Tube]:
    z = place.neck[2] + 0.008
    size = appearance.head
    chin = 0.135

    def at(y: float, dz: float = 0.0) -> Point:
        return (0.0, chin + (y - chin) * size, z + dz)

    nape = (0.0, 0.165, place.neck[2] * 0.9)
    skull = oval(0.043 * size) * np.linspace(1.06, 0.92, STEPS, dtype=np.float32)
    out = [
        Tube(start=at(0.11), end=nape, width=profile((0, 0.028), (1, 0.034)), texture=worn.skin, layer=0.002),
        Tube(start=at(0.004), end=at(0.136), width=skull, depth=1.2, texture=worn.head, layer=0.06),
    ]
    if worn.hair is not None and appearance.hat not in ("hood", "scarf"):
        end = hair_end(appearance)
        y = np.linspace(-0.004, end, 48)
        ball = 0.049 * np.sqrt(np.clip(1 - ((y - 0.068) / 0.078) ** 2, 0.05, 1))
        hang = np.where(
            y > 0.07,
            0.046 + (0.006 if appearance.style in ("bob", "long") else -0.012) * np.clip((y - 0.07) / 0.06, 0, 1),
            0,
        )
        width = (
            np.maximum(ball, hang).astype(np.float32) * size * (1.08 if appearance.style in ("full", "bob") else 1.0)
        )
        out.append(Tube(start=at(-0.004), end=at(end), width=width, depth=1.18, texture=worn.hair, layer=0.064))
        if appearance.style == "tail":
            out.append(
                Tube(
                    start=at(0.05, -0.055),
                    end=at(0.1 + appearance.hair_length * 0.7, -0.075),
                    width=oval(0.02),
                    texture=solid(appearance.hair),
                    layer=0.0,
                )
            )
        if appearance.style == "bun":
            out.append(
                Tube(
                    start=at(-0.01, -0.045),
                    end=at(0.045, -0.05),
                    width=oval(0.028),
                    texture=solid(appearance.hair),
                    layer=0.0,
                )
            )
    if worn.hat is not None:
        if appearance.hat in ("hood", "scarf"):
            width = oval(0.056 * size)
            width[24:] = np.maximum(width[24:], 0.05)
            out.append(Tube(start=at(-0.012), end=at(0.16), width=width, depth=1.2, texture=worn.hat, layer=0.066))
        else:
            end = {"cap": 0.05, "woolly": 0.062, "helmet": 0.052}[appearance.hat]
            top = profile((0, 0.018), (0.12, 0.034), (0.4, 0.047), (1, 0.051)) * size
            out.append(
                Tube(
                    start=at(-0.014),
                    end=at(end),
                    width=top.astype(np.float32),
                    depth=1.2,
                    texture=worn.hat,
                    layer=0.068,
                )
            )
            if appearance.hat != "woolly":
                brim = 0.075 if appearance.hat == "cap" else 0.03
                out.append(
                    Tube(
                        start=at(end - 0.004, 0.04),
                        end=at(end + 0.004, 0.04 + brim),
                        width=profile((0, 0.012), (1, 0.01)),
                        texture=solid(appearance.hat_fabric.colours[0]),
                        layer=0.03,
                    )
                )
    if appearance.scarf is not None:
        out.append(
            Tube(
                start=at(0.118),
                end=(0.0, 0.185, place.neck[2]),
                width=profile((0, 0.046), (0.5, 0.056), (1, 0.06)),
                texture=solid(appearance.scarf),
                layer=0.07,
            )
        )
    return out


def _bags(appearance: Appearance, worn: Wardrobe, place: Joints) -> list[Tube]:
    size, side = appearance.bag_size, appearance.bag_side
    box = profile((0, 0.75), (0.06, 0.95), (0.5, 1.0), (0.95, 1.0), (1, 0.9))
    hand = place.arms[0 if side > 0 else 1][2]
    if appearance.bag == "backpack":
        back = -0.06 - 0.055 * size
        return [
            Tube(
                start=(0, 0.17, back),
                end=(0, 0.17 + 0.24 * size, back),
                width=box * (0.083 * size),
                depth=0.6,
                texture=worn.bag,
                layer=0.0,
            )
        ]
    if appearance.bag in ("across", "shoulder"):
        x = side * (0.115 * appearance.build + 0.025)
        top = 0.46 if appearance.bag == "across" else 0.38
        return [
            Tube(
                start=(x, top, 0.0),
                end=(x, top + 0.13 * size, 0.01),
                width=box * (0.05 * size),
                depth=1.7,
                texture=worn.bag,
                layer=0.05,
            )
        ]
    if appearance.bag in ("hand", "paper"):
        x, y, z = hand
        return [
            Tube(
                start=(x, y + 0.05, z),
                end=(x, y + 0.05 + 0.15 * size, z),
                width=box * (0.045 * size),
                depth=1.8,
                texture=worn.bag,
                layer=0.02,
            )
        ]
    return []
