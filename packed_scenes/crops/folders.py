"""Crops sorted into one folder per cluster, as links or copies."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from functools import cache
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


MARK = ".sorted-crops"  # only a folder with a mark is ever emptied; it holds the hash of what the folder holds
OLD_MARKS = (".made-by-count", ".sorted-by-study")  # of earlier versions
STEP = 500  # crops between two reports

Bar = Callable[[int, int], None]


def sort_into_folders(
    paths: Sequence[Path],
    labels: Labels,
    out: Path,
    *,
    kind: FolderKind = FolderKind.LINKS,
    progress: Bar | None = None,
) -> Path:
    """Make one folder per cluster, ``0007_x23`` for cluster 7 with 23 crops and ``noise``, with links to the crops.

    A folder that this function made before is replaced whole: it holds a mark. It is left alone if it holds the same
    already; what a call that was killed has begun is gone on with.

    Args:
        paths: (N,) crop files.
        labels: (N,) clusters, -1 = noise.
        out: the folder of the folders.
        kind: links or copies.
        progress: called with (done, all).

    Raises:
        InputError: if ``out`` holds something that this function did not make.
    """
    if out.exists() and not any((out / mark).is_file() for mark in (MARK, *OLD_MARKS)) and any(out.iterdir()):
        raise InputError(
            "is not empty and holds no sorted crops", file=out, remedy="Move it away, or choose another --out."
        )
    files, places = _targets(paths), _places(paths, labels)
    wanted = hashlib.sha256(repr((kind.value, [*map(str, files)], places)).encode()).hexdigest()
    # Built aside and renamed: a kill leaves nothing half.
    new, old = (out.with_name(f".{word}-{out.name}") for word in ("sorting", "sorted"))
    shutil.rmtree(old, ignore_errors=True)
    if kind is FolderKind.LINKS and _marked(out) == wanted and _holds(out, places):
        shutil.rmtree(new, ignore_errors=True)
        return out
    if _marked(new) != wanted:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        (new / MARK).write_text(wanted, encoding="ascii")
    for folder in dict.fromkeys(folder for folder, _ in places):
        (new / folder).mkdir(exist_ok=True)
    put = _copy if kind is FolderKind.COPIES else _link
    for number, (file, (folder, name)) in enumerate(zip(files, places, strict=True), 1):
        put(file, new / folder / name)
        if progress is not None and (number % STEP == 0 or number == len(files)):
            progress(number, len(files))
    if out.exists():
        out.rename(old)
    new.rename(out)
    shutil.rmtree(old, ignore_errors=True)
    return out


def _targets(paths: Sequence[Path]) -> list[Path]:
    """The files themselves, links followed."""
    real = cache(Path.resolve)  # of the folders, which are few
    joined = (real(path.parent) / path.name for path in paths)
    return [path.resolve() if path.is_symlink() else path for path in joined]


def _places(paths: Sequence[Path], labels: Labels) -> list[tuple[str, str]]:
    """The folder and the name of every crop."""
    sizes = np.bincount(labels[labels >= 0], minlength=1)
    width = len(str(len(sizes) - 1))
    parents = {path.parent: path.parent.absolute() for path in paths}
    root = os.path.commonpath(list(parents.values())) if paths else ""
    below = {parent: os.path.relpath(whole, root).replace(os.sep, "/") for parent, whole in parents.items()}
    prefix = {parent: "" if way == "." else f"{way}/" for parent, way in below.items()}
    names = flat_names([prefix[path.parent] + path.name for path in paths])
    folders = ["noise" if label < 0 else f"{label:0{width}d}_x{sizes[label]}" for label in labels.tolist()]
    return list(zip(folders, names, strict=True))


def _marked(folder: Path) -> str:
    try:
        return (folder / MARK).read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""


def _holds(out: Path, places: Sequence[tuple[str, str]]) -> bool:
    """Whether all names are where they should be, and no others."""
    there = {(folder.name, path.name) for folder in out.iterdir() if folder.is_dir() for path in folder.iterdir()}
    return there == set(places)


def _link(file: Path, place: Path) -> None:
    with suppress(FileExistsError):  # of a call that was killed
        place.symlink_to(file)


def _copy(file: Path, place: Path) -> None:
    with suppress(FileNotFoundError):  # the time is set last: then it was copied whole before the call was killed
        there, own = place.stat(), file.stat()
        if (there.st_size, there.st_mtime_ns) == (own.st_size, own.st_mtime_ns):
            return
    shutil.copy2(file, place)
