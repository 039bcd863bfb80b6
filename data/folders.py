"""Listing the pictures of folders: one walk for all commands, which says what it skipped.

Passed over are hidden files and folders, the bins and thumbnails of systems and network drives, and what earlier runs
of this program wrote (a run folder inside the photo folder is no input of the next run). Links to folders are not
followed, so that link loops end.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path, PurePath

from packed_scenes.data.errors import InputError

_log = logging.getLogger(__name__)

IMAGE_SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm", ".heic",
    ".heif", ".avif",
})  # fmt: skip
VIDEO_SUFFIXES = frozenset({".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm"})
# Files that lie beside pictures and are none: they are no loss, so they are not counted.
_BESIDE = frozenset({
    "", ".txt", ".csv", ".json", ".xml", ".yaml", ".yml", ".md", ".html", ".ini", ".db", ".log", ".npy", ".npz", ".zip",
    ".parquet", ".xlsx", ".ods", ".xmp", ".aae", ".thm", ".sqlite", ".cache", ".names", ".data", ".pt", ".onnx",
    ".safetensors",
})  # fmt: skip
_NO_PHOTOS = frozenset({
    "@eadir", "#recycle", "@recycle", "@recently-snapshot", "__macosx", "$recycle.bin", "system volume information",
    "lost+found", "thumbnails", "thumbs", "__pycache__",
})  # fmt: skip
MADE_BY_EXPORT = ".made-by-export"  # in a folder that holds copies of pictures
# earlier runs leave them
_MARKS = frozenset({".seen", ".frames", ".rounds", ".made-by-count", ".sorted-by-study", MADE_BY_EXPORT})
_RUN, _RECORDED = "run.json", (b'"versions"', b'"made"')  # what every record of a run says in its first lines
_SCENE = frozenset({"objects.csv", "congregations.json"})  # of one scene's folder in a run folder
_DRAWN = frozenset({"overlay.jpg", "clusters.png", "curve.png", "audit.jpg", "before.png", "shelf.png"})

Warn = Callable[[str], None]


def is_skipped_folder(folder: str | PurePath) -> bool:
    """Tell by its name whether a folder is hidden, a bin or one of thumbnails."""
    name = PurePath(folder).name
    return name.startswith(".") or name.casefold() in _NO_PHOTOS


def is_run_folder(folder: str | Path) -> bool:
    """Tell whether an earlier run made a folder, by its marks or its record."""
    place = Path(folder)
    try:
        if any((place / mark).exists() for mark in _MARKS) or all((place / name).is_file() for name in _SCENE):
            return True
        with open(place / _RUN, "rb") as file:
            head = file.read(20_000)
    except (OSError, ValueError):
        return False
    return any(mark in head for mark in _RECORDED)


def list_images(paths: Iterable[str | Path], *, warn: Warn | None = None) -> list[Path]:
    """List the pictures among files and folders (recursively), sorted within each folder, each file once.

    A file that is named directly is kept whatever its suffix: reading it will say what is wrong with it.

    Args:
        paths: files and folders.
        warn: receives a line for every folder that cannot be opened, and one for what a folder holds that was passed
            over; default: the log.

    Raises:
        InputError: if a path does not exist, or a folder holds no picture.
    """
    found: dict[Path, None] = {}
    for given in paths:
        if given == "":  # as a path it would be the present folder
            raise InputError("an empty name is no file", remedy="A variable may not be set.")
        path = Path(given)
        try:
            is_folder, is_there = path.is_dir(), path.exists() or path.is_symlink()
        except (OSError, ValueError):  # a name that no file can have
            is_folder = is_there = False
        if is_folder:
            inside = list_files(path, IMAGE_SUFFIXES, warn=warn or _log.warning)
            if not inside:
                raise InputError(
                    "no picture in this folder", file=path, remedy=f"Known: {', '.join(sorted(IMAGE_SUFFIXES))}."
                )
            found.update(dict.fromkeys(inside))
        elif is_there:
            found[path] = None
        else:
            raise InputError("no such file or folder", file=path, remedy="Check the path.")
    return list(found)


def list_files(folder: Path, suffixes: Collection[str], *, warn: Warn | None = None) -> list[Path]:
    """List the files of a folder and its subfolders that have one of the suffixes, by the rules of this module.

    Args:
        folder: where to look.
        suffixes: in lower case, with the dot.
        warn: see :func:`list_images`; None = say nothing.
    """
    left: Counter[str] = Counter()
    say: Warn = warn or (lambda line: None)
    found = []
    for place, names in _walk(folder, left, say):
        for name in sorted(names):
            suffix = PurePath(name).suffix.lower()
            if name.startswith("."):
                continue
            if suffix in suffixes:
                found.append(Path(place) / name)
            elif suffix in VIDEO_SUFFIXES:
                left["videos"] += 1
            elif suffix not in _BESIDE and suffix not in IMAGE_SUFFIXES:
                left[f"{suffix} files"] += 1
    found = _without_links(found, left)
    if left:
        say(f"{folder}: skipped: {', '.join(f'{count} {what}' for what, count in sorted(left.items()))}")
    return found


def _without_links(found: list[Path], left: Counter[str]) -> list[Path]:
    """Leave out links to files that are listed, too: the same picture would count twice."""
    links = {path for path in found if path.is_symlink()}
    if not links:
        return found
    there = {os.path.realpath(path) for path in found if path not in links}
    again = {path for path in links if os.path.realpath(path) in there}
    if again:
        left["links to files that are there"] += len(again)
    return [path for path in found if path not in again]


def _walk(folder: Path, left: Counter[str], say: Warn) -> Iterator[tuple[str, list[str]]]:
    """Give every folder that is looked into, with its files; count what is not."""

    def unreadable(error: OSError) -> None:
        say(f"{error.filename}: the folder cannot be opened ({error.strerror}), it is left out")

    for place, subfolders, names in os.walk(folder, onerror=unreadable):
        subfolders.sort()
        kept = []
        for name in subfolders:
            inner = Path(place) / name
            if is_skipped_folder(name):
                if not name.startswith("."):
                    left["bins and folders of thumbnails"] += 1
            elif inner.is_symlink():
                left["links to folders"] += 1
            elif is_run_folder(inner):
                left["folders of earlier runs"] += 1
            else:
                kept.append(name)
        subfolders[:] = kept
        if _RUN in names and is_run_folder(place):
            names = [name for name in names if name not in _DRAWN]
        yield place, names
