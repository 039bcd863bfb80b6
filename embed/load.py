"""From an embedder's name or weights file to a network that is ready to run."""

from __future__ import annotations

from pathlib import Path

from packed_scenes.data.device import pick_device
from packed_scenes.data.extras import installed
from packed_scenes.data.netfile import SUFFIXES
from packed_scenes.data.shipped import ASSETS
from packed_scenes.embed.runners import Loaded, TorchRunner
from packed_scenes.embed.weights import load_card

SHIPPED = ASSETS / "embedder.safetensors"


def load_embedder(name_or_path: str | Path | None = None, *, device: str = "auto") -> Loaded:
    """Load by name, by ``NAME=WEIGHTS`` or from a file (:func:`load_file`); None = ``default``.

    Raises:
        InputError: unknown name, missing or damaged file, or pretrained weights that are not on this machine.
    """
    if name_or_path is None:
        return load_file(SHIPPED, device=device)
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or ("=" not in text and ("/" in text or Path(text).suffix)):
        return load_file(name_or_path, device=device)
    from packed_scenes.embed.registry import make

    return make(text, device=device)


def load_file(path: str | Path, *, device: str = "auto") -> Loaded:
    """Load a ``.safetensors`` file of ours with its card, or a network of others (``.onnx``, OpenVINO's ``.xml``).

    On a CPU our own architectures run without torch, by OpenVINO where it is installed.

    Raises:
        InputError: see :func:`packed_scenes.embed.weights.load_card` and
            :func:`packed_scenes.embed.exported.load_exported`; also if the tensors do not fit the architecture.
    """
    if Path(path).suffix in SUFFIXES:
        from packed_scenes.embed.exported import load_exported

        return load_exported(path, device=device)
    card = load_card(path)
    runs = installed("openvino") or not installed("torch")
    if card["architecture"] in ("layout", "person") and pick_device(device) == "cpu" and runs:
        from packed_scenes.embed.compiled import CompiledRunner

        return Loaded(CompiledRunner(path, card), card, card["sha256"])
    from packed_scenes.embed.architectures import load_network

    return Loaded(TorchRunner(load_network(path, card), device=device), card, card["sha256"])
