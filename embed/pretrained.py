"""Torchvision's ImageNet networks as they are: the features before the classifier, as baselines."""

from __future__ import annotations

from torch import Tensor, nn

from embed.reference import ImageNetScaled


class PretrainedNet(ImageNetScaled):
    """A torchvision classification network without its last layer.

    Args:
        name: ``resnet50``, ``resnet18``, ``alexnet``, ``mobilenet_v3_large``, ``convnext_tiny``.

    Raises:
        OSError: if the weights are neither cached nor reachable.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        from torchvision.models import get_model

        self.network: nn.Module = get_model(name, weights="DEFAULT")
        head = "fc" if hasattr(self.network, "fc") else "classifier"
        layers = getattr(self.network, head)
        last = layers if isinstance(layers, nn.Linear) else layers[-1]
        self.dimension = int(last.in_features)
        if isinstance(layers, nn.Linear):
            setattr(self.network, head, nn.Identity())
        else:
            layers[-1] = nn.Identity()

    def features(self, x: Tensor) -> Tensor:
        """See :class:`Unit`."""
        return self.network(x)  # type: ignore[no-any-return]
