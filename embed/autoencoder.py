"""An autoencoder for crops: three convolutions and three dense layers each way, 32 numbers in the middle.

It learns from the pictures at hand, without labels: the 32 numbers are a descriptor, and crops that it reconstructs
badly are outliers. What it keeps is what covers many pixels (colour, light, large shapes), not what names a product.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from packed_scenes.data.letterbox import GREY
from packed_scenes.embed.networks import Unit

CHUNK = 256  # crops per pass of the reconstruction


class Autoencoder(Unit):
    """Letterboxed crop -> latent -> crop. 4.4 million parameters at the defaults.

    Args:
        width, height: canvas in pixels, multiples of 8.
        channels: of the three convolutions; each halves the resolution.
        hidden: of the two dense layers before the latent.
        dimension: D of the latent.
    """

    keeps_length = True

    def __init__(
        self,
        *,
        width: int = 64,
        height: int = 64,
        channels: tuple[int, int, int] = (32, 64, 64),
        hidden: tuple[int, int] = (512, 128),
        dimension: int = 32,
    ) -> None:
        super().__init__()
        self.width, self.height, self.dimension = width, height, dimension
        a, b, c = channels
        one, two = hidden
        map_shape = (c, height // 8, width // 8)
        flat = c * (height // 8) * (width // 8)
        self.encoder = nn.Sequential(
            nn.Conv2d(3, a, 3, 2, 1), nn.LeakyReLU(0.1),
            nn.Conv2d(a, b, 3, 2, 1), nn.LeakyReLU(0.1),
            nn.Conv2d(b, c, 3, 2, 1), nn.LeakyReLU(0.1),
            nn.Flatten(),
            nn.Linear(flat, one), nn.LeakyReLU(0.1),
            nn.Linear(one, two), nn.LeakyReLU(0.1),
            nn.Linear(two, dimension),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Linear(dimension, two), nn.LeakyReLU(0.1),
            nn.Linear(two, one), nn.LeakyReLU(0.1),
            nn.Linear(one, flat), nn.LeakyReLU(0.1),
            nn.Unflatten(1, map_shape),
            nn.ConvTranspose2d(c, b, 4, 2, 1), nn.LeakyReLU(0.1),
            nn.ConvTranspose2d(b, a, 4, 2, 1), nn.LeakyReLU(0.1),
            nn.ConvTranspose2d(a, 3, 4, 2, 1),
        )  # fmt: skip

    def features(self, x: Tensor) -> Tensor:
        """See :class:`Unit`: the latent."""
        return self.encoder(x)  # type: ignore[no-any-return]

    def reconstruct(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) float RGB 0…255 -> the same, as the network reconstructs it (not clipped)."""
        return self.decoder(self.encoder(self.scale(pixels))) * 64.0 + 114.0  # type: ignore[no-any-return]


@torch.inference_mode()
def reconstruct(network: Autoencoder, canvases: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """(N, H, W, 3) uint8 canvases -> their reconstructions, uint8."""
    device = next(network.parameters()).device
    out = np.empty(canvases.shape, np.uint8)
    for start in range(0, len(canvases), CHUNK):
        pixels = torch.from_numpy(np.array(canvases[start : start + CHUNK])).to(device).permute(0, 3, 1, 2).float()
        made = network.reconstruct(pixels).clamp(0, 255).round().byte()
        out[start : start + CHUNK] = made.permute(0, 2, 3, 1).cpu().numpy()
    return out


def reconstruction_errors(network: Autoencoder, canvases: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """How badly each crop is remembered: mean absolute error over its own pixels, 0…1, (N,) float32.

    The grey of the letterbox is easy to remember and is left out, so that slim crops don't look better than they are.

    Args:
        network: a trained autoencoder in evaluation mode.
        canvases: (N, H, W, 3) uint8 letterboxed crops, may be a memory map; 256 are held at a time.
    """
    errors = np.empty(len(canvases), np.float32)
    for start in range(0, len(canvases), CHUNK):
        part = np.asarray(canvases[start : start + CHUNK])
        grey = (part == GREY).all(3)
        inside = ~(grey.all(2)[:, :, None] | grey.all(1)[:, None, :])  # whole rows and columns of grey are padding
        difference = np.abs(part.astype(np.int16) - reconstruct(network, part)).mean(3)
        share = np.maximum(inside.sum((1, 2)), 1)
        errors[start : start + CHUNK] = (difference * inside).sum((1, 2)) / share / 255
    return errors
