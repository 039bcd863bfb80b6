"""Where goods come from: drawn ones, real crops, or a mixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import cv2
import numpy as np

from data.files import list_images
from data.images import read_image
from data.synth.canvas import Picture
from data.synth.pool import Renderable, Source
from data.synth.signs import FONTS, Colour, colour, text


@dataclass(frozen=True)
class _Draft:
    aspect: float
    shape: str
    base: Colour
    cap: Colour
    marks: tuple[tuple[str, float, float, float, float, Colour, str, int], ...]

    def render(self, height: int, rng: np.random.Generator | None = None) -> Picture:
        h, w = height, max(4, round(height * self.aspect))
        out = np.full((h, w, 4), (*self.base, 255), np.uint8)
        for kind, x, y, a, b, tone, word, font in self.marks:
            X, Y = int(x * w), int(y * h)
            if kind == "rect":
                cv2.rectangle(out, (X, Y), (int(X + a * w), int(Y + b * h)), (*tone, 255), -1)
            elif kind == "ell":
                cv2.ellipse(
                    out,
                    (X, Y),
                    (max(2, int(a * w / 2)), max(2, int(b * h / 2))),
                    0,
                    0,
                    360,
                    (*tone, 255),
                    -1,
                    cv2.LINE_AA,
                )
            elif kind == "stripe":
                cv2.line(out, (0, Y), (w, int(Y + (a - 0.5) * h)), (*tone, 255), max(1, int(b * h / 5)), cv2.LINE_AA)
            else:
                text(out, word, (w * 0.06, Y, w * 0.88, h * 0.3 * a), tone, font)
        m = np.zeros((h, w), np.uint8)
        if self.shape == "bottle":
            cv2.rectangle(m, (0, int(0.3 * h)), (w, h), 255, -1)
            cv2.ellipse(m, (w // 2, int(0.3 * h)), (w // 2, int(0.15 * h)), 0, 0, 360, 255, -1, cv2.LINE_AA)
            cv2.rectangle(m, (int(0.35 * w), 0), (int(0.65 * w), int(0.25 * h)), 255, -1)
            out[: int(0.1 * h), :, :3] = self.cap
        elif self.shape == "jar":
            cv2.rectangle(m, (0, int(0.15 * h)), (w, h), 255, -1)
            cv2.rectangle(m, (int(0.1 * w), 0), (int(0.9 * w), int(0.2 * h)), 255, -1)
            out[: int(0.14 * h), :, :3] = self.cap
        elif self.shape == "tube":
            cv2.fillPoly(
                m, [np.array([[0, 0], [w, 0], [int(0.8 * w), int(0.85 * h)], [int(0.2 * w), int(0.85 * h)]])], 255
            )
            cv2.rectangle(m, (int(0.25 * w), int(0.85 * h)), (int(0.75 * w), h), 255, -1)
            out[int(0.85 * h) :, :, :3] = self.cap
        elif self.shape == "pouch":
            cv2.ellipse(m, (w // 2, h // 2), (int(w * 0.52), int(h * 0.52)), 0, 0, 360, 255, -1)
        else:
            m[:] = 255
        if self.shape in ("bottle", "can", "jar"):
            fall = 1 - 0.4 * np.abs(np.linspace(-1, 1, w)) ** 2
            out[..., :3] = (out[..., :3] * fall[None, :, None]).astype(np.uint8)
        out[..., 3] = m
        return out


class ProceduralGoods:
    """Drawn packages in brand families."""

    def family(self, rng: np.random.Generator, variants: int) -> Sequence[Renderable]:
        """Return one family; see :class:`data.synth.pool.Source`."""
        rnd = Random(int(rng.integers(2**62)))
        shape = rnd.choice(("box", "box", "bottle", "bottle", "can", "jar", "tube", "pouch"))
        aspect = rnd.choice(
            (0.35, 0.45, 0.55, 0.64, 0.8, 1, 1.3, 1.8) if shape in ("box", "pouch") else (0.3, 0.4, 0.5, 0.6, 0.7)
        )
        kinds = [rnd.choice(("rect", "ell", "text", "stripe", "text")) for _ in range(rnd.randint(3, 8))]
        places = [(rnd.random(), rnd.random(), rnd.uniform(0.1, 0.9), rnd.uniform(0.05, 0.6)) for _ in kinds]

        def word() -> str:
            return "".join(rnd.choice("ABCDEFGHIKLMNOPRSTUVXYZ") for _ in range(rnd.randint(3, 8)))

        marks = [(k, *p, colour(rnd), word(), rnd.choice(FONTS)) for k, p in zip(kinds, places, strict=True)]
        base, cap = colour(rnd), colour(rnd)
        family = []
        for _ in range(rnd.randint(1, variants)):
            family.append(_Draft(aspect, shape, base, cap, tuple(marks)))
            change = rnd.randrange(len(marks))
            kind, x, y, a, b, _, _, font = marks[change]
            marks[change] = (kind, x, y, a, b, colour(rnd), word(), font)
            if rnd.random() < 0.3:
                base = colour(rnd)
        return family


class _Photos:
    """One identity shown by several photos; the generator of randomness chooses which."""

    takes = 4

    def __init__(self, files: list[Path]) -> None:
        self._files = files

    def render(self, height: int, rng: np.random.Generator | None = None) -> Picture:
        file = self._files[int(rng.integers(len(self._files))) if rng is not None else 0]
        picture = read_image(file)
        width = max(2, round(height * picture.shape[1] / picture.shape[0]))
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        return np.dstack([small, np.full((height, width), 255, np.uint8)])


class PhotoGoods:
    """Real crops as goods: each folder of pictures below ``root`` is one identity, folders side by side are a family."""

    def __init__(self, root: str | Path) -> None:
        folders: dict[Path, list[Path]] = {}
        for file in list_images([root]):
            folders.setdefault(file.parent, []).append(file)
        self._folders = list(folders.values())

    def family(self, rng: np.random.Generator, variants: int) -> Sequence[Renderable]:
        """Return one to three identities of the folder; see :class:`data.synth.pool.Source`."""
        start = int(rng.integers(len(self._folders)))
        number = int(rng.integers(1, min(3, variants, len(self._folders)) + 1))
        return [_Photos(self._folders[(start + k) % len(self._folders)]) for k in range(number)]


class MixedGoods:
    """Several sources, each family from one of them by weight."""

    def __init__(self, sources: Sequence[tuple[float, Source]]) -> None:
        self._sources = [source for _, source in sources]
        weights = np.array([weight for weight, _ in sources], float)
        self._weights = weights / weights.sum()

    def family(self, rng: np.random.Generator, variants: int) -> Sequence[Renderable]:
        """Return one family of one source; see :class:`data.synth.pool.Source`."""
        return self._sources[int(rng.choice(len(self._sources), p=self._weights))].family(rng, variants)
