"""Shape without colour or training: oriented gradients, Hu moments of the ink, proportions of the crop.

What colour layout cannot see: a bus and a van of one paint, a bottle and a box of one brand.

* **HOG** (Dalal and Triggs, CVPR 2005): unsigned gradient directions in cells of 8 x 8 pixels, normalised over
  overlapping blocks of 2 x 2 cells (L2-Hys). Equal to ``skimage.feature.hog`` on the same canvas (tested).
* **Hu moments** (Hu, 1962) of how far each pixel's grey is from the median of the crop's border, which is where
  background shows; signed logarithms. They don't change under shift, scale or rotation.
* **Proportions**: log of height / width, and the share of the canvas's content that is not masked.

The letterbox colour marks what lies outside the crop, and what a mask removed; both count as nothing.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from packed_scenes.data.letterbox import GREY
from packed_scenes.embed.networks import Unit

BINS, CELL, BLOCK, CLIP = 9, 8, 2, 0.2
HU_WEIGHT = 0.1  # brings the logarithms, of the order of 5 to 10, to the size of the gradients' unit length
ASPECT_WEIGHT = 1.0


class ShapeLayout(Unit):
    """Gradients, moments and proportions of a crop letterboxed to a square; D = 1,773 at 64 x 64.

    Args:
        size: canvas side in pixels, a multiple of 8.
    """

    keeps_length = True

    def __init__(self, *, size: int = 64) -> None:
        super().__init__()
        self.width = self.height = size
        blocks = size // CELL - BLOCK + 1
        self.dimension = blocks * blocks * BLOCK * BLOCK * BINS + 7 + 2

    @staticmethod
    def card() -> dict[str, Any]:
        """The card: no weights, no calibration."""
        return {"architecture": "shape", "fit": "letterbox"}

    def scale(self, pixels: Tensor) -> Tensor:
        """Pixels stay 0…255: the exact letterbox grey says what is outside."""
        return pixels

    def features(self, x: Tensor) -> Tensor:
        """See :class:`Unit`."""
        inside = (x != GREY).any(1)  # (B, H, W)
        gradients = functional.normalize(hog(x), dim=1)
        grey = (x * x.new_tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1) / 255
        moments = hu_moments(_ink(grey, inside))
        signed = -torch.sign(moments) * torch.log10(moments.abs().clamp(min=1e-12))
        rows, columns = inside.any(2), inside.any(1)
        height, width = (side.sum(1).clamp(min=1).float() for side in (rows, columns))
        filled = inside.sum((1, 2)) / (height * width)
        proportions = torch.stack([ASPECT_WEIGHT * torch.log2(height / width), filled], 1)
        return torch.cat([gradients, HU_WEIGHT * signed, proportions], 1)


def hog(pixels: Tensor) -> Tensor:
    """(B, 3, H, W) -> (B, blocks x 36) L2-Hys normalised gradient histograms, as scikit-image computes them."""
    dy, dx = torch.zeros_like(pixels), torch.zeros_like(pixels)
    dy[:, :, 1:-1] = pixels[:, :, 2:] - pixels[:, :, :-2]
    dx[:, :, :, 1:-1] = pixels[:, :, :, 2:] - pixels[:, :, :, :-2]
    channel = (dx.square() + dy.square()).argmax(1, keepdim=True)  # the channel with the strongest edge counts
    dy, dx = dy.gather(1, channel)[:, 0], dx.gather(1, channel)[:, 0]
    angle = torch.rad2deg(torch.atan2(dy, dx)) % 180
    index = (angle / (180 / BINS)).long().clamp(max=BINS - 1)
    votes = functional.one_hot(index, BINS).permute(0, 3, 1, 2) * torch.hypot(dx, dy)[:, None]
    cells = functional.avg_pool2d(votes.float(), CELL)
    blocks = functional.unfold(cells, BLOCK).transpose(1, 2)  # (B, blocks, 9 x 4), bin-major
    blocks = (
        blocks.reshape(*blocks.shape[:2], BINS, BLOCK * BLOCK).transpose(2, 3).flatten(2)
    )  # cell-major, as published
    blocks = _unit(blocks).clamp(max=CLIP)
    return _unit(blocks).flatten(1)


def _unit(blocks: Tensor) -> Tensor:
    return blocks / (blocks.square().sum(2, keepdim=True) + 1e-10).sqrt()


def _ink(grey: Tensor, inside: Tensor) -> Tensor:
    """(B, H, W) distance of grey from the border's median, 0 outside the crop."""
    border = inside & (functional.max_pool2d((~inside)[:, None].float(), 3, 1, 1)[:, 0] > 0)
    frame = torch.zeros_like(inside)
    frame[:, (0, -1)] = True
    frame[:, :, (0, -1)] = True
    border = border | (frame & inside)
    median = torch.where(border, grey, torch.nan).flatten(1).nanmedian(1).values.nan_to_num(0.5)
    return torch.where(inside, (grey - median[:, None, None]).abs(), 0.0)


def hu_moments(weight: Tensor) -> Tensor:
    """(B, H, W) non-negative weights -> (B, 7) Hu's invariants; the same as OpenCV's ``HuMoments`` (tested)."""
    h, w = weight.shape[1:]
    weight = weight.double()
    y = torch.arange(h, dtype=torch.float64, device=weight.device)
    x = torch.arange(w, dtype=torch.float64, device=weight.device)
    mass = weight.sum((1, 2)).clamp(min=1e-12)
    y = y - (weight.sum(2) @ y / mass)[:, None]
    x = x - (weight.sum(1) @ x / mass)[:, None]

    def eta(p: int, q: int) -> Tensor:
        return torch.einsum("bhw,bh,bw->b", weight, y**q, x**p) / mass ** (1 + (p + q) / 2)

    n20, n02, n11, n30, n12, n21, n03 = (eta(*o) for o in ((2, 0), (0, 2), (1, 1), (3, 0), (1, 2), (2, 1), (0, 3)))
    a, c = n30 + n12, n21 + n03
    d, e = n30 - 3 * n12, 3 * n21 - n03
    hu = [
        n20 + n02,
        (n20 - n02) ** 2 + 4 * n11**2,
        d**2 + e**2,
        a**2 + c**2,
        d * a * (a**2 - 3 * c**2) + e * c * (3 * a**2 - c**2),
        (n20 - n02) * (a**2 - c**2) + 4 * n11 * a * c,
        e * a * (a**2 - 3 * c**2) - d * c * (3 * a**2 - c**2),
    ]
    return torch.stack(hu, 1).float()
