"""Torchvision's ImageNet networks as they are: the features before the classifier, as baselines and descriptors.

All take crops letterboxed to 224 x 224, EfficientNet-B7 too (it was trained at 600 x 600, where a crop costs seven
times as much; its features are global means, so any size works).
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from data import InputError
from embed.published import fill, load_published
from embed.reference import ImageNetScaled

NAMES = (
    "alexnet", "convnext_base", "convnext_small", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_b1",
    "efficientnet_b2", "efficientnet_b3", "efficientnet_b4", "efficientnet_b5", "efficientnet_b6", "efficientnet_b7",
    "efficientnet_v2_s", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small", "regnet_y_400mf", "resnet101",
    "resnet18", "resnet34", "resnet50", "shufflenet_v2_x1_0", "swin_t", "vgg16", "vit_b_16", "wide_resnet50_2",
)  # fmt: skip
HEADS = ("fc", "classifier", "heads", "head")


class PretrainedNet(ImageNetScaled):
    """A torchvision classification network without its last layer.

    Args:
        name: one of ``NAMES``.
        weights_file: the state dict as torchvision publishes it (``.pth``); None = torch's hub cache, or a download.

    Raises:
        InputError: if the weights are neither cached nor reachable, or the file does not fit.
    """

    keeps_length = True

    def __init__(self, name: str, *, weights_file: str | Path | None = None) -> None:
        super().__init__()
        from torchvision.models import get_model

        if weights_file is None:
            self.network: nn.Module = _from_hub(name)
            self.dimension, _ = _behead(self.network)
        else:
            self.network = get_model(name, weights=None)
            self.dimension, head = _behead(self.network)
            fill(self.network, load_published(weights_file, drop=(f"{head}.",)), file=weights_file, name=name)

    def features(self, x: Tensor) -> Tensor:
        """See :class:`Unit`."""
        return self.network(x)  # type: ignore[no-any-return]


def _from_hub(name: str) -> nn.Module:
    from torchvision.models import get_model, get_model_weights

    try:
        return get_model(name, weights="DEFAULT")  # type: ignore[no-any-return]
    except (OSError, RuntimeError) as error:  # URLError is an OSError; a cut download is a RuntimeError (its hash)
        file = Path(get_model_weights(name).DEFAULT.url).name
        place = Path(torch.hub.get_dir()) / "checkpoints"
        raise InputError(
            f"the weights of {name} are not on this machine and could not be fetched",
            remedy=f"Connect once, put {file} into {place}, or give it by {name}=FILE; 'default', 'colour' and 'shape' "
            "need no download.",
        ) from error


def _behead(network: nn.Module) -> tuple[int, str]:
    """Replace the last linear layer by nothing; return its number of inputs and its name."""
    head = next(name for name in HEADS if hasattr(network, name))
    layers = getattr(network, head)
    if isinstance(layers, nn.Linear):
        setattr(network, head, nn.Identity())
        return int(layers.in_features), head
    position = max(i for i, layer in enumerate(layers) if isinstance(layer, nn.Linear))
    last, name = layers[position], [name for name, _ in layers.named_children()][position]
    layers[position] = nn.Identity()
    return int(last.in_features), f"{head}.{name}"
