"""Crops sorted into one folder per cluster, as links or copies."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import numpy as np

from packed_scenes.cluster.labels import Labels
from packed_scenes.data.errors import InputError
from packed_scenes.data.naming import flat_names


class FolderKind(StrEnum):
    """What the folders of the clusters hold."""

    LINKS = "links"
    COPIES = "copies"
    NONE = "none"  # there are no folders


MARK = ".sorted-crops"  # only a folder with a mark is ever emptied
OLD_MARKS = (".made-by-count", ".sorted-by-study")  # of earlier versions


def sort_into_folders(paths: Sequence[Path], labels: Labels, out: Path, *, kind: FolderKind = FolderKind.LINKS) -> Path:
    """Make one folder per cluster, ``0007_x23`` for cluster 7 with 23 crops and ``noise``, with links to the crops.

    A folder that this function made before is replaced whole: it holds a mark.

    Args:
        paths: (N,) crop files.
        labels: (N,) clusters, -1 = noise.
        out: the folder of the folders.
        kind: links or copies.

    Raises:
        InputError: if ``out`` holds something that this function did not make.
    """
    if out.exists() and not any((out / mark).is_file() for mark in (MARK, *OLD_MARKS)) and any(out.iterdir()):
        raise InputError(
            "is not empty and holds no sorted crops", file=out, remedy="Move it away, or choose another --out."
        )
    # Built aside and renamed: a kill leaves nothing half, and the next call removes what it left.
    new, old = (out.with_name(f".{word}-{out.name}") for word in ("sorting", "sorted"))
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)
    new.mkdir(parents=True)
    (new / MARK).touch()
    sizes = np.bincount(labels[labels >= 0], minlength=1)
    width = len(str(len(sizes) - 1))
    root = os.path.commonpath([path.absolute().parent for path in paths]) if paths else ""
    names = flat_names([os.path.relpath(path.absolute(), root).replace(os.sep, "/") for path in paths])
    for path, name, label in zip(paths, names, labels.tolist(), strict=True):
        folder = new / ("noise" if label < 0 else f"{label:0{width}d}_x{sizes[label]}")
        folder.mkdir(exist_ok=True)
        if kind is FolderKind.COPIES:
            shutil.copy2(path, folder / name)
        else:
            (folder / name).symlink_to(path.resolve())
    if out.exists():
        out.rename(old)
    new.rename(out)
    shutil.rmtree(old, ignore_errors=True)
    return out
