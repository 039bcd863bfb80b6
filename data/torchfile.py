"""What ``torch.save`` wrote, read as plain tensors and containers: nothing in it runs, and nothing in it swells."""

from __future__ import annotations

import zipfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from packed_scenes.data.archive import RATIO_FLOOR
from packed_scenes.data.damage import one_line_of
from packed_scenes.data.files import check_file
from packed_scenes.data.netbounds import check_tensors


def load_torch(path: str | Path, *, device: Any = "cpu") -> Any:
    """Read a file with ``weights_only``.

    Args:
        path: the file.
        device: where its tensors go.

    Raises:
        InputError: if it is missing or no regular file.
        Exception: whatever torch raises on a damaged one; ValueError if it unpacks to more than itself.
    """
    import torch

    size = check_file(path, what="weights")
    if Path(path).suffix == ".safetensors":  # which torch reads, too
        check_tensors(path)
    if zipfile.is_zipfile(path):  # torch stores without compression, but reads what is compressed
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > size + RATIO_FLOOR:
                raise ValueError("it is compressed")
    return torch.load(path, map_location=device, weights_only=True)


def going_on_from(path: str | Path) -> AbstractContextManager[None]:
    """Turn everything that a damaged checkpoint raises, while it is read and taken up in the block, into one line."""
    return one_line_of(path, "cannot go on from this checkpoint", remedy="Delete it to begin anew.", kinds=(Exception,))
