"""A memory-mapped store of training crops: RGBA, at a fixed canvas, with identity and family labels.

Crops are kept a third larger than the network's canvas so that the augmentation can zoom and shift without blur.
Rows are appended while a training runs, so that a worker can go on rendering procedural goods.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError
from packed_scenes.data.damage import one_line_of
from packed_scenes.data.files import write_json
from packed_scenes.data.text import load_json

WIDTH, HEIGHT = 128, 192


def fit(crop: npt.NDArray[np.uint8], out: npt.NDArray[np.uint8]) -> tuple[int, int]:
    """Resize an RGB(A) crop into the top-left corner of an RGBA canvas, aspect kept; return its (width, height)."""
    h, w = crop.shape[:2]
    scale = min(out.shape[1] / w, out.shape[0] / h)
    size = min(out.shape[1], max(2, round(w * scale))), min(out.shape[0], max(2, round(h * scale)))
    if crop.shape[2] == 3:
        crop = np.dstack([crop, np.full((h, w), 255, np.uint8)])
    out[: size[1], : size[0]] = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return size


@dataclass(frozen=True)
class CropStore:
    """N crops on disk.

    Attributes:
        pixels: (N, 192, 128, 4) uint8 RGBA memory map; the crop fills the top-left corner, alpha 0 elsewhere.
        size: (N, 2) int64 width and height of the crop inside its canvas.
        label: (N,) int64 identity.
        family: (N,) int64 group of look-alike identities, -1 = none.
    """

    pixels: npt.NDArray[np.uint8]
    size: npt.NDArray[np.int64]
    label: npt.NDArray[np.int64]
    family: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.label)

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """Map a finished store.

        Raises:
            InputError: if the folder holds no finished store.
        """
        folder = Path(folder)
        if not (folder / "store.json").is_file():
            raise InputError("no finished crop store here", file=folder, remedy="Build it again.")
        with one_line_of(folder, "cannot be read", remedy="Build it again."):
            count = load_json((folder / "store.json").read_text())["count"]
            pixels = np.memmap(folder / "pixels.u8", np.uint8, "r", shape=(count, HEIGHT, WIDTH, 4))
            columns = np.load(folder / "columns.npy", allow_pickle=False)
            if columns.shape != (count, 4) or columns.dtype != np.int64:
                raise ValueError(f"columns of shape {columns.shape} for {count} crops")
        return cls(pixels, columns[:, :2], columns[:, 2], columns[:, 3])


class StoreWriter:
    """Append crops to a store; nothing can be opened until :meth:`close` has written its index."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file = open(self.folder / "pixels.u8", "wb")  # noqa: SIM115  (held open until close)
        self._rows: list[tuple[int, int, int, int]] = []

    def add(self, crop: npt.NDArray[np.uint8], *, label: int, family: int = -1) -> None:
        """Append one (h, w, 3 or 4) uint8 crop."""
        canvas = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
        size = fit(crop, canvas)
        self._file.write(canvas.tobytes())
        self._rows.append((*size, label, family))

    def close(self) -> None:
        """Write the index."""
        self._file.close()
        np.save(self.folder / "columns.npy", np.asarray(self._rows, np.int64).reshape(-1, 4))
        write_json(self.folder / "store.json", {"count": len(self._rows)})
