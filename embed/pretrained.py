"""Torchvision's ImageNet networks as they are: the features before the classifier, as baselines and descriptors.

All take crops letterboxed to 224 x 224, EfficientNet-B7 too (it was trained at 600 x 600, where a crop costs seven
times as much; its features are global means, so any size works).
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from packed_scenes.data import InputError
from packed_scenes.data.connection import downloads
from packed_scenes.embed.published import fill, load_published
from packed_scenes.embed.reference import ImageNetScaled

HEADS = ("fc", "classifier", "heads", "head")


class PretrainedNet(ImageNetScaled):
    """A torchvision classification network without its last layer.

    Args:
        name: one of ``packed_scenes.embed.registry.PRETRAINED``, or another of torchvision's classification networks.
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

    url = get_model_weights(name).DEFAULT.url
    remedy = (
        f"Connect once, put {Path(url).name} into {downloads()}, or give it by "
        f"{name}=FILE; 'default', 'colour' and 'shape' need no download."
    )
    try:
        return get_model(name, weights="DEFAULT")  # type: ignore[no-any-return]
    except (OSError, RuntimeError) as error:  # URLError is an OSError; a cut download is a RuntimeError (its hash)
        raise InputError(f"the weights of {name} could not be fetched ({error})", remedy=remedy) from error


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
