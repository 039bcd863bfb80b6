"""The method's reference and its two comparisons, after the author's description.

Source: Bonan Cuan, "Embedding Learning and Clustering in Packed Scenes" (github.com/BCuan/embedding-clustering).
All take crops stretched to 224 x 224 (the aspect ratio is lost, as in the original) and scaled by ImageNet's mean and
standard deviation.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from packed_scenes.data import InputError
from packed_scenes.data.connection import TORCHVISION, require_weights
from packed_scenes.embed.networks import Unit

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class ImageNetScaled(Unit):
    """Base of networks that take 224 x 224 stretched crops in ImageNet's scale."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.width = self.height = 224
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(3, 1, 1) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(3, 1, 1) * 255, persistent=False)

    def scale(self, pixels: Tensor) -> Tensor:
        """See :class:`Unit`."""
        return (pixels - self.mean) / self.std


def trunk() -> nn.Sequential:
    """AlexNet's first two convolution layers with 4 and 16 filters."""
    return nn.Sequential(
        nn.Conv2d(3, 4, 11, stride=4, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(4, 16, 5, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, stride=2),
    )


class _SmallNet(ImageNetScaled):
    """Two convolutions, 6 x 6 average pooling, one linear layer and what follows it. 20,000 parameters."""

    def __init__(self, dimension: int, *after: nn.Module) -> None:
        super().__init__()
        self.dimension = dimension
        self.trunk = trunk()
        self.pool = nn.AdaptiveAvgPool2d(6)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(16 * 36, dimension), *after)

    def features(self, x: Tensor) -> Tensor:
        """See :class:`Unit`."""
        return self.head(self.pool(self.trunk(x)))  # type: ignore[no-any-return]


class ReferenceNet(_SmallNet):
    """The author's network: the small net, sigmoid, layer norm.

    Trained with :class:`packed_scenes.embed.losses.ProxySoftmax` at scale lambda = 3: its learned anchors are the
    proxies.
    """

    def __init__(self, *, dimension: int = 32) -> None:
        super().__init__(dimension, nn.Sigmoid(), nn.LayerNorm(dimension))


class ClassifierNet(_SmallNet):
    """The plain classifier with the same trunk: the embedding is its penultimate layer, learned only implicitly."""

    def __init__(self, *, dimension: int = 32) -> None:
        super().__init__(dimension, nn.ReLU(inplace=True))


class AlexNetTuned(ImageNetScaled):
    """ImageNet AlexNet with its last layer, or last two, replaced and trained; the rest stays as it was.

    Args:
        tuned: 1 or 2 trained layers.
        dimension: D; the last trained layer maps to it.
        weights: whether to load torchvision's ImageNet weights (a weights file of ours holds them all already).

    Raises:
        InputError: if the weights are not on this machine and cannot be fetched.
    """

    def __init__(self, *, tuned: int = 1, dimension: int = 32, weights: bool = False) -> None:
        super().__init__()
        from torchvision.models import AlexNet_Weights, alexnet

        self.dimension = dimension
        remedy = "Connect once, or take --preset reference, baseline or default, which need no download."
        if weights:
            require_weights("alexnet", TORCHVISION, remedy=remedy)
        try:
            network = alexnet(weights=AlexNet_Weights.IMAGENET1K_V1 if weights else None)
        except OSError as error:  # URLError is one
            raise InputError(f"the weights of AlexNet could not be fetched ({error})", remedy=remedy) from error
        self.trunk = nn.Sequential(network.features, network.avgpool, nn.Flatten(), *list(network.classifier)[:4])
        self.head = nn.Sequential(*list(network.classifier)[4:6], nn.Linear(4096, dimension))
        frozen = [self.trunk] if tuned == 2 else [self.trunk, self.head[0]]
        for module in frozen:
            module.requires_grad_(False)

    def features(self, x: Tensor) -> Tensor:
        """See :class:`Unit`."""
        return self.head(self.trunk(x))  # type: ignore[no-any-return]
