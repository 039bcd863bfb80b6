"""The network that is refined: an embedder with all its layers, and its vectors of the stored crops."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError

if TYPE_CHECKING:
    from packed_scenes.embed.networks import Unit
    from packed_scenes.embed.store import CropStore

CHUNK = 256  # crops cut at once


def trainable(name: str) -> tuple[Unit, dict[str, Any]]:
    """The network of an embedder with all its layers, and its card.

    Raises:
        InputError: if there is no file of weights behind the name.
    """
    from packed_scenes.data.shipped import ASSETS
    from packed_scenes.embed.architectures import architecture
    from packed_scenes.embed.weights import load_card, load_tensors

    shipped = {"default": "embedder", "person": "embedder-person", "reference": "embedder-reference"}
    path = ASSETS / f"{shipped[name]}.safetensors" if name in shipped else Path(name)
    if path.suffix != ".safetensors":
        raise InputError(
            f"embedder {name!r} cannot be refined", remedy="Take default, person, reference or a weights file."
        )
    card = load_card(path)
    network: Unit = architecture(card)
    network.load_state_dict(load_tensors(path))
    return network.eval(), card


def canvases_of(network: Unit, card: Mapping[str, Any], store: CropStore) -> Iterator[npt.NDArray[np.uint8]]:
    """The stored crops as the network's canvases, (at most CHUNK, height, width, 3) at a time."""
    from packed_scenes.embed.crops import letterbox_crops

    stretch = card.get("fit") == "stretch"
    for low in range(0, len(store), CHUNK):
        sizes = store.size[low : low + CHUNK].tolist()
        crops = [np.asarray(p[:h, :w, :3]) for p, (w, h) in zip(store.pixels[low : low + CHUNK], sizes, strict=True)]
        yield letterbox_crops(crops, width=network.width, height=network.height, stretch=stretch)


def embed_store(
    network: Unit, card: Mapping[str, Any], store: CropStore, progress: Callable[[int], None] | None = None
) -> npt.NDArray[np.float32]:
    """(N, D) unit rows of the stored crops."""
    from packed_scenes.embed.runners import TorchRunner

    run = TorchRunner(copy.deepcopy(network), device="cpu")
    parts, done = [], 0
    for canvases in canvases_of(network, card, store):
        parts.append(run(canvases))
        done += len(canvases)
        if progress is not None:
            progress(done)
    return np.concatenate(parts)
