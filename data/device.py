"""Which device a network runs on."""

from __future__ import annotations

import shutil
from pathlib import Path

from packed_scenes.data.errors import InputError


def pick_device(device: str) -> str:
    """Resolve ``"auto"`` to ``"cuda"`` where a usable GPU is, else ``"cpu"``.

    Without a sign of a GPU it is decided without importing torch, which takes longer than the work on one scene.

    Raises:
        InputError: if the name is unknown or CUDA is asked for and absent.
    """
    if device not in ("auto", "cpu", "cuda") and not device.startswith("cuda:"):
        raise InputError(f"device must be auto, cpu or cuda, got {device!r}")
    if device == "cpu" or (
        device == "auto" and not (Path("/proc/driver/nvidia").exists() or shutil.which("nvidia-smi"))
    ):
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda" if device == "auto" else device
    if device == "auto":
        return "cpu"
    raise InputError("no CUDA device here", remedy="Use --device cpu.")
