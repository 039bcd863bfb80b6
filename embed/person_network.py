"""``PersonNet``: stripes of MobileNetV2's features and one linear layer, for people.

Batch norm is folded into the convolutions before the training starts: its ImageNet statistics are then kept as they
are, where statistics of drawn people would not fit real ones, and a training step is a third cheaper.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from packed_scenes.data import InputError
from packed_scenes.embed.compiled_person import DEVIATION, MEAN, NORM_EPSILON, STAGES
from packed_scenes.embed.networks import Unit

EPSILON = 1e-5  # of torch's batch norm


def _convolution(inputs: int, outputs: int, *, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups)


class Inverted(nn.Module):
    """Inverted residual of MobileNetV2 without batch norm: widen, filter by channel, narrow."""

    def __init__(self, inputs: int, outputs: int, *, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.widen = _convolution(inputs, hidden, kernel=1) if expansion > 1 else None
        self.filter = _convolution(hidden, hidden, kernel=3, stride=stride, groups=hidden)
        self.narrow = _convolution(hidden, outputs, kernel=1)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H / stride, W / stride)."""
        y = x if self.widen is None else functional.relu6(self.widen(x))
        y = self.narrow(functional.relu6(self.filter(y)))
        return x + y if self.residual else y  # type: ignore[no-any-return]


class PersonNet(Unit):
    """Stripes of MobileNetV2's features: what is worn at which height.

    The maps of its thirteenth block are averaged across the body, with learned weights that favour the middle, into
    ``stripes`` rows of 96 channels; they are standardised per crop, and one linear layer follows.

    Args:
        width, height: canvas in pixels, multiples of 16.
        stripes: rows; divides ``height`` / 16.
        dimension: D of the embedding.
    """

    def __init__(self, *, width: int = 64, height: int = 128, stripes: int = 8, dimension: int = 192) -> None:
        super().__init__()
        self.width, self.height, self.stripes, self.dimension = width, height, stripes, dimension
        blocks: list[nn.Module] = [_convolution(3, 32, kernel=3, stride=2)]
        inputs, strides = 32, 2
        for expansion, outputs, count, stride in STAGES:
            for index in range(count):
                step = stride if index == 0 else 1
                blocks.append(Inverted(inputs, outputs, stride=step, expansion=expansion))
                inputs, strides = outputs, strides * step
        self.blocks = nn.ModuleList(blocks)
        self.across = nn.Parameter(torch.linspace(-1.5, 1.5, width // strides).square().neg())
        self.head = nn.Linear(inputs * stripes, dimension)
        self.trunk = 0  # blocks that a training leaves alone

    def scale(self, pixels: Tensor) -> Tensor:
        """0…255 -> ImageNet's normalisation."""
        mean = torch.tensor(MEAN, device=pixels.device).view(1, 3, 1, 1)
        deviation = torch.tensor(DEVIATION, device=pixels.device).view(1, 3, 1, 1)
        return (pixels - mean) / deviation

    def features(self, x: Tensor) -> Tensor:
        """See :class:`Unit`."""
        return self.head(self.rows(x))  # type: ignore[no-any-return]

    def rows(self, x: Tensor) -> Tensor:
        """Scaled (B, 3, H, W) -> (B, 96 * stripes): what the head sees, standardised per crop."""
        for number, block in enumerate(self.blocks):
            with torch.set_grad_enabled(torch.is_grad_enabled() and number >= self.trunk):
                x = block(x) if number else functional.relu6(block(x))
        row = (x * torch.softmax(self.across, 0)).sum(3)
        row = row.reshape(len(row), row.shape[1], self.stripes, -1).mean(3).flatten(1)
        return functional.layer_norm(row, row.shape[1:], eps=NORM_EPSILON)


def load_imagenet(network: PersonNet, file: str | Path) -> None:
    """Fill the convolutions from torchvision's ``mobilenet_v2`` state dict, batch norm folded in.

    Raises:
        InputError: if the file is not that network's.
    """
    from packed_scenes.embed.published import load_published

    state = load_published(file, drop=("classifier.",))

    def fill(layer: nn.Conv2d, convolution: str, norm: str) -> None:
        gain = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + EPSILON)
        layer.weight.copy_(state[f"{convolution}.weight"] * gain.view(-1, 1, 1, 1))
        assert layer.bias is not None
        layer.bias.copy_(state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * gain)

    try:
        with torch.no_grad():
            fill(network.blocks[0], "features.0.0", "features.0.1")  # type: ignore[arg-type]
            for number, block in enumerate(network.blocks):
                if isinstance(block, Inverted):
                    name, at = f"features.{number}.conv", 0
                    if block.widen is not None:
                        fill(block.widen, f"{name}.0.0", f"{name}.0.1")
                        at = 1
                    fill(block.filter, f"{name}.{at}.0", f"{name}.{at}.1")
                    fill(block.narrow, f"{name}.{at + 1}", f"{name}.{at + 2}")
    except (KeyError, RuntimeError) as error:
        raise InputError(
            "not the weights of torchvision's mobilenet_v2", file=file, remedy="Give mobilenet_v2-b0353104.pth."
        ) from error
