"""Labelled crops from a folder of class folders, as every image-classification tool lays them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError, read_image
from packed_scenes.data.folders import IMAGE_SUFFIXES, is_run_folder, is_skipped_folder
from packed_scenes.data.letterbox import letterbox
from packed_scenes.data.read_ahead import try_ahead


@dataclass(frozen=True)
class CropFolder:
    """Paths and classes; the pictures are read when asked for.

    Attributes:
        paths: (N,) files, sorted by class, then by name.
        label: (N,) int64 index into ``classes``.
        classes: folder names, sorted.
    """

    paths: tuple[Path, ...]
    label: npt.NDArray[np.int64]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def select(self, rows: Sequence[int] | npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> CropFolder:
        """Some of the crops, with the same classes."""
        index = np.arange(len(self))[np.asarray(rows)]
        return CropFolder(tuple(self.paths[i] for i in index), self.label[index], self.classes)

    def read(self, row: int) -> npt.NDArray[np.uint8]:
        """One crop, (h, w, 3) uint8 RGB.

        Raises:
            InputError: if the file is no readable picture.
        """
        return read_image(self.paths[row])

    def readable(self) -> tuple[CropFolder, list[tuple[str, str]]]:
        """Leave out the files that are no readable pictures: the rest, and (file, reason) of each.

        Raises:
            InputError: the first reason, if fewer than two classes are left.
        """
        kept, errors = [], []
        for row, picture in try_ahead(self.read, range(len(self))):
            if isinstance(picture, Exception):
                errors.append((str(self.paths[row]), str(picture)))
            else:
                kept.append(row)
        if errors and len(np.unique(self.label[kept])) < 2:
            raise InputError(
                f"{len(errors)} of {len(self)} crops cannot be read; the first: {errors[0][1]}",
                remedy="Name other crops.",
            )
        return (self.select(kept) if errors else self), errors

    def canvases(self, *, width: int, height: int, stretch: bool = False) -> npt.NDArray[np.uint8]:
        """All crops on canvases: (N, height, width, 3) uint8. Memory: exactly this, and one picture."""
        out = np.empty((len(self), height, width, 3), np.uint8)
        for row, canvas in enumerate(out):
            letterbox(self.read(row), width=width, height=height, stretch=stretch, out=canvas)
        return out


def read_folder(root: str | Path) -> CropFolder:
    """List a folder whose subfolders are classes.

    Raises:
        InputError: if it does not exist or holds fewer than two classes with pictures.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError("no such folder", file=root, remedy="Give a folder whose subfolders are classes.")
    found: list[tuple[str, Path]] = []
    for folder in sorted(p for p in root.iterdir() if p.is_dir() and not is_skipped_folder(p) and not is_run_folder(p)):
        names = sorted(p.name for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.name[0] != ".")
        found += [(folder.name, folder / name) for name in names]
    classes = tuple(sorted({name for name, _ in found}))
    if len(classes) < 2:
        raise InputError(
            f"{len(classes)} class folders with pictures, at least 2 are needed",
            file=root,
            remedy="Give a folder whose subfolders are classes.",
        )
    index = {name: i for i, name in enumerate(classes)}
    return CropFolder(tuple(path for _, path in found), np.array([index[name] for name, _ in found], np.int64), classes)


def split(label: npt.NDArray[np.int64], *, share: float = 0.2, seed: int = 0) -> tuple[npt.NDArray[np.int64], ...]:
    """Random train and validation rows, not stratified, as the reference does it.

    Returns:
        (train rows, validation rows), each sorted.
    """
    order = np.random.default_rng(seed).permutation(len(label))
    held = round(len(label) * share)
    return np.sort(order[held:]), np.sort(order[:held])


def thumbnail(crop: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
    """A square letterboxed picture for reports."""
    small = letterbox(crop, width=size, height=size)
    framed: npt.NDArray[np.uint8] = cv2.copyMakeBorder(small, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    return framed
