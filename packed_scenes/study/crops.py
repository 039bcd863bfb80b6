"""Crops by cluster: contact sheets, one cluster shown large, files sorted into folders."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.labels import Labels
from packed_scenes.data.errors import InputError
from packed_scenes.data.images import read_image, write_image
from packed_scenes.data.naming import flat_names

RGB = npt.NDArray[np.uint8]

CELL = (96, 96)
SHOWN = 120  # crops of a cluster that is shown large
PER_ROW = 12


def contact_sheet(paths: Sequence[Path], labels: Labels, strength: npt.NDArray[np.floating], *, rows: int = 40) -> RGB:
    """Draw one row of crops per cluster, largest first, noise last, from the surest to the least sure crop.

    Args:
        paths: (N,) crop files.
        labels: (N,) clusters.
        strength: (N,) in [0, 1], how typical each row is of its cluster.
        rows: most clusters.
    """
    from packed_scenes.aggregate import ContactSheet, colors_of
    from packed_scenes.data.objects import Objects

    whole = np.array([[0.0, 0.0, 1e6, 1e6]], np.float32)  # the sheet cuts what lies inside the picture
    parts = [
        (str(number), Objects.from_boxes(whole, cluster=labels[[number]], probability=strength[[number]]))
        for number in range(len(labels))
    ]
    sheet = ContactSheet(parts, colors=colors_of(labels), rows=rows, columns=PER_ROW, cell=CELL)
    for name in sheet.wanted:
        sheet.add(name, read_image(paths[int(name)]))
    return sheet.draw()


def show_cluster(paths: Sequence[Path], labels: Labels, cluster: int, out: Path) -> Path:
    """Write a sheet of up to ``SHOWN`` crops of one cluster, evenly thinned; return the file.

    Raises:
        InputError: if there is no such cluster.
    """
    members = np.flatnonzero(labels == cluster)
    if not len(members):
        raise InputError(f"there is no cluster {cluster}", remedy=f"There are 0 to {labels.max()}, and -1 is noise.")
    if len(members) > SHOWN:
        members = members[np.linspace(0, len(members) - 1, SHOWN).round().astype(np.int64)]
    file = out / f"cluster-{'noise' if cluster < 0 else cluster}.jpg"
    write_image(file, crop_grid([paths[int(row)] for row in members]))
    return file


def crop_grid(paths: Sequence[Path], *, columns: int = PER_ROW) -> RGB:
    """Draw crops side by side, letterboxed on white."""
    from packed_scenes.aggregate.legend import letterbox

    tall, wide = CELL
    gap = 6
    lines = -(-len(paths) // columns)
    sheet = np.full((gap + lines * (tall + gap), gap + min(columns, len(paths)) * (wide + gap), 3), 255, np.uint8)
    for at, path in enumerate(paths):
        y, x = gap + at // columns * (tall + gap), gap + at % columns * (wide + gap)
        sheet[y : y + tall, x : x + wide] = letterbox(read_image(path), CELL)
    return sheet


def sort_crops(paths: Sequence[Path], labels: Labels, out: Path, *, copy: bool = False) -> Path:
    """Put links to (or copies of) the crops into ``out/<cluster>/``; a folder from before is replaced.

    Only folders that this function made are replaced: each holds a mark.

    Raises:
        InputError: if ``out`` holds something else.
    """
    mark = out / ".sorted-by-study"
    if out.exists():
        if not mark.is_file() and any(out.iterdir()):
            raise InputError("is not empty and was not made by a study", file=out, remedy="Move it away.")
        shutil.rmtree(out)
    out.mkdir(parents=True)
    mark.touch()
    width = len(str(int(labels.max(initial=0))))
    taken: set[Path] = set()
    root = os.path.commonpath([path.absolute().parent for path in paths]) if paths else ""
    names = flat_names([os.path.relpath(path.absolute(), root).replace(os.sep, "/") for path in paths])
    for path, name, label in zip(paths, names, labels.tolist(), strict=True):
        folder = out / ("noise" if label < 0 else f"{label:0{width}d}")
        if folder not in taken:
            folder.mkdir()
            taken.add(folder)
        target = folder / name
        if copy:
            shutil.copy2(path, target)
        else:
            target.symlink_to(path.resolve())
    return out


def strengths(X: npt.NDArray[np.floating], labels: Labels) -> npt.NDArray[np.float64]:
    """How typical each of (N, D) rows is of its cluster: 1 for the nearest to the centre, down to 0; noise 0.5."""
    from packed_scenes.cluster.labels import cluster_sums

    out = np.full(len(labels), 0.5)
    kept = np.flatnonzero(labels >= 0)
    if not len(kept):
        return out
    sums, sizes = cluster_sums(np.asarray(X, np.float32), labels)
    centres = sums / sizes[:, None]
    distance = np.zeros(len(kept))
    for low in range(0, len(kept), 65536):
        rows = kept[low : low + 65536]
        distance[low : low + 65536] = np.linalg.norm(np.asarray(X[rows], np.float64) - centres[labels[rows]], axis=1)
    order = np.lexsort((distance, labels[kept]))
    rank = np.empty(len(kept))
    begin = np.concatenate([[0], np.cumsum(sizes)])[labels[kept[order]]]
    rank[order] = (np.arange(len(kept)) - begin) / np.maximum(sizes[labels[kept[order]]] - 1, 1)
    out[kept] = 1 - rank
    return out
