"""From a checkpoint to weights that ship: float16 .pt, ONNX and the JSON card with their hashes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packed_scenes.data.files import sha256_file, write_json
from packed_scenes.detect import network
from packed_scenes.detect.export import export_onnx

if TYPE_CHECKING:
    import torch


def release(
    stem: str | Path, model: torch.nn.Module, *, names: list[str], about: dict[str, Any], width: str = "n"
) -> list[Path]:
    """Write ``STEM.pt``, ``STEM.onnx`` and ``STEM.json``.

    Args:
        stem: path without suffix.
        model: the averaged network.
        names: class names.
        about: what the card says: recipe, data, steps, seed, scores. ``object_px``, ``confidence`` and ``familiar`` go
            into the weights files too.

    Returns:
        The three paths.
    """
    stem = Path(stem)
    weights, onnx, card = (stem.with_name(stem.name + suffix) for suffix in (".pt", ".onnx", ".json"))
    own: dict[str, Any] = {
        key: about[key] for key in ("object_px", "confidence", "familiar", "general_above") if key in about
    }
    network.save(weights, model, width=width, names=names, card=own)
    export_onnx(onnx, copy.deepcopy(model), names=names, card=own)
    write_json(card, {**about, "names": names, "sha256": {path.name: sha256_file(path) for path in (weights, onnx)}})
    return [weights, onnx, card]
