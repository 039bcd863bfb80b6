"""Embedder files: safetensors weights beside a JSON card of the same name. Nothing is ever unpickled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packed_scenes.data import InputError
from packed_scenes.data.files import atomic_write, sha256_file, write_json
from packed_scenes.data.tensors import load_safetensors
from packed_scenes.data.text import load_json

if TYPE_CHECKING:
    from torch import Tensor

CARD_VERSION = 1
SIDES = (8, 2048)  # px of the canvas, least and most


def card_path(weights: str | Path) -> Path:
    """The card's path: the weights' path with the suffix ``.json``."""
    return Path(weights).with_suffix(".json")


def save_weights(
    path: str | Path, tensors: Mapping[str, Tensor], card: Mapping[str, Any], *, half: bool = True
) -> None:
    """Write weights and their card; the card receives the weights' SHA-256.

    Args:
        path: ``.safetensors`` file.
        tensors: state dict of the network.
        card: JSON values; must name the ``architecture``.
        half: store floating-point tensors as float16 (half the file; batch-norm statistics stay float32).
    """
    import torch
    from safetensors.torch import save_file

    def stored(name: str, value: Tensor) -> Tensor:
        narrow = half and value.is_floating_point() and not name.endswith(("running_mean", "running_var"))
        return value.detach().cpu().to(torch.float16 if narrow else value.dtype).contiguous().clone()

    path = Path(path)
    with atomic_write(path) as temporary:
        save_file({name: stored(name, value) for name, value in tensors.items()}, temporary, metadata={"format": "pt"})
    write_json(card_path(path), {"version": CARD_VERSION, **card, "sha256": sha256_file(path)})


def load_card(path: str | Path) -> dict[str, Any]:
    """Read and check the card of a weights file.

    Raises:
        InputError: if the weights or the card are missing, the card is no such card, or the weights are not the card's.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise InputError(
            "embedders are .safetensors files", file=path, remedy="Convert it; pickled weights are not opened."
        )
    for file in (path, card_path(path)):
        if not file.is_file():
            raise InputError(
                "no such file", file=file, remedy="An embedder is NAME.safetensors with NAME.json beside it."
            )
    try:
        card: dict[str, Any] = load_json(card_path(path).read_text("utf-8"))
        version, _, digest = card["version"], card["architecture"], card["sha256"]
        newer = version > CARD_VERSION
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"no embedder card ({error})", file=card_path(path), remedy="Write it with save_weights."
        ) from error
    if newer:
        raise InputError(
            f"card version {version} is newer than {CARD_VERSION}", file=card_path(path), remedy="Update the program."
        )
    if sha256_file(path) != digest:
        raise InputError(
            "the weights do not belong to the card (SHA-256 differs)", file=path, remedy="Copy both files again."
        )
    options = card.get("options")
    for key in ("width", "height"):
        side = options.get(key, SIDES[0]) if isinstance(options, dict) else SIDES[0]
        if not isinstance(side, int) or not SIDES[0] <= side <= SIDES[1]:
            raise InputError(
                f"{key} must be {SIDES[0]} to {SIDES[1]} px, got {side!r}",
                file=card_path(path),
                remedy="Copy the card again.",
            )
    return card


def load_tensors(path: str | Path) -> dict[str, Tensor]:
    """Read the tensors as float32.

    Raises:
        InputError: if the file is no safetensors file, or lists more tensors than any network has.
    """
    from safetensors.torch import load_file

    return {n: v.float() if v.is_floating_point() else v for n, v in load_safetensors(path, load_file).items()}
