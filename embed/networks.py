"""The networks: ours (``LayoutNet``), the author's reference, and its plain classifier.

All take (B, 3, H, W) float RGB in 0…255 and normalise it themselves, so that a weights file needs no side knowledge;
all return (B, D) float32 unit rows from ``forward``.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class Unit(nn.Module):
    """Base: scales pixels, runs ``features`` and returns unit rows.

    Attributes:
        width, height: canvas in pixels.
        dimension: D.
        keeps_length: whether the length of ``features`` means something, so that descriptors keep it.
    """

    width: int
    height: int
    dimension: int
    keeps_length: bool = False

    def features(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) scaled pixels -> (B, D), not normalised."""
        raise NotImplementedError

    def scale(self, pixels: Tensor) -> Tensor:
        """0…255 -> about unit variance."""
        return (pixels - 114.0) * (1 / 64.0)

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) float RGB 0…255 -> (B, D) float32 unit rows."""
        return functional.normalize(self.features(self.scale(pixels)).float(), dim=1)


class ConvUnit(nn.Sequential):
    """Convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class Residual(nn.Module):
    """x + ConvUnit(x)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = ConvUnit(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape in and out."""
        return x + self.body(x)  # type: ignore[no-any-return]


class LayoutNet(Unit):
    """Our default: a small residual network that keeps the spatial layout up to its last layer.

    There is no pooling before the linear layer: *where* a word or a colour stands on a package is what separates
    variants. 80 million multiply-adds per crop at 96 x 144.

    Args:
        width, height: canvas in pixels; multiples of 16.
        channels: output channels of the four stages, each at half the resolution of the one before.
        dimension: D of the embedding.
    """

    def __init__(
        self,
        *,
        width: int = 96,
        height: int = 144,
        channels: tuple[int, int, int, int] = (24, 48, 96, 160),
        dimension: int = 128,
    ) -> None:
        super().__init__()
        self.width, self.height, self.dimension = width, height, dimension
        a, b, c, d = channels
        self.stages = nn.Sequential(
            ConvUnit(3, a, kernel=5, stride=2),
            nn.Sequential(ConvUnit(a, b, stride=2), Residual(b)),
            nn.Sequential(ConvUnit(b, c, stride=2), Residual(c)),
            nn.Sequential(ConvUnit(c, d, stride=2), Residual(d)),
        )
        self.head = nn.Linear(d * (width // 16) * (height // 16), dimension)

    def features(self, x: Tensor) -> Tensor:
        """See :class:`Unit`."""
        return self.head(self.stages(x).flatten(1))  # type: ignore[no-any-return]
