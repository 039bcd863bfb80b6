"""OSNet: omni-scale features for re-identification, small enough to ship as code and loaded from a user's file.

Zhou, Yang, Cavallaro, Xiang: "Omni-Scale Feature Learning for Person Re-Identification", ICCV 2019 (arXiv 1905.00953).
A block runs four streams of 1, 2, 3 and 4 light 3 x 3 convolutions (receptive fields 3, 5, 7, 9); one gate, shared by
the streams, weighs each stream's channels by what it sees over the whole map; the weighted sum joins the residual.

Module names follow the published torchreid state dicts (``conv2.0.gate.fc1.weight``), so that those files load as they
are. Written from the paper; with one state dict, the outputs equal torchreid 0.2.5's for all four widths (largest
difference 0, checked outside the test suite).
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from packed_scenes.data import InputError
from packed_scenes.embed.published import fill, load_published
from packed_scenes.embed.reference import ImageNetScaled

# Channels of conv1 and of the three stages.
WIDTHS = {
    "osnet_x1_0": (64, 256, 384, 512),
    "osnet_x0_75": (48, 192, 288, 384),
    "osnet_x0_5": (32, 128, 192, 256),
    "osnet_x0_25": (16, 64, 96, 128),
}
STREAMS = 4
REDUCTION = 4  # a block works on a quarter of its output channels
GATE_REDUCTION = 16


class ConvNorm(nn.Module):
    """Convolution, batch norm and, unless ``linear``, ReLU."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int = 1, stride: int = 1, linear: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs)
        self.relu = nn.Identity() if linear else nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H / stride, W / stride)."""
        return self.relu(self.bn(self.conv(x)))  # type: ignore[no-any-return]


class LightConv(nn.Module):
    """A 3 x 3 convolution in two parts: 1 x 1 across channels, then 3 x 3 within each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.bn = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape in and out."""
        return self.relu(self.bn(self.conv2(self.conv1(x))))  # type: ignore[no-any-return]


class Gate(nn.Module):
    """Weighs channels by two dense layers over the map's mean."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // GATE_REDUCTION, 1)
        self.fc2 = nn.Conv2d(channels // GATE_REDUCTION, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape in and out."""
        weight = self.fc2(torch.relu(self.fc1(x.mean((2, 3), keepdim=True))))
        return x * torch.sigmoid(weight)


class Block(nn.Module):
    """Four streams of light convolutions under one gate, beside a residual connection."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        middle = outputs // REDUCTION
        self.conv1 = ConvNorm(inputs, middle)
        self.conv2a = LightConv(middle)
        for length, letter in zip(range(2, STREAMS + 1), "bcd", strict=True):
            self.add_module(f"conv2{letter}", nn.Sequential(*(LightConv(middle) for _ in range(length))))
        self.gate = Gate(middle)
        self.conv3 = ConvNorm(middle, outputs, linear=True)
        self.downsample = None if inputs == outputs else ConvNorm(inputs, outputs, linear=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H, W)."""
        start = self.conv1(x)
        streams = [self.gate(self.get_submodule(f"conv2{letter}")(start)) for letter in "abcd"]
        joined = self.conv3(streams[0] + streams[1] + streams[2] + streams[3])
        return torch.relu(joined + (x if self.downsample is None else self.downsample(x)))


class OSNet(ImageNetScaled):
    """The network up to its 512 features; crops are stretched to 128 x 256 (width x height).

    Args:
        variant: one of ``WIDTHS``.

    Raises:
        InputError: if the variant is unknown.
    """

    keeps_length = True

    def __init__(self, variant: str = "osnet_x1_0") -> None:
        super().__init__()
        if variant not in WIDTHS:
            raise InputError(f"unknown OSNet {variant!r}", remedy=f"Known: {', '.join(WIDTHS)}.")
        self.width, self.height, self.dimension = 128, 256, 512
        first, a, b, c = WIDTHS[variant]
        self.conv1 = ConvNorm(3, first, kernel=7, stride=2)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv2 = _stage(first, a, shrink=True)
        self.conv3 = _stage(a, b, shrink=True)
        self.conv4 = _stage(b, c, shrink=False)
        self.conv5 = ConvNorm(c, c)
        self.fc = nn.Sequential(nn.Linear(c, 512), nn.BatchNorm1d(512), nn.ReLU(inplace=True))

    def features(self, x: Tensor) -> Tensor:
        """See :class:`Unit`; (B, 512), not negative."""
        x = self.maxpool(self.conv1(x))
        x = self.conv5(self.conv4(self.conv3(self.conv2(x))))
        return self.fc(x.mean((2, 3)))  # type: ignore[no-any-return]


def _stage(inputs: int, outputs: int, *, shrink: bool) -> nn.Sequential:
    layers: list[nn.Module] = [Block(inputs, outputs), Block(outputs, outputs)]
    if shrink:
        layers.append(nn.Sequential(ConvNorm(outputs, outputs), nn.AvgPool2d(2, stride=2)))
    return nn.Sequential(*layers)


def load_osnet(path: str | Path) -> tuple[OSNet, str]:
    """Load a published torchreid state dict; its width says which variant it is.

    Args:
        path: ``.pth`` file, opened with ``weights_only``; ``module.`` prefixes and the classifier are dropped.

    Returns:
        The network in evaluation mode and the variant's name.

    Raises:
        InputError: if the file is no OSNet state dict (OSNet-AIN and -IBN have other layers and are refused by name).
    """
    tensors = load_published(path, drop=("classifier.",))
    first = tensors.get("conv1.conv.weight")
    variants = {widths[0]: name for name, widths in WIDTHS.items()}
    if first is None or first.ndim != 4 or first.shape[0] not in variants:
        raise InputError(
            "no OSNet state dict (conv1.conv.weight is missing or of another width)",
            file=path,
            remedy="Give osnet_x1_0, x0_75, x0_5 or x0_25 as torchreid publishes them.",
        )
    variant = variants[first.shape[0]]
    network = OSNet(variant)
    fill(network, tensors, file=path, name=variant)
    return network.eval(), variant
