"""The crops of a collection and the camera (or scene, or picture) that each comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from packed_scenes.crops.values import FOLDERS, numbered, read_values
from packed_scenes.data.errors import InputError
from packed_scenes.data.folders import list_images
from packed_scenes.data.images import read_image
from packed_scenes.data.naming import rows_of
from packed_scenes.data.text import read_lines
from packed_scenes.embed.store import CropStore, StoreWriter


@dataclass(frozen=True)
class Crops:
    """N crops.

    Attributes:
        root: their folder.
        paths: (N,) files.
        names: (N,) paths relative to the folder, with forward slashes.
        camera: (N,) int64 number of the camera, or None.
        errors: (file, reason) of those that could not be read.
    """

    root: Path
    paths: tuple[Path, ...]
    names: tuple[str, ...]
    camera: npt.NDArray[np.int64] | None = None
    errors: tuple[tuple[str, str], ...] = field(default=())

    def __len__(self) -> int:
        return len(self.paths)

    def select(self, rows: Sequence[int]) -> Crops:
        """Some of the crops."""
        return Crops(
            self.root,
            tuple(self.paths[i] for i in rows),
            tuple(self.names[i] for i in rows),
            None if self.camera is None else self.camera[list(rows)],
            self.errors,
        )


def read_crops(folder: str | Path, *, listed: Path | None = None, camera: str | None = None) -> Crops:
    """List the crops in a folder and its subfolders.

    Args:
        folder: the crops, one object each.
        listed: text file with one file name per line; only these are taken.
        camera: where each crop's camera is written, see :mod:`packed_scenes.crops.values`; None = not known.

    Raises:
        InputError: if there are fewer than two crops, or a crop has no camera.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError("no such folder", file=root, remedy="Name a folder of crops, one object each.")
    found = {path.relative_to(root).as_posix(): path for path in list_images([root])}
    errors: list[tuple[str, str]] = []
    if listed is not None:
        found, missing = listed_rows(found, listed)
        errors = [(name, f"is listed in {listed}, but not in the folder") for name in missing]
    if len(found) < 2:
        raise InputError(f"{len(found)} crops, at least 2 are needed", file=root, remedy="Name a folder with more.")
    names = tuple(found)
    cameras = None if camera is None else _cameras(camera, names)
    return Crops(root, tuple(found.values()), names, cameras, tuple(errors))


def listed_rows(found: dict[str, Path], listed: Path) -> tuple[dict[str, Path], list[str]]:
    """The listed files that are there, and the names of the others."""
    wanted = list(dict.fromkeys(read_lines(listed)))
    names = list(found)
    row_of = rows_of(wanted, names)
    chosen = {names[row_of[line]]: found[names[row_of[line]]] for line in wanted if line in row_of}
    return dict(sorted(chosen.items())), [line for line in wanted if line not in row_of]


def _cameras(how: str, names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Number the cameras; one folder for all is one camera."""
    if how in FOLDERS and len({Path(name).parent for name in names}) < 2:
        return np.zeros(len(names), np.int64)
    return np.asarray(numbered(read_values(how, names, what="camera")), np.int64)


def fingerprint(crops: Crops) -> str:
    """Hash of the crops' names, sizes and times of change."""
    about = [(name, path.stat().st_size, path.stat().st_mtime_ns) for name, path in zip(crops.names, crops.paths)]  # noqa: B905
    return hashlib.sha256(repr(about).encode()).hexdigest()


def store_crops(crops: Crops, folder: Path) -> tuple[Crops, CropStore]:
    """Decode every crop once into a store on disk, 98 kB each; crops that cannot be read are left out.

    Returns:
        The readable crops with the reasons for the others, and their store, row by row.

    Raises:
        InputError: if fewer than two can be read.
    """
    place = folder / fingerprint(crops)[:16]
    writer = StoreWriter(place)
    kept, errors = [], list(crops.errors)
    for row, path in enumerate(crops.paths):
        try:
            writer.add(read_image(path), label=0)
            kept.append(row)
        except InputError as error:
            errors.append((crops.names[row], str(error)))
    writer.close()
    if len(kept) < 2:
        raise InputError(
            f"{len(kept)} crops can be read; the first that cannot: {errors[0][1]}",
            file=crops.root,
            remedy="Name other crops.",
        )
    read = crops.select(kept)
    return Crops(read.root, read.paths, read.names, read.camera, tuple(errors)), CropStore.open(place)
