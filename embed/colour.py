"""Colour layout: what a crop looks like at 12 x 8 cells in Lab, with no training at all."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from packed_scenes.embed.networks import Unit

# sRGB (D65) -> XYZ, divided by the white point: row sums are 1
_XYZ = ((0.433953, 0.376219, 0.189828), (0.212671, 0.715160, 0.072169), (0.017758, 0.109477, 0.872766))


def rgb_to_lab(pixels: Tensor) -> Tensor:
    """(B, 3, H, W) sRGB in 0…255 -> CIE Lab (L 0…100), D65; the same to 0.01 as scikit-image's ``rgb2lab``."""
    unit = (pixels / 255).clamp(0, 1)
    linear = torch.where(unit > 0.04045, ((unit + 0.055) / 1.055).clamp(min=0) ** 2.4, unit / 12.92)
    matrix = torch.tensor(_XYZ, dtype=pixels.dtype, device=pixels.device)
    xyz = functional.conv2d(linear, matrix[:, :, None, None])
    f = torch.where(xyz > 0.008856, xyz.clamp(min=1e-6) ** (1 / 3), 7.787 * xyz + 16 / 116)
    x, y, z = f.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


class ColourLayout(Unit):
    """Soft Lab histograms of the cells of a grid over the whole crop (stretched, so that cells correspond).

    Each pixel votes linearly for the two nearest of 8 levels of L, of a and of b; each cell's three histograms are
    concatenated; square roots make the cosine a Bhattacharyya coefficient. D = rows x columns x 24 = 2,304.

    Args:
        rows, columns: cells; divisors of 72 and 48.
        levels: bins of each channel.
    """

    def __init__(self, *, rows: int = 12, columns: int = 8, levels: int = 8) -> None:
        super().__init__()
        self.width, self.height = 48, 72
        self.rows, self.columns, self.levels = rows, columns, levels
        self.dimension = rows * columns * levels * 3

    @staticmethod
    def card() -> dict[str, Any]:
        """The card; calibrated on simulated scenes of the 22 products of packed_products (it learned from nothing)."""
        calibration = {
            "threshold": 0.11,
            "equal_error": {"distance": 0.219, "low": 0.208, "high": 0.221, "value": 0.133},
            "pairwise_f": {"distance": 0.111, "low": 0.098, "high": 0.115, "value": 0.588},
        }
        return {"architecture": "colour", "fit": "stretch", "calibration": calibration}

    def scale(self, pixels: Tensor) -> Tensor:
        """To Lab, each channel about 0…1."""
        lab = rgb_to_lab(pixels)
        return torch.stack([lab[:, 0] / 100, lab[:, 1] / 120 + 0.5, lab[:, 2] / 120 + 0.5], 1).clamp(0, 1)

    def features(self, x: Tensor) -> Tensor:
        """See :class:`Unit`."""
        centres = torch.linspace(0, 1, self.levels, dtype=x.dtype, device=x.device)
        votes = (1 - (x[:, :, None] - centres[None, None, :, None, None]).abs() * (self.levels - 1)).clamp(min=0)
        votes = votes.reshape(-1, 3 * self.levels, self.height, self.width)  # fixed sizes: ONNX has no adaptive pooling
        cells = functional.avg_pool2d(votes, (self.height // self.rows, self.width // self.columns))
        return cells.flatten(1).clamp(min=1e-8).sqrt()
