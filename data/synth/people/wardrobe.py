"""The textures of a person's body and clothes: faces, hair, openings, prints, straps, stripes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from packed_scenes.data.synth.canvas import Colour
from packed_scenes.data.synth.people.appearance import Appearance
from packed_scenes.data.synth.people.fabric import (
    COLUMNS,
    ROWS,
    Fabric,
    Texture,
    angles,
    column,
    plain,
    put,
    sample_colour,
    weave,
)  # fmt: skip

_WORDS = [
    "AXIS",
    "NOVA",
    "23",
    "KING",
    "RUN",
    "ONE",
    "OCEAN",
    "88",
    "ARC",
    "TEAM",
    "GO",
    "WILD",
    "7",
    "LOVE",
    "UNO",
    "SOUL",
    "STAFF",
    "99",
    "PEAK",
    "CLUB",
]


@dataclass(frozen=True)
class Wardrobe:
    """Textures of one appearance, (h, w, 4) uint8 RGBA; None where nothing is worn."""

    head: Texture
    hair: Texture | None
    hat: Texture | None
    shirt: Texture
    jacket: Texture | None
    arms: Texture  # of the shirt's sleeve and the bare arm, from shoulder to wrist
    sleeves: Texture | None  # of the jacket
    pelvis: Texture
    legs: Texture  # from the hip to the ankle
    skirt: Texture | None
    bag: Texture
    skin: Texture


def sew(appearance: Appearance) -> Wardrobe:
    """Draw every texture of an appearance, some 3 ms."""
    shirt = weave(appearance.shirt)
    sleeve_cloth = shirt.copy()
    if appearance.print_at is not None:
        _print(shirt, appearance)
    if appearance.collar is not None:
        shirt[: ROWS // 16, :, :3] = appearance.collar
        if appearance.print_seed % 2:  # a polo's or a shirt's placket
            shirt[: ROWS // 3, [0, 1, -1], :3] = appearance.collar
    if appearance.trim is not None and appearance.jacket is None:
        _trim(shirt, appearance.trim, seed=appearance.print_seed)
    jacket = None if appearance.jacket is None else _jacket(appearance, appearance.jacket)
    _straps(jacket if jacket is not None else shirt, appearance)
    arms = _tiled(sleeve_cloth)
    arms[round(appearance.sleeve * 0.96 * ROWS) :, :, :3] = appearance.skin
    sleeves = None
    if appearance.jacket is not None:
        sleeves = _tiled(weave(appearance.jacket))
        sleeves[round(appearance.jacket_sleeve * ROWS) :, :, 3] = 0
        if appearance.trim is not None:
            _trim(sleeves, appearance.trim, seed=appearance.print_seed)
    pelvis, legs = _legs(appearance)
    skirt = weave(appearance.lower.fabric) if appearance.lower.kind == "skirt" else None
    return Wardrobe(
        head=_face(appearance), hair=_hair(appearance), hat=_hat(appearance), shirt=shirt, jacket=jacket, arms=arms,
        sleeves=sleeves, pelvis=pelvis, legs=legs, skirt=skirt, bag=_bag(appearance), skin=plain(appearance.skin),
    )  # fmt: skip


def _tiled(cloth: Texture) -> Texture:
    # a limb is a third as far around as the trunk: its pattern is coarser on the texture
    return np.ascontiguousarray(cv2.resize(cloth[:, : COLUMNS // 2], (COLUMNS, ROWS), interpolation=cv2.INTER_LINEAR))


def _face(appearance: Appearance) -> Texture:
    out = plain(appearance.skin, rows=32, columns=64)
    dark = tuple(int(v * 0.72) for v in appearance.skin)
    for side in (-1, 1):
        at = (5 * side) % 64
        out[14:16, [at % 64, (at + 1) % 64], :3] = (40, 30, 28)
        out[12, [(at - 1) % 64, at % 64, (at + 1) % 64, (at + 2) % 64], :3] = appearance.hair
    out[17:20, [0, 63], :3] = dark
    out[23, [62, 63, 0, 1, 2], :3] = (dark[0], dark[1] // 2 + 30, dark[2] // 2 + 30)
    turn = np.arange(64)
    front = np.minimum(turn, 64 - turn)
    if appearance.beard > 0:
        share = 0.35 + 0.6 * appearance.beard
        low = out[20:30, front < 14, :3]
        out[20:30, front < 14, :3] = (low * (1 - share) + np.array(appearance.hair) * share).astype(np.uint8)
    if appearance.mask is not None:
        out[18:28, front < 13, :3] = appearance.mask
    if appearance.glasses:
        out[13:16, front < 9, :3] = out[13:16, front < 9, :3] // 3
    return out


def _hair(appearance: Appearance) -> Texture | None:
    """Hair as a shell over the head and, if long, down to its ends: rows run over the whole length."""
    if appearance.style == "bald":
        return None
    rng = np.random.default_rng(appearance.print_seed)
    out = np.zeros((ROWS, COLUMNS, 4), np.uint8)
    strands = rng.normal(1, 0.13, (1, COLUMNS, 1)) * np.linspace(1.1, 0.9, ROWS)[:, None, None]
    out[..., :3] = np.clip(np.array(appearance.hair) * strands, 0, 255)
    y = hair_rows(appearance)[:, None]
    turn = np.abs(angles())[None]
    nape = {"short": 0.105, "full": 0.118}.get(appearance.style, 1.0)
    fringe = 0.03 + 0.02 * rng.random()
    face = 62 if appearance.style in ("bob", "long") else 72
    line = np.where(turn < face, fringe, np.where(turn < 100, 0.075 if nape < 1 else 1.0, nape))
    if appearance.style in ("tail", "bun"):
        line = np.where(turn < 70, fringe, np.where(turn < 110, 0.07, 0.115))
    side = 105 if appearance.style == "long" else 75  # what hangs down hangs behind
    out[..., 3] = np.where((y < line) & ((y < 0.13) | (turn > side)), 255, 0)
    return out


def hair_rows(appearance: Appearance) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """(64,) height in body heights of each row of the hair's texture."""
    return np.linspace(-0.004, hair_end(appearance), ROWS)


def hair_end(appearance: Appearance) -> float:
    """Height at which the hair ends."""
    return 0.13 + (appearance.hair_length if appearance.style == "long" else 0.02)


def _hat(appearance: Appearance) -> Texture | None:
    if appearance.hat == "none":
        return None
    out = weave(appearance.hat_fabric)
    if appearance.hat in ("hood", "scarf"):
        turn = np.abs(angles())[None]
        row = np.linspace(0, 1, ROWS)[:, None]
        out[(turn < 55) & (row > 0.16) & (row < 0.82)] = 0
    return out


def _jacket(appearance: Appearance, fabric: Fabric) -> Texture:
    out = weave(fabric)
    rng = np.random.default_rng(appearance.print_seed)
    turn = angles()
    row = np.linspace(0, 1, ROWS)
    if appearance.print_at is not None and abs(appearance.print_at[0]) > 90:
        _print(out, appearance)
    if appearance.trim is not None:
        _trim(out, appearance.trim, seed=appearance.print_seed)
    edge = appearance.collar or tuple(int(v * 0.7) for v in fabric.colours[0])
    if appearance.opening > 0:  # wider at the bottom, or in the middle of the chest
        gap = appearance.opening * (0.55 + 0.45 * row if rng.random() < 0.5 else 0.7 + 0.5 * np.sin(row * 3))
        side = rng.normal(0, 4)
        out[np.abs(turn[None] - side) < gap[:, None]] = 0
        lapel = (np.abs(turn[None] - side) < (gap + 12 * (row < 0.45))[:, None]) & (out[..., 3] > 0)
        out[lapel, :3] = edge
    else:
        out[:, [0, 1], :3] = edge
        neck = np.clip(18 * (0.2 - row) / 0.2, 0, None)
        out[np.abs(turn[None]) < neck[:, None]] = 0
    if rng.random() < 0.4:  # pockets
        for at in (-38, 38):
            put(out, np.full((2, 10, 3), edge, np.uint8), angle=at, row=0.72)
    if rng.random() < 0.3:  # hood or collar on the back
        tint = tuple(int(v * 0.8) for v in fabric.colours[0])
        out[: ROWS // 5, np.abs(turn) > 120, :3] = tint
    return out


def _trim(texture: Texture, colour: Colour, *, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for row in rng.uniform(0.15, 0.9, rng.integers(1, 3)):
        top = int(row * ROWS)
        texture[top : top + int(rng.integers(3, 7)), :, :3] = colour


def _print(texture: Texture, appearance: Appearance) -> None:
    assert appearance.print_at is not None
    angle, row, size = appearance.print_at
    rng = np.random.default_rng(appearance.print_seed)
    h, w = max(4, round(size * rng.uniform(0.6, 1.5))), max(6, round(size * 2))
    tints = [sample_colour(rng) for _ in range(3)]
    kind = rng.integers(5)
    centre = column(angle)
    top = int(np.clip(row * ROWS - h / 2, 0, ROWS - h))
    where = (centre - w // 2 + np.arange(w)) % COLUMNS
    patch = np.ascontiguousarray(texture[top : top + h, where, :3])
    if kind == 0:
        cv2.ellipse(patch, (w // 2, h // 2), (w // 2 - 1, h // 2 - 1), 0, 0, 360, tints[0], -1, cv2.LINE_AA)
        cv2.ellipse(patch, (w // 2, h // 2), (max(1, w // 4), max(1, h // 4)), 0, 0, 360, tints[1], -1, cv2.LINE_AA)
    elif kind == 1:
        patch[:] = tints[0]
        patch[h // 3 : h // 2 + 1] = tints[1]
    elif kind == 2:
        word = str(rng.choice(_WORDS))
        cv2.putText(patch, word, (0, h - 2), cv2.FONT_HERSHEY_SIMPLEX, w / (len(word) * 22), tints[0], 2, cv2.LINE_AA)
    elif kind == 3:
        for index in range(int(rng.integers(2, 5))):
            corners = rng.integers(0, [w, h], (int(rng.integers(3, 6)), 2)).astype(np.int32)
            cv2.fillPoly(patch, [corners], tints[index % 3], cv2.LINE_AA)
    else:
        for line in range(1, h, 3):
            patch[line, rng.integers(0, w // 3) : w - rng.integers(0, w // 3)] = tints[line % 2]
    put(texture, patch, angle=angle, row=row)


def _straps(texture: Texture, appearance: Appearance) -> None:
    dark = tuple(int(v * 0.8) for v in appearance.bag_fabric.colours[0])
    opaque = texture[..., 3] > 0
    width = max(2, round(COLUMNS * 0.03))
    if appearance.bag == "backpack":
        for at in (-38, 38):
            where = (column(at) - width + np.arange(2 * width)) % COLUMNS
            texture[: round(ROWS * 0.5), where, :3] = dark
    elif appearance.bag == "across":  # from one shoulder to the other hip, in front and behind
        for front in (True, False):
            row = np.arange(ROWS)
            turn = appearance.bag_side * (-45 + 100 * row / ROWS)
            turn = turn if front else 180 - turn
            for r, at in zip(row.tolist(), turn.tolist(), strict=True):
                texture[r, (column(at) - width // 2 + np.arange(width)) % COLUMNS, :3] = dark
    texture[..., 3] = np.where(opaque, 255, texture[..., 3])


def _legs(appearance: Appearance) -> tuple[Texture, Texture]:
    lower = appearance.lower
    cloth = weave(lower.fabric)
    pelvis = cloth.copy()
    legs = _tiled(cloth)
    if appearance.belt is not None:
        pelvis[: ROWS // 5, :, :3] = appearance.belt
    if appearance.stripe is not None:
        legs[:, np.abs(np.abs(angles()) - 90) < 14, :3] = appearance.stripe
    row = np.linspace(0.5, 0.956, ROWS)
    bare = row > lower.hem if lower.kind != "skirt" else row > 0
    legs[bare, :, :3] = appearance.skin
    if appearance.print_seed % 5 == 0 and lower.kind == "skirt":  # tights
        legs[bare, :, :3] = appearance.socks
    legs[bare & (row > 0.93), :, :3] = appearance.socks
    if appearance.shaft:
        legs[row > 0.956 - appearance.shaft, :, :3] = appearance.shoes
    return pelvis, legs


def _bag(appearance: Appearance) -> Texture:
    out = weave(appearance.bag_fabric)
    if appearance.bag == "paper":
        out[..., :3] = appearance.bag_fabric.colours[1]
        put(out, np.full((20, 20, 3), appearance.bag_fabric.colours[0], np.uint8), angle=0, row=0.5)
    rng = np.random.default_rng(appearance.bag_fabric.seed)
    if appearance.bag == "backpack":
        edge = np.array(appearance.bag_fabric.colours[1 if rng.random() < 0.5 else 0]) * 0.75
        out[round(ROWS * 0.5) : round(ROWS * 0.54), :, :3] = edge
        if rng.random() < 0.5:
            put(out, np.full((18, 26, 3), edge, np.uint8), angle=180, row=0.72)
        if rng.random() < 0.4:
            put(out, np.full((5, 9, 3), appearance.bag_fabric.colours[2], np.uint8), angle=180, row=0.3)
    return out
