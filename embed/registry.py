"""Names of embedders."""

from __future__ import annotations

from pathlib import Path

from packed_scenes.data import InputError
from packed_scenes.data.files import check_file
from packed_scenes.data.registry import Registry
from packed_scenes.embed.conventions import EXPORTS
from packed_scenes.embed.runners import Loaded

# Named here and not where they are built, so that listing names loads no library.
# name -> megabytes of the published file
OSNET = {"osnet_x1_0": 8.7, "osnet_x0_75": 5.4, "osnet_x0_5": 2.7, "osnet_x0_25": 1.1}
# name -> (dimension, megabytes of the published file)
PRETRAINED = {
    "alexnet": (4096, 233), "convnext_base": (1024, 338), "convnext_small": (768, 192), "convnext_tiny": (768, 109),
    "densenet121": (1024, 31), "efficientnet_b0": (1280, 20), "efficientnet_b1": (1280, 30),
    "efficientnet_b2": (1408, 35), "efficientnet_b3": (1536, 47), "efficientnet_b4": (1792, 74),
    "efficientnet_b5": (2048, 117), "efficientnet_b6": (2304, 165), "efficientnet_b7": (2560, 255),
    "efficientnet_v2_s": (1280, 83), "mobilenet_v2": (1280, 14), "mobilenet_v3_large": (1280, 21),
    "mobilenet_v3_small": (1024, 10), "regnet_y_400mf": (440, 17), "resnet101": (2048, 171), "resnet18": (512, 45),
    "resnet34": (512, 83), "resnet50": (2048, 98), "shufflenet_v2_x1_0": (1024, 9), "swin_t": (768, 108),
    "vgg16": (4096, 528), "vit_b_16": (768, 330), "wide_resnet50_2": (2048, 263),
}  # fmt: skip
# Functions of (name, device, weights file or None) that return what is loaded.
REGISTRY = Registry(
    "embedder",
    "packed_scenes.embed",
    {
        "default": "factories:default", "person": "factories:person",
        "reference": "factories:reference", "colour": "factories:colour",
        "shape": "factories:shape", "autoencoder": "factories:autoencoder",
        **dict.fromkeys(("osnet", *OSNET), "factories:osnet"),
        **dict.fromkeys(PRETRAINED, "factories:pretrained"),
        **dict.fromkeys(EXPORTS, "factories:exported"),
    },
)  # fmt: skip
TAKE_FILE = frozenset({"autoencoder", "osnet", *OSNET, *PRETRAINED, *EXPORTS})


def names() -> list[str]:
    """Every name that :func:`make` knows."""
    return sorted(REGISTRY.names())


def check_name(text: str) -> None:
    """Raise InputError unless this is a known name, ``NAME=FILE`` of one that takes a file, or an existing file.

    Cheap: for finding a typing error before hours of work.
    """
    name, _, file = text.partition("=")
    if not file and text not in REGISTRY.names() and Path(text).suffix:
        check_file(text, what="weights")
        return
    REGISTRY.check(name, remedy="or give a .safetensors, .onnx or .xml file")
    if file and name not in TAKE_FILE:
        raise InputError(f"{name!r} takes no weights file", remedy=f"These do: {', '.join(sorted(TAKE_FILE))}.")
    if file:
        check_file(file, what="weights")


def make(name: str, *, device: str = "auto", weights_file: str | Path | None = None) -> Loaded:
    """Load an embedder by name.

    Args:
        name: one of :func:`names`, or ``NAME=FILE`` to give the weights in one word.
        device: ``auto``, ``cpu`` or ``cuda``.
        weights_file: the user's own weights of this network: torchvision's or torchreid's published state dict
            (``.pth``, opened with ``weights_only``), a ``.safetensors`` file of ours for ``autoencoder``, or an export
            (``.onnx``, ``.xml``) for OSNet and the networks of :mod:`packed_scenes.embed.conventions`.

    Raises:
        InputError: if the name is unknown, its weights are not on this machine, or it takes no file.
    """
    if "=" in name and weights_file is None:
        name, weights_file = name.split("=", 1)
    check_name(name if weights_file is None else f"{name}={weights_file}")
    loaded: Loaded = REGISTRY.get(name)(name, device, None if weights_file is None else Path(weights_file))
    return loaded
