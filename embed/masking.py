"""Hide the background of a crop before it is embedded, and show what was hidden.

Three ways, each a callable (H, W, 3) uint8 RGB -> (H, W) bool, True where the object is:

* ``threshold``: how far each pixel's colour (Lab) is from the crop's corners, cut by Otsu's method (1979); erosion
  drops specks, dilation closes gaps, what an outline encloses is filled. For objects on an even ground.
* ``grabcut``: GrabCut (Rother, Kolmogorov, Blake, SIGGRAPH 2004; OpenCV) started from an ellipse that fills the crop.
* ``deeplab``: DeepLabV3 (torchvision, Pascal VOC classes; anything but its background class), from weights.

Seen on sheets of 24 crops: GrabCut cuts out vehicles well and most bottles; the threshold leaves holes in white cars on
grey roads and loses plain bottles whose paint reaches a corner. Neither knows what the object is. Where the answer is
no answer (almost nothing or almost everything would stay) the whole crop is kept: a wrong mask hurts more than a
background.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError
from packed_scenes.data.connection import TORCHVISION, require_weights
from packed_scenes.data.files import sha256_file
from packed_scenes.data.images import read_image, write_image
from packed_scenes.data.letterbox import GREY, letterbox

RGB = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

MIN_SHARE, MAX_SHARE = 0.15, 0.95  # shares of a crop that a believable mask keeps


class Masker(Protocol):
    """A way to find the object of a crop."""

    def __call__(self, image: RGB) -> Mask:
        """(H, W, 3) uint8 RGB -> (H, W) bool, True = object."""

    @property
    def key(self) -> dict[str, Any]:
        """What decides the masks: name, options, weights. Part of the cache's key."""


@dataclass(frozen=True)
class Threshold:
    """Otsu's threshold on the distance to the nearest of the four corners' colours, erosion, dilation, holes filled.

    The corners, not the whole border: an object that fills its box touches the border's middle, seldom the corners.

    Attributes:
        corner: share of width and height that a corner takes.
        erode, dilate: kernel sides as shares of the shorter side.
    """

    corner: float = 0.06
    erode: float = 0.02
    dilate: float = 0.06

    @property
    def key(self) -> dict[str, Any]:
        """See :class:`Masker`."""
        return {"mask": "threshold", **asdict(self)}

    def __call__(self, image: RGB) -> Mask:
        """See :class:`Masker`."""
        side = min(image.shape[:2])
        y, x = (max(1, round(self.corner * n)) for n in image.shape[:2])
        lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
        corners = [lab[:y, :x], lab[:y, -x:], lab[-y:, :x], lab[-y:, -x:]]
        far = np.min([np.linalg.norm(lab - np.median(c.reshape(-1, 3), 0), axis=2) for c in corners], 0)
        grey = np.clip(far * (255 / max(float(far.max()), 1.0)), 0, 255).astype(np.uint8)
        _, found = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        found = cv2.erode(found, _disc(self.erode * side))
        found = cv2.dilate(found, _disc(self.dilate * side))
        outlines, _ = cv2.findContours(found, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        return is_plausible(cv2.drawContours(found, outlines, -1, 1, cv2.FILLED).astype(bool))


@dataclass(frozen=True)
class GrabCut:
    """GrabCut from a superellipse that fills the crop: the corners outside it are certain background.

    Attributes:
        power: of the superellipse, |x|^power + |y|^power < 1; larger leaves smaller corners.
        rounds: iterations.
        side: longer side in pixels at which it runs; the mask is scaled back up.
        open: kernel side of an erosion and dilation that drops specks, as a share of the shorter side.
    """

    power: float = 4.0
    rounds: int = 3
    side: int = 128
    open: float = 0.03

    @property
    def key(self) -> dict[str, Any]:
        """See :class:`Masker`."""
        return {"mask": "grabcut", **asdict(self)}

    def __call__(self, image: RGB) -> Mask:
        """See :class:`Masker`."""
        h, w = image.shape[:2]
        scale = min(1.0, self.side / max(h, w))
        small = cv2.resize(image, (max(1, round(w * scale)), max(1, round(h * scale))), interpolation=cv2.INTER_AREA)
        if min(small.shape[:2]) < 8 or not small.std():
            return np.ones((h, w), bool)
        y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in small.shape[:2])
        inside = np.abs(y[:, None]) ** self.power + np.abs(x) ** self.power < 1
        state = np.where(inside, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.setRNGSeed(0)  # its colour models start from k-means
        try:
            cv2.grabCut(small[..., ::-1].copy(), state, None, *models, self.rounds, cv2.GC_INIT_WITH_MASK)
        except cv2.error:  # too few colours to fit its models
            return np.ones((h, w), bool)
        found = np.isin(state, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
        found = cv2.morphologyEx(found, cv2.MORPH_OPEN, _disc(max(3, self.open * min(small.shape[:2]))))
        return is_plausible(cv2.resize(found, (w, h), interpolation=cv2.INTER_NEAREST).astype(bool))


@dataclass
class DeepLab:
    """DeepLabV3 with Pascal VOC's classes (person, car, bus, bicycle, bottle, animals, …; no packages).

    Attributes:
        name: ``deeplabv3_mobilenet_v3_large``, ``deeplabv3_resnet50`` or ``deeplabv3_resnet101``.
        weights_file: torchvision's published state dict; None = torch's hub cache, or a download.
        side: longer side in pixels of the network's input.
        device: where it runs.

    Raises:
        InputError: when first used (:meth:`prepare` does it now), if the weights are neither here nor reachable, or
            don't fit.
    """

    name: str = "deeplabv3_mobilenet_v3_large"
    weights_file: Path | None = None
    side: int = 256
    device: str = "auto"
    _network: Any = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def key(self) -> dict[str, Any]:
        """See :class:`Masker`."""
        weights = "torchvision" if self.weights_file is None else sha256_file(self.weights_file)
        return {"mask": "deeplab", "name": self.name, "weights": weights, "side": self.side}

    def __call__(self, image: RGB) -> Mask:
        """See :class:`Masker`; one crop at a time, whichever thread asks."""
        import torch

        from packed_scenes.embed.reference import IMAGENET_MEAN, IMAGENET_STD

        h, w = image.shape[:2]
        scale = self.side / max(h, w)
        small = cv2.resize(image, (max(8, round(w * scale)), max(8, round(h * scale))), interpolation=cv2.INTER_AREA)
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
        self.prepare()
        with self._lock, torch.inference_mode():
            pixels = (torch.from_numpy(small).permute(2, 0, 1).float() / 255 - mean) / std
            pixels = pixels[None].to(next(self._network.parameters()).device)
            found = (self._network(pixels)["out"][0].argmax(0) != 0).byte().cpu().numpy()
        return is_plausible(cv2.resize(found, (w, h), interpolation=cv2.INTER_NEAREST).astype(bool))

    def prepare(self) -> None:
        """Load the network, once."""
        with self._lock:
            if self._network is None:
                self._network = self._load()

    def _load(self) -> Any:
        from torchvision.models import get_model, get_model_weights

        from packed_scenes.data.device import pick_device
        from packed_scenes.embed.published import fill, load_published

        if self.weights_file is not None:
            network = get_model(self.name, weights=None, weights_backbone=None, num_classes=21, aux_loss=False)
            tensors = load_published(self.weights_file, drop=("aux_classifier.",))
            fill(network, tensors, file=self.weights_file, name=self.name)
        else:
            url = get_model_weights(self.name).DEFAULT.url
            remedy = (
                f"Connect once, or give the file {Path(url).name} by --mask deeplab=FILE; threshold and grabcut need "
                "none."
            )
            require_weights(self.name, TORCHVISION, remedy=remedy)
            try:
                network = get_model(self.name, weights="DEFAULT", weights_backbone=None)
            except (OSError, RuntimeError) as error:
                raise InputError(f"the weights of {self.name} could not be fetched ({error})", remedy=remedy) from error
        return network.eval().to(pick_device(self.device))


def make_masker(spec: str | Masker | None, *, device: str = "auto") -> Masker | None:
    """Masker by name: ``threshold``, ``grabcut``, ``deeplab`` or ``deeplab=FILE``; None and ``none`` mean no mask.

    Raises:
        InputError: for an unknown name, or a file that is not there or holds no such weights.
    """
    if spec is None or not isinstance(spec, str):
        return spec
    name, _, file = spec.partition("=")
    makers: dict[str, Callable[[], Masker | None]] = {
        "none": lambda: None,
        "threshold": Threshold,
        "grabcut": GrabCut,
        "deeplab": lambda: DeepLab(weights_file=Path(file) if file else None, device=device),
    }
    if name not in makers or (file and name != "deeplab"):
        raise InputError(f"unknown mask {spec!r}", remedy="Known: threshold, grabcut, deeplab, deeplab=FILE.")
    masker = makers[name]()
    if file and isinstance(masker, DeepLab):
        masker.prepare()  # or every picture would fail with what is wrong with the weights
    return masker


def is_plausible(mask: Mask) -> Mask:
    """The mask, or all True where it keeps under 15 % or over 95 % of the crop."""
    return mask if MIN_SHARE <= mask.mean() <= MAX_SHARE else np.ones_like(mask)


def apply_mask(image: RGB, mask: Mask) -> RGB:
    """The object on the letterbox grey."""
    return np.where(mask[..., None], image, np.uint8(GREY))


def masked_out(image: RGB, mask: Mask) -> RGB:
    """What was removed, on the letterbox grey: the picture to check a mask with."""
    return apply_mask(image, ~mask)


def mask_sheet(images: Iterable[RGB], masker: Masker, path: str | Path, *, size: int = 112, columns: int = 4) -> float:
    """Write a sheet PNG: for each crop the crop, what stays, what was removed, side by side.

    Returns:
        The share of the crops that the masker left whole because it had no believable answer.
    """
    tiles, whole = [], 0
    for image in images:
        mask = masker(image)
        whole += bool(mask.all())
        views = [
            letterbox(v, width=size, height=size) for v in (image, apply_mask(image, mask), masked_out(image, mask))
        ]
        tiles.append(cv2.copyMakeBorder(np.hstack(views), 2, 2, 2, 6, cv2.BORDER_CONSTANT, value=(255, 255, 255)))
    if not tiles:
        raise InputError("no crop to draw a mask sheet of")
    count = len(tiles)
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns if len(tiles) > columns else 0)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    write_image(path, np.vstack(rows))
    return whole / count


def sheet_of_files(
    paths: Sequence[str | Path], masker: Masker, path: str | Path, *, count: int = 32, seed: int = 0
) -> float:
    """:func:`mask_sheet` of ``count`` pictures drawn from files; unreadable ones are left out."""
    images = []
    for row in np.sort(np.random.default_rng(seed).permutation(len(paths))[:count]):
        with suppress(InputError):
            images.append(read_image(paths[row]))
    return mask_sheet(images, masker, path)


def _disc(diameter: float) -> npt.NDArray[np.uint8]:
    side = max(1, round(diameter))
    disc: npt.NDArray[np.uint8] = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return disc
