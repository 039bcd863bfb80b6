"""State dicts that others publish (``.pth``, ``.pt``), opened without running anything that is in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from packed_scenes.data import InputError
from packed_scenes.data.torchfile import load_torch


def load_published(path: str | Path, *, drop: Sequence[str] = ()) -> dict[str, Tensor]:
    """Read a state dict, or a checkpoint that holds one under ``state_dict`` or ``model``.

    Args:
        path: file written by ``torch.save``; only tensors and plain containers are read (``weights_only``).
        drop: prefixes of tensors to leave out, such as ``classifier.``.

    Returns:
        Name -> tensor on the CPU; floating-point ones as float32; a leading ``module.`` of data-parallel training is
        taken off.

    Raises:
        InputError: if the file is missing, no such file, or holds anything but tensors.
    """
    try:
        content: Any = load_torch(path)
    except InputError:
        raise
    except Exception as error:  # the unpickler fails in any way
        raise InputError(
            f"not readable as plain tensors ({str(error).partition(chr(10))[0][:150] or type(error).__name__})",
            file=path,
            remedy="Give the published state dict; whole pickled models are not opened.",
        ) from error
    for name in ("state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(name), dict):
            content = content[name]
    tensors = content if isinstance(content, dict) else {}
    if not tensors or not all(isinstance(value, Tensor) for value in tensors.values()):
        raise InputError("holds no state dict", file=path, remedy="Save model.state_dict(), not the model.")
    if any(value.numel() * value.element_size() > value.untyped_storage().nbytes() for value in tensors.values()):
        raise InputError("repeats its numbers", file=path, remedy="Save model.state_dict(), not a view of it.")
    short = {str(name).removeprefix("module."): value for name, value in tensors.items()}
    return {
        name: value.float() if value.is_floating_point() else value
        for name, value in short.items()
        if not name.startswith(tuple(drop))
    }


def fill(network: nn.Module, tensors: dict[str, Tensor], *, file: str | Path, name: str) -> None:
    """Load a state dict, with a clear message where names or shapes do not fit.

    Raises:
        InputError: naming how many tensors are missing, unknown or of another shape, and the first of them.
    """
    own = network.state_dict()
    missing = [key for key in own if key not in tensors and not key.endswith("num_batches_tracked")]
    extra = [key for key in tensors if key not in own]
    odd = [key for key in own if key in tensors and tensors[key].shape != own[key].shape]
    for keys, what in ((missing, "missing"), (extra, "unknown"), (odd, "of another shape")):
        if keys:
            raise InputError(
                f"these are no weights of {name}: {len(keys)} tensors are {what}, such as {keys[0]!r}",
                file=file,
                remedy=f"Give the file that belongs to {name}.",
            )
    network.load_state_dict(tensors, strict=False)
