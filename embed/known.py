"""The embedders that have a name."""

from __future__ import annotations

from pathlib import Path

from packed_scenes.data import InputError
from packed_scenes.data.files import sha256_file
from packed_scenes.data.shipped import ASSETS
from packed_scenes.embed.embedder import SHIPPED, Embedder
from packed_scenes.embed.registry import register, register_with_file

# Named here and not where they are built, so that listing names loads no library.
OSNET = ("osnet_x1_0", "osnet_x0_75", "osnet_x0_5", "osnet_x0_25")
PRETRAINED = (
    "alexnet", "convnext_base", "convnext_small", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_b1",
    "efficientnet_b2", "efficientnet_b3", "efficientnet_b4", "efficientnet_b5", "efficientnet_b6", "efficientnet_b7",
    "efficientnet_v2_s", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small", "regnet_y_400mf", "resnet101",
    "resnet18", "resnet34", "resnet50", "shufflenet_v2_x1_0", "swin_t", "vgg16", "vit_b_16", "wide_resnet50_2",
)  # fmt: skip


@register("default")
def default(device: str) -> Embedder:
    """Our network, with the weights that ship with the project."""
    return Embedder.from_file(SHIPPED, device=device)


@register("reference")
def reference(device: str) -> Embedder:
    """The author's two-layer network, trained here on packed_products by the reference preset."""
    return Embedder.from_file(ASSETS / "embedder-reference.safetensors", device=device)


@register("colour", "color")
def colour(device: str) -> Embedder:
    """Lab colour-layout histogram: no training, the baseline that trained networks must beat."""
    from packed_scenes.embed.colour import ColourLayout

    return Embedder(ColourLayout(), card=ColourLayout.card(), device=device)


@register("shape")
def shape(device: str) -> Embedder:
    """Oriented gradients, Hu moments and proportions: no training, what colour does not see."""
    from packed_scenes.embed.shape import ShapeLayout

    return Embedder(ShapeLayout(), card=ShapeLayout.card(), device=device)


@register_with_file("autoencoder")
def autoencoder(device: str, file: Path | None) -> Embedder:
    """A trained autoencoder's 32 numbers; it learns from the pictures at hand, so none ships."""
    if file is None:
        raise InputError(
            "an autoencoder needs its own weights",
            remedy="Train one: packed-scenes describe FOLDER --train-autoencoder; then autoencoder=FILE.safetensors.",
        )
    return Embedder.from_file(file, device=device)


def _osnet(name: str) -> None:
    @register_with_file(name)
    def load(device: str, file: Path | None) -> Embedder:
        from packed_scenes.embed.osnet import load_osnet

        if file is None:
            raise InputError(
                f"{name} needs its published weights", remedy=f"Download torchreid's file and give {name}=FILE.pth."
            )
        network, variant = load_osnet(file)
        if name not in ("osnet", variant):
            raise InputError(f"these are the weights of {variant}, not of {name}", file=file, remedy=f"Say {variant}.")
        card = {"architecture": variant, "weights": file.name, "fit": "stretch", "licence": "MIT"}
        return Embedder(network, card=card, device=device, weights_hash=sha256_file(file))


def _pretrained(name: str) -> None:
    @register_with_file(name)
    def load(device: str, file: Path | None) -> Embedder:
        from packed_scenes.embed.pretrained import PretrainedNet

        network = PretrainedNet(name, weights_file=file)
        weights = "torchvision ImageNet" if file is None else file.name
        card = {"architecture": name, "weights": weights, "licence": "BSD-3-Clause"}
        return Embedder(network, card=card, device=device, weights_hash="" if file is None else sha256_file(file))


for _name in ("osnet", *OSNET):
    _osnet(_name)
for _name in PRETRAINED:
    _pretrained(_name)
