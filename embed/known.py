"""The embedders that have a name."""

from __future__ import annotations

from data import InputError
from embed.embedder import Embedder
from embed.registry import ASSETS, register


@register("default")
def default(device: str) -> Embedder:
    """Our network, with the weights that ship with the project."""
    return Embedder.from_file(ASSETS / "embedder.safetensors", device=device)


@register("reference")
def reference(device: str) -> Embedder:
    """The author's two-layer network, trained here on packed_products by the reference preset."""
    return Embedder.from_file(ASSETS / "embedder-reference.safetensors", device=device)


@register("colour", "color")
def colour(device: str) -> Embedder:
    """Lab colour-layout histogram: no training, the baseline that trained networks must beat."""
    from embed.colour import ColourLayout

    return Embedder(ColourLayout(), card=ColourLayout.card(), device=device)


def _pretrained(name: str) -> None:
    @register(name)
    def load(device: str) -> Embedder:
        from embed.pretrained import PretrainedNet

        try:
            network = PretrainedNet(name)
        except OSError as error:
            raise InputError(
                f"the weights of {name} are not on this machine and could not be fetched",
                remedy="Connect once, or put them into torch's hub cache; 'default' and 'colour' need no download.",
            ) from error
        return Embedder(
            network,
            card={"architecture": name, "weights": "torchvision ImageNet", "licence": "BSD-3-Clause"},
            device=device,
        )


for _name in ("resnet50", "resnet18", "alexnet", "mobilenet_v3_large", "convnext_tiny"):
    _pretrained(_name)
