"""Bodies and poses: where the joints of a person are, in shares of the body's height, y down, z to the front."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np

from packed_scenes.data.synth.people.tube import Point

HIP, SHOULDER, NECK = 0.50, 0.185, 0.135
THIGH = SHIN = 0.228
UPPER_ARM, FOREARM = 0.165, 0.15


@dataclass(frozen=True, kw_only=True)
class Pose:
    """What a person does at one moment.

    Attributes:
        legs: (swing, knee bend) of the left and of the right leg in radians, swing positive to the front.
        arms: (swing, spread, elbow bend) of the left and of the right arm in radians.
        lean: of the trunk to the front, in shares of the body's height at the neck.
        seated: whether the person sits; then the swings count from the horizontal.
    """

    legs: tuple[tuple[float, float], tuple[float, float]]
    arms: tuple[tuple[float, float, float], tuple[float, float, float]]
    lean: float = 0.0
    seated: bool = False


@dataclass(frozen=True, kw_only=True)
class Joints:
    """Joints of one pose: for legs hip, knee, ankle, toe; for arms shoulder, elbow, wrist, finger tips."""

    neck: Point
    waist: Point
    legs: tuple[tuple[Point, Point, Point, Point], tuple[Point, Point, Point, Point]]
    arms: tuple[tuple[Point, Point, Point, Point], tuple[Point, Point, Point, Point]]


def sample_pose(rng: np.random.Generator) -> Pose:
    """Walking, standing or sitting; arms hanging, busy with a telephone, folded, in pockets or carrying something."""
    kind = rng.random()
    if kind < 0.62:  # a step: the hind knee bends
        stride = rng.uniform(0.1, 0.62) * (1 if rng.random() < 0.5 else -1)
        legs = ((stride, _bend(rng, stride)), (-stride * rng.uniform(0.7, 1.1), _bend(rng, -stride)))
    elif kind < 0.93:
        stride = 0.0
        legs = ((rng.normal(0, 0.06), 0.02), (rng.normal(0, 0.06), rng.uniform(0, 0.25) ** 2))
    else:
        stride = 0.0
        legs = ((rng.uniform(-0.1, 0.25), rng.uniform(1.1, 1.6)), (rng.uniform(-0.1, 0.25), rng.uniform(1.1, 1.6)))
    arms = []
    for side in (0, 1):
        swing = -stride * rng.uniform(0.4, 1.0) * (1 if side == 0 else -1)
        do = rng.random()
        if do < 0.62:
            arms.append((swing + rng.normal(0, 0.06), rng.uniform(0.02, 0.2), rng.uniform(0.05, 0.5)))
        elif do < 0.78:  # a telephone, a cup, a book
            arms.append((rng.uniform(-0.1, 0.35), rng.uniform(0.02, 0.25), rng.uniform(1.3, 2.3)))
        elif do < 0.9:  # a hand in the pocket, on a strap
            arms.append((rng.uniform(-0.35, 0.0), rng.uniform(0.15, 0.4), rng.uniform(0.4, 0.9)))
        else:
            arms.append((rng.uniform(0.2, 0.7), rng.uniform(0.05, 0.4), rng.uniform(0.6, 1.5)))
    if rng.random() < 0.06:  # folded
        arms = [(0.25, 0.12, 1.6), (0.25, 0.12, 1.6)]
    return Pose(legs=legs, arms=(arms[0], arms[1]), lean=float(rng.normal(0.01, 0.015)), seated=kind >= 0.93)


def _bend(rng: np.random.Generator, swing: float) -> float:
    return float(rng.uniform(0.3, 1.1) * -swing if swing < 0 else rng.uniform(0.0, 0.15))


def joints(pose: Pose, *, shoulders: float, hips: float) -> Joints:
    """Place the joints of a pose.

    Args:
        pose: what the person does.
        shoulders: half the distance of the shoulder joints.
        hips: half the distance of the hip joints.
    """
    legs, arms = [], []
    for side, (swing, bend) in zip((1, -1), pose.legs, strict=True):
        angle = pi / 2 - swing if pose.seated else swing
        hip = (side * hips, HIP, 0.0)
        knee = (side * hips * 1.15, HIP + THIGH * cos(angle), THIGH * sin(angle))
        low = angle - bend
        ankle = (side * hips * 1.05, knee[1] + SHIN * cos(low), knee[2] + SHIN * sin(low))
        toe = (side * hips * 1.4, ankle[1] + 0.028 + 0.05 * max(0.0, -low), ankle[2] + 0.085)
        legs.append((hip, knee, ankle, toe))
    for side, (swing, spread, bend) in zip((1, -1), pose.arms, strict=True):
        shoulder = (side * shoulders, SHOULDER, pose.lean * 0.9)
        out = UPPER_ARM * sin(spread)
        elbow = (
            side * (shoulders + out), SHOULDER + UPPER_ARM * cos(swing) * cos(spread),
            shoulder[2] + UPPER_ARM * sin(swing),
        )  # fmt: skip
        turn = swing + bend
        inward = 0.5 * min(1.0, bend)  # a bent forearm comes before the body
        wrist = (
            elbow[0] - side * FOREARM * inward * 0.7, elbow[1] + FOREARM * cos(turn),
            elbow[2] + FOREARM * sin(turn) * 0.9,
        )  # fmt: skip
        tip = tuple(w + (w - e) * 0.34 for w, e in zip(wrist, elbow, strict=True))
        arms.append((shoulder, elbow, wrist, (tip[0], tip[1], tip[2])))
    return Joints(neck=(0.0, NECK, pose.lean), waist=(0.0, HIP, 0.0), legs=(legs[0], legs[1]), arms=(arms[0], arms[1]))
