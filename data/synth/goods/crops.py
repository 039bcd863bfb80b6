"""Real crops as goods, and virtual identities made from them by fixed recolourings."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from packed_scenes.data.errors import InputError
from packed_scenes.data.folders import list_images
from packed_scenes.data.images import read_image
from packed_scenes.data.synth.goods.colour import Colour, package_colour
from packed_scenes.data.synth.goods.emblems import EMBLEMS, draw_emblem
from packed_scenes.data.synth.goods.text import FACES, invent_word, text_mask

__all__ = ["CropFamily", "CropGoods", "CropProduct", "Recolouring", "changed_share", "recolour", "sample_recolouring"]

U8 = NDArray[np.uint8]
_LUMA = np.array([0.299, 0.587, 0.114])
_SAME = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
TRIES = 6  # draws before a mark is put on regardless


@dataclass(frozen=True, slots=True)
class Recolouring:
    """A virtual identity: what `recolour` does to every crop of a class.

    matrix: row-major 3 x 3 colour transform of the whole crop. band: (y0, y1) as shares of the height where
    `band_matrix` applies too, or None. hue: (centre, half width) in degrees, the only hues transformed; None: all.
    mark: word or emblem put on, or ""; place: its (x, y, w, h) as shares; ink: its colour. mirror: flipped sideways.
    """

    matrix: tuple[float, ...]
    band: tuple[float, float] | None = None
    band_matrix: tuple[float, ...] = ()
    hue: tuple[float, float] | None = None
    mark: str = ""
    face: str = ""
    place: tuple[float, float, float, float] = (0.2, 0.4, 0.6, 0.15)
    ink: Colour = (255, 255, 255)
    mirror: bool = False


def _chroma_matrix(rng: np.random.Generator) -> tuple[float, ...]:
    """A transform that keeps greys: hue rotation at equal luminance, or an exchange of channels."""
    if rng.random() < 0.25:
        orders = ((1, 2, 0), (2, 0, 1), (0, 2, 1), (1, 0, 2), (2, 1, 0))
        return tuple(float(v) for v in np.eye(3)[list(orders[int(rng.integers(5))])].ravel())
    angle = np.deg2rad(rng.uniform(45, 315))
    # Rotation in the plane of equal luminance, after scaling saturation.
    u, v = np.array([-0.147, -0.289, 0.436]), np.array([0.615, -0.515, -0.1])
    to = np.stack([_LUMA, u, v])
    c, s = np.cos(angle), np.sin(angle)
    saturation = rng.uniform(0.8, 1.25)
    spin = np.array([[1, 0, 0], [0, c * saturation, -s * saturation], [0, s * saturation, c * saturation]])
    return tuple(float(x) for x in (np.linalg.inv(to) @ spin @ to).ravel())


def sample_recolouring(rng: np.random.Generator, crops: Sequence[U8] = (), *, min_change: float = 0.08) -> Recolouring:
    """Draw a virtual identity.

    Args:
        rng: fixes it.
        crops: a few RGB crops of the class, by which it is seen that the change shows: white goods do not change
            under a rotation of hues.
        min_change: share of the crop that must change visibly.

    Returns:
        The specification; apply it to every crop of the class with `recolour`.
    """
    for attempt in range(TRIES + 1):
        kind = rng.random()
        matrix: tuple[float, ...] = _SAME
        band: tuple[float, float] | None = None
        band_matrix: tuple[float, ...] = ()
        hue: tuple[float, float] | None = None
        if kind < 0.45:
            matrix = _chroma_matrix(rng)
        elif kind < 0.65:
            start = rng.uniform(0, 0.65)
            band, band_matrix = (float(start), float(start + rng.uniform(0.2, 0.45))), _chroma_matrix(rng)
        elif kind < 0.85:
            matrix, hue = _chroma_matrix(rng), (float(rng.uniform(0, 360)), float(rng.uniform(25, 60)))
        mirror = bool(rng.random() < 0.15)
        mark, face, place, ink = "", "", (0.2, 0.4, 0.6, 0.15), (255, 255, 255)
        if kind >= 0.85 or rng.random() < 0.3 or attempt == TRIES:
            mark = str(rng.choice(EMBLEMS)) if rng.random() < 0.4 else invent_word(rng, syllables=2)
            face = str(rng.choice(FACES[:8]))
            w, h = rng.uniform(0.3, 0.7), rng.uniform(0.1, 0.24)
            place = (float(rng.uniform(0.1, 0.9 - w)), float(rng.uniform(0.25, 0.9 - h)), float(w), float(h))
            ink = package_colour(rng)
        spec = Recolouring(matrix, band, band_matrix, hue, mark, face, place, ink, mirror)
        if not crops or float(np.mean([changed_share(c, spec) for c in crops])) >= min_change:
            return spec
    return spec


def changed_share(crop: U8, spec: Recolouring) -> float:
    """Share of a crop's pixels that a recolouring changes by more than 36 of 255 in a channel (mirroring left out)."""
    small = np.asarray(cv2.resize(crop, (32, 48), interpolation=cv2.INTER_AREA), np.uint8)
    new = recolour(small, spec)
    small = small[:, ::-1] if spec.mirror else small
    return float((np.abs(new.astype(np.int16) - small).max(axis=2) > 36).mean())


def recolour(crop: U8, spec: Recolouring) -> U8:
    """Apply a virtual identity to a crop.

    Args:
        crop: RGB uint8 (H, W, 3).
        spec: from `sample_recolouring`.

    Returns:
        RGB uint8 of the same shape; the crop itself is not changed.
    """
    height, width = crop.shape[:2]
    out = np.ascontiguousarray(crop[:, ::-1] if spec.mirror else crop)
    if spec.matrix != _SAME:
        new = np.asarray(cv2.transform(out, np.array(spec.matrix).reshape(3, 3)), np.uint8)
        if spec.hue is None:
            out = new
        else:
            hsv = cv2.cvtColor(out, cv2.COLOR_RGB2HSV).astype(np.float32)
            gap = np.abs((hsv[..., 0] * 2 - spec.hue[0] + 180) % 360 - 180)
            weight = np.clip((spec.hue[1] - gap) / 12, 0, 1) * np.clip((hsv[..., 1] - 30) / 40, 0, 1)
            out = (out + (new.astype(np.float32) - out) * weight[..., None]).astype(np.uint8)
    if spec.band is not None:
        rows = (np.arange(height) + 0.5) / height
        weight = np.clip((rows - spec.band[0]) * 30, 0, 1) * np.clip((spec.band[1] - rows) * 30, 0, 1)
        new = cv2.transform(out, np.array(spec.band_matrix).reshape(3, 3)).astype(np.float32)
        out = (out + (new - out) * weight[:, None, None]).astype(np.uint8)
    if spec.mark:
        out = _mark(out, spec, height, width)
    return out if out is not crop else crop.copy()


def _mark(out: U8, spec: Recolouring, height: int, width: int) -> U8:
    """Put the word or emblem on, under the light of the place."""
    x, y = round(spec.place[0] * width), round(spec.place[1] * height)
    w, h = max(3, round(spec.place[2] * width)), max(3, round(spec.place[3] * height))
    w, h = min(w, width - x), min(h, height - y)
    if w < 2 or h < 2:
        return out
    if spec.mark in EMBLEMS:
        rgb, cover = draw_emblem(
            spec.mark, 1, h, w, spec.ink, (255 - spec.ink[0], 255 - spec.ink[1], 255 - spec.ink[2])
        )
    else:
        cover = np.asarray(
            cv2.resize(text_mask(spec.mark, spec.face, 32), (w, h), interpolation=cv2.INTER_AREA), np.uint8
        )
        rgb = np.broadcast_to(np.array(spec.ink, np.uint8), (h, w, 3))
    # The crop's own exposure dims the mark: printed on the package, not on the picture.
    exposure = min(1.0, (float(np.percentile(out, 95)) + 20) / 255)
    spot = out[y : y + h, x : x + w]
    weight = cover[..., None].astype(np.float32) / 255 * 0.95
    out = out.copy()
    out[y : y + h, x : x + w] = spot + (rgb * exposure - spot) * weight
    return out


@dataclass(frozen=True)
class CropProduct:
    """One identity shown by real crops. Same interface as a drawn product; `render` picks one of its crops."""

    family_id: str
    variant_id: int
    files: tuple[Path, ...]
    source: CropGoods
    kind: str = "crop"
    height_cm: float = 20.0

    @property
    def key(self) -> str:
        """Stable identity: the class folder."""
        return f"{self.family_id}:{self.variant_id}"

    @property
    def takes(self) -> int:
        """How many different pictures there are."""
        return len(self.files)

    @property
    def aspect(self) -> float:
        """Width over height of the first crop."""
        picture = self.source.read(self.files[0])
        return float(picture.shape[1] / picture.shape[0])

    def render(self, height: int, rng: np.random.Generator | None = None) -> U8:
        """One crop (the first; a random one with `rng`) as RGBA uint8 (height, width, 4); corners faded when soft."""
        picture = self.source.read(self.files[0 if rng is None else int(rng.integers(len(self.files)))])
        width = max(1, round(height * picture.shape[1] / picture.shape[0]))
        way = cv2.INTER_AREA if height < picture.shape[0] else cv2.INTER_LINEAR
        rgb = np.asarray(cv2.resize(picture, (width, height), interpolation=way), np.uint8)
        alpha = np.full((height, width), 255, np.uint8)
        if self.source.soft:
            y, x = np.abs(np.linspace(-1, 1, height))[:, None], np.abs(np.linspace(-1, 1, width))[None]
            alpha = np.clip(
                (1.06 - np.maximum(np.maximum(x, y), (x**6 + y**6) ** (1 / 6) * 0.97)) * 12 * 255, 0, 255
            ).astype(np.uint8)
        return np.dstack([rgb, alpha])


@dataclass(frozen=True)
class CropFamily:
    """Class folders that lie side by side, as a brand line."""

    products: tuple[CropProduct, ...]

    def variant(self, index: int) -> CropProduct:
        """The index-th product, going around when there are fewer."""
        return self.products[index % len(self.products)]

    def variants(self, n: int, rng: np.random.Generator | None = None) -> list[CropProduct]:
        """Up to n different products."""
        if rng is None:
            return list(self.products[:n])
        return [
            self.products[int(i)]
            for i in rng.choice(len(self.products), size=min(n, len(self.products)), replace=False)
        ]


class CropGoods:
    """A folder of real crops whose class folders are identities.

    Args:
        root: folder; every sub-folder that holds pictures is an identity.
        longest: crops are kept at most this long in pixels.
        soft: fade the corners, where a crop shows its surroundings.
        budget: bytes of decoded crops kept, least recently used out first.

    Raises:
        InputError: no folder of pictures below root.
    """

    def __init__(self, root: str | Path, *, longest: int = 320, soft: bool = False, budget: int = 128 << 20) -> None:
        if not Path(root).is_dir():
            raise InputError("is no folder", file=root, remedy="Name a folder with one folder of crops per product.")
        folders: dict[Path, list[Path]] = {}
        for file in list_images([root]):
            folders.setdefault(Path(file).parent, []).append(Path(file))
        self.longest, self.soft, self._budget, self._cached_bytes = longest, soft, budget, 0
        self._cache: OrderedDict[Path, U8] = OrderedDict()
        self.products: tuple[CropProduct, ...] = tuple(
            CropProduct(str(folder.relative_to(root)), 0, tuple(files), self)
            for folder, files in sorted(folders.items())
        )

    def read(self, file: Path) -> U8:
        """A crop reduced to `longest`, from the cache when it is there."""
        found = self._cache.pop(file, None)
        if found is None:
            picture = read_image(file)
            scale = min(1.0, self.longest / max(picture.shape[:2]))
            size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
            found = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
            self._cached_bytes += found.nbytes
        self._cache[file] = found
        while self._cached_bytes > self._budget and len(self._cache) > 1:
            self._cached_bytes -= self._cache.popitem(last=False)[1].nbytes
        return found

    def sample_family(self, rng: np.random.Generator, size: int = 3) -> CropFamily:
        """A run of neighbouring class folders."""
        size = min(size, len(self.products))
        start = int(rng.integers(len(self.products) - size + 1))
        return CropFamily(self.products[start : start + size])
