"""Hide the background of a crop before it is embedded, and show what was hidden.

Three ways, each a callable (H, W, 3) uint8 RGB -> (H, W) bool, True where the object is:

* ``threshold``: how far each pixel's colour (Lab) is from the crop's border, cut by Otsu's method (1979); erosion drops
  specks, dilation closes gaps.
* ``grabcut``: GrabCut (Rother, Kolmogorov, Blake, SIGGRAPH 2004; OpenCV) started from the crop's own rectangle.
* ``deeplab``: DeepLabV3 (torchvision, Pascal VOC classes; anything but its background class), from weights.

None of them knows what the object is. Where the answer is no answer (almost nothing or almost everything would stay)
the whole crop is kept: a wrong mask hurts more than a background.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from data import InputError
from data.files import sha256_file
from data.images import write_image
from embed.crops import GREY, letterbox

RGB = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

LEAST, MOST = 0.05, 0.95  # shares of a crop that a believable mask keeps


class Masker(Protocol):
    """A way to find the object of a crop."""

    def __call__(self, image: RGB) -> Mask:
        """(H, W, 3) uint8 RGB -> (H, W) bool, True = object."""

    @property
    def key(self) -> dict[str, Any]:
        """What decides the masks: name, options, weights. Part of the cache's key."""


@dataclass(frozen=True)
class Threshold:
    """Otsu's threshold on the distance to the border's colour, then erosion and dilation.

    Attributes:
        border: share of the shorter side that counts as border.
        erode, dilate: kernel sides as shares of the shorter side.
    """

    border: float = 0.04
    erode: float = 0.02
    dilate: float = 0.06

    @property
    def key(self) -> dict[str, Any]:
        """See :class:`Masker`."""
        return {"mask": "threshold", **asdict(self)}

    def __call__(self, image: RGB) -> Mask:
        """See :class:`Masker`."""
        side = min(image.shape[:2])
        edge = max(1, round(self.border * side))
        lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
        frame = np.concatenate([lab[:edge].reshape(-1, 3), lab[-edge:].reshape(-1, 3),
                                lab[:, :edge].reshape(-1, 3), lab[:, -edge:].reshape(-1, 3)])  # fmt: skip
        far = np.linalg.norm(lab - np.median(frame, 0), axis=2)
        grey = np.clip(far * (255 / max(float(far.max()), 1.0)), 0, 255).astype(np.uint8)
        _, found = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        found = cv2.erode(found, _disc(self.erode * side))
        found = cv2.dilate(found, _disc(self.dilate * side))
        return believable(found.astype(bool))


@dataclass(frozen=True)
class GrabCut:
    """GrabCut from a rectangle a little smaller than the crop.

    Attributes:
        margin: share of each side that is surely background.
        rounds: iterations.
        side: longer side in pixels at which it runs; the mask is scaled back up.
        open: kernel side of an erosion and dilation that drops specks, as a share of the shorter side.
    """

    margin: float = 0.04
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
        y, x = (max(1, round(self.margin * n)) for n in small.shape[:2])
        inner = (x, y, small.shape[1] - 2 * x, small.shape[0] - 2 * y)
        if min(inner[2:]) < 4 or not small.std():
            return np.ones((h, w), bool)
        state = np.zeros(small.shape[:2], np.uint8)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.setRNGSeed(0)  # its colour models start from k-means
        try:
            cv2.grabCut(small[..., ::-1].copy(), state, inner, *models, self.rounds, cv2.GC_INIT_WITH_RECT)
        except cv2.error:  # too few colours to fit its models
            return np.ones((h, w), bool)
        found = np.isin(state, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
        found = cv2.morphologyEx(found, cv2.MORPH_OPEN, _disc(max(3, self.open * min(small.shape[:2]))))
        return believable(cv2.resize(found, (w, h), interpolation=cv2.INTER_NEAREST).astype(bool))


@dataclass
class DeepLab:
    """DeepLabV3 with Pascal VOC's classes (person, car, bus, bicycle, bottle, animals, …; no packages).

    Attributes:
        name: ``deeplabv3_mobilenet_v3_large``, ``deeplabv3_resnet50`` or ``deeplabv3_resnet101``.
        weights_file: torchvision's published state dict; None = torch's hub cache, or a download.
        side: longer side in pixels of the network's input.
        device: where it runs.

    Raises:
        InputError: when first used, if the weights are neither here nor reachable, or don't fit.
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

        from embed.reference import IMAGENET_MEAN, IMAGENET_STD

        h, w = image.shape[:2]
        scale = self.side / max(h, w)
        small = cv2.resize(image, (max(8, round(w * scale)), max(8, round(h * scale))), interpolation=cv2.INTER_AREA)
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
        with self._lock, torch.inference_mode():
            if self._network is None:
                self._network = self._load()
            pixels = (torch.from_numpy(small).permute(2, 0, 1).float() / 255 - mean) / std
            pixels = pixels[None].to(next(self._network.parameters()).device)
            found = (self._network(pixels)["out"][0].argmax(0) != 0).byte().cpu().numpy()
        return believable(cv2.resize(found, (w, h), interpolation=cv2.INTER_NEAREST).astype(bool))

    def _load(self) -> Any:
        from torchvision.models import get_model, get_model_weights

        from data.device import pick_device
        from embed.published import fill, load_published

        if self.weights_file is not None:
            network = get_model(self.name, weights=None, weights_backbone=None, num_classes=21, aux_loss=False)
            tensors = load_published(self.weights_file, drop=("aux_classifier.",))
            fill(network, tensors, file=self.weights_file, name=self.name)
        else:
            try:
                network = get_model(self.name, weights="DEFAULT", weights_backbone=None)
            except (OSError, RuntimeError) as error:
                file = Path(get_model_weights(self.name).DEFAULT.url).name
                raise InputError(
                    f"the weights of {self.name} are not on this machine and could not be fetched",
                    remedy=f"Connect once, or give the file {file} by --mask deeplab=FILE; threshold and grabcut need "
                    "none.",
                ) from error
        return network.eval().to(pick_device(self.device))


def make_masker(spec: str | Masker | None, *, device: str = "auto") -> Masker | None:
    """Masker by name: ``threshold``, ``grabcut``, ``deeplab`` or ``deeplab=FILE``; None and ``none`` mean no mask.

    Raises:
        InputError: for an unknown name, or a file that is not there.
    """
    if spec is None or not isinstance(spec, str):
        return spec
    name, _, file = spec.partition("=")
    if file and name == "deeplab":
        sha256_file(file)  # says at once if it is not there
    makers: dict[str, Callable[[], Masker | None]] = {
        "none": lambda: None,
        "threshold": Threshold,
        "grabcut": GrabCut,
        "deeplab": lambda: DeepLab(weights_file=Path(file) if file else None, device=device),
    }
    if name not in makers or (file and name != "deeplab"):
        raise InputError(f"unknown mask {spec!r}", remedy="Known: threshold, grabcut, deeplab, deeplab=FILE.")
    return makers[name]()


def believable(mask: Mask) -> Mask:
    """The mask, or all True where it keeps under 5 % or over 95 % of the crop."""
    return mask if LEAST <= mask.mean() <= MOST else np.ones_like(mask)


def keep(image: RGB, mask: Mask) -> RGB:
    """The object on the letterbox grey."""
    return np.where(mask[..., None], image, np.uint8(GREY))


def removed(image: RGB, mask: Mask) -> RGB:
    """What was removed, on the letterbox grey: the picture to look at before a mask is trusted."""
    return keep(image, ~mask)


def mask_sheet(images: Iterable[RGB], masker: Masker, path: str | Path, *, size: int = 112, columns: int = 4) -> float:
    """Write a sheet PNG: for each crop the crop, what stays, what was removed, side by side.

    Returns:
        The share of the crops that the masker left whole because it had no believable answer.
    """
    tiles, whole = [], 0
    for image in images:
        mask = masker(image)
        whole += bool(mask.all())
        views = [letterbox(v, width=size, height=size) for v in (image, keep(image, mask), removed(image, mask))]
        tiles.append(cv2.copyMakeBorder(np.hstack(views), 2, 2, 2, 6, cv2.BORDER_CONSTANT, value=(255, 255, 255)))
    if not tiles:
        raise InputError("no crop to draw a mask sheet of")
    count = len(tiles)
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns if len(tiles) > columns else 0)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    write_image(path, np.vstack(rows))
    return whole / count


def _disc(diameter: float) -> npt.NDArray[np.uint8]:
    side = max(1, round(diameter))
    disc: npt.NDArray[np.uint8] = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return disc
