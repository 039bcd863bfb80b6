"""Names of embedders."""

from __future__ import annotations

from pathlib import Path

from packed_scenes.data import InputError
from packed_scenes.data.files import check_file
from packed_scenes.data.registry import Registry
from packed_scenes.embed.runners import Loaded

# Named here and not where they are built, so that listing names loads no library.
OSNET = ("osnet_x1_0", "osnet_x0_75", "osnet_x0_5", "osnet_x0_25")
PRETRAINED = (
    "alexnet", "convnext_base", "convnext_small", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_b1",
    "efficientnet_b2", "efficientnet_b3", "efficientnet_b4", "efficientnet_b5", "efficientnet_b6", "efficientnet_b7",
    "efficientnet_v2_s", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small", "regnet_y_400mf", "resnet101",
    "resnet18", "resnet34", "resnet50", "shufflenet_v2_x1_0", "swin_t", "vgg16", "vit_b_16", "wide_resnet50_2",
)  # fmt: skip
# Functions of (name, device, weights file or None) that return what is loaded.
REGISTRY = Registry(
    "embedder",
    "packed_scenes.embed",
    {
        "default": "known:default", "reference": "known:reference", "colour": "known:colour", "color": "known:colour",
        "shape": "known:shape", "autoencoder": "known:autoencoder",
        **dict.fromkeys(("osnet", *OSNET), "known:osnet"),
        **dict.fromkeys(PRETRAINED, "known:pretrained"),
    },
)  # fmt: skip
TAKE_FILE = frozenset({"autoencoder", "osnet", *OSNET, *PRETRAINED})


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
    REGISTRY.check(name, remedy="or give a .safetensors file")
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
            (``.pth``, opened with ``weights_only``), or a ``.safetensors`` file of ours for ``autoencoder``.

    Raises:
        InputError: if the name is unknown, its weights are not on this machine, or it takes no file.
    """
    if "=" in name and weights_file is None:
        name, weights_file = name.split("=", 1)
    check_name(name if weights_file is None else f"{name}={weights_file}")
    loaded: Loaded = REGISTRY.get(name)(name, device, None if weights_file is None else Path(weights_file))
    return loaded
