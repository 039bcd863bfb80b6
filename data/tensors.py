"""Reading safetensors files: networks of the embedders and of the decision on pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.netbounds import check_tensors

Array = TypeVar("Array")


def load_safetensors(path: str | Path, load: Callable[[str | Path], Mapping[str, Array]]) -> Mapping[str, Array]:
    """Read a safetensors file with the library's loader for NumPy or PyTorch.

    Raises:
        InputError: if the file is no safetensors file, or lists more tensors than any network has.
    """
    from safetensors import SafetensorError

    check_tensors(path)
    try:
        return load(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"no readable safetensors file ({error})", file=path, remedy="Copy it again.") from error


def read_tensors(path: str | Path) -> dict[str, npt.NDArray[np.float32]]:
    """Read a safetensors file's floating-point tensors as float32 arrays, without PyTorch.

    Raises:
        InputError: see :func:`load_safetensors`.
    """
    from safetensors.numpy import load_file

    found = load_safetensors(path, load_file)
    return {name: value.astype(np.float32) for name, value in found.items() if value.dtype.kind == "f"}
