"""The embedders that have a name: functions of (name, device, weights file or None), see the registry."""

from __future__ import annotations

from pathlib import Path

from packed_scenes.data import InputError
from packed_scenes.data.connection import TORCHVISION, require_weights
from packed_scenes.data.files import sha256_file
from packed_scenes.data.netfile import SUFFIXES
from packed_scenes.data.shipped import ASSETS
from packed_scenes.embed.conventions import EXPORTS, PEOPLE
from packed_scenes.embed.load import SHIPPED, load_file
from packed_scenes.embed.runners import Loaded, TorchRunner


def default(_name: str, device: str, _file: Path | None) -> Loaded:
    """Our network, with the weights that ship with the project."""
    return load_file(SHIPPED, device=device)


def person(_name: str, device: str, _file: Path | None) -> Loaded:
    """Our network for people, taught by drawn ones, with the weights that ship with the project."""
    return load_file(ASSETS / "embedder-person.safetensors", device=device)


def reference(_name: str, device: str, _file: Path | None) -> Loaded:
    """The author's two-layer network, trained here on packed_products by the reference preset."""
    return load_file(ASSETS / "embedder-reference.safetensors", device=device)


def colour(_name: str, device: str, _file: Path | None) -> Loaded:
    """Lab colour-layout histogram: no training, the baseline that trained networks must beat."""
    from packed_scenes.embed.colour import ColourLayout

    return Loaded(TorchRunner(ColourLayout(), device=device), ColourLayout.card())


def shape(_name: str, device: str, _file: Path | None) -> Loaded:
    """Oriented gradients, Hu moments and proportions: no training, what colour does not see."""
    from packed_scenes.embed.shape import ShapeLayout

    return Loaded(TorchRunner(ShapeLayout(), device=device), ShapeLayout.card())


def autoencoder(_name: str, device: str, file: Path | None) -> Loaded:
    """A trained autoencoder's 32 numbers; it learns from the pictures at hand, so none ships."""
    if file is None:
        raise InputError(
            "an autoencoder needs its own weights",
            remedy="Train one: packed-scenes describe FOLDER --train-autoencoder; then autoencoder=FILE.safetensors.",
        )
    return load_file(file, device=device)


def osnet(name: str, device: str, file: Path | None) -> Loaded:
    """torchreid's OSNet with its published weights; ``osnet`` takes any of the variants."""
    if file is not None and file.suffix in SUFFIXES:
        from packed_scenes.embed.exported import load_exported

        return load_exported(file, device=device, about=PEOPLE)
    from packed_scenes.embed.osnet import load_osnet

    if file is None:
        raise InputError(
            f"{name} needs its published weights", remedy=f"Download torchreid's file and give {name}=FILE.pth."
        )
    network, variant = load_osnet(file)
    if name not in ("osnet", variant):
        raise InputError(f"these are the weights of {variant}, not of {name}", file=file, remedy=f"Say {variant}.")
    card = {"architecture": variant, "weights": file.name, "fit": "stretch", "licence": "MIT"}
    return Loaded(TorchRunner(network, device=device), card, sha256_file(file))


def pretrained(name: str, device: str, file: Path | None) -> Loaded:
    """A torchvision classification network without its last layer."""
    if file is None:
        needs_none = "'default', 'colour' and 'shape' need no download."
        require_weights(name, TORCHVISION, remedy=f"Connect once, or give a file by {name}=FILE; {needs_none}")
    from packed_scenes.embed.pretrained import PretrainedNet

    network = PretrainedNet(name, weights_file=file)
    weights = "torchvision ImageNet" if file is None else file.name
    card = {"architecture": name, "weights": weights, "licence": "BSD-3-Clause"}
    return Loaded(TorchRunner(network, device=device), card, "" if file is None else sha256_file(file))


def exported(name: str, device: str, file: Path | None) -> Loaded:
    """A file of a widely used kind of network, whose pixels are known."""
    from packed_scenes.embed.exported import load_exported

    if file is None or file.suffix not in SUFFIXES:
        raise InputError(
            f"{name} needs an exported network", remedy=f"Export it (docs/networks.md), then {name}=FILE.onnx."
        )
    return load_exported(file, device=device, about=EXPORTS[name])
