"""The labelled crops that the default network is trained on, read into stores.

Layouts: a folder of class folders (packed_products); grocery_store (``train.txt`` rows ``path, fine class, coarse
class`` and one studio picture per class in ``classes.csv``); vehicle_reid (``type_id_camN.jpg``, identities split by
``train.txt`` and ``val.txt``).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from packed_scenes.data import InputError
from packed_scenes.data.shipped import ASSETS
from packed_scenes.data.tables import read_table
from packed_scenes.data.text import load_json
from packed_scenes.embed.folders import CropFolder, read_folder
from packed_scenes.embed.store import CropStore, StoreWriter


def relabel(folder: CropFolder, *, same: dict[str, str], dropped: tuple[str, ...] = ()) -> CropFolder:
    """Merge classes (name -> name it joins) and drop classes; labels are renumbered."""
    name = np.array([same.get(c, c) for c in folder.classes])
    kept = np.array([c not in dropped for c in folder.classes])[folder.label]
    classes = tuple(sorted(set(name[np.unique(folder.label[kept])].tolist())))
    index = {c: i for i, c in enumerate(classes)}
    rows = np.flatnonzero(kept)
    label = np.array([index[name[v]] for v in folder.label[rows]], np.int64)
    return CropFolder(tuple(folder.paths[i] for i in rows), label, classes)


def read_repairs(path: str | Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """Classes to merge (name -> name it joins) and to drop: ``{"same": {class: class}, "dropped": [class]}``.

    The audit writes such a list; with it a training needs no embedder to repair the labels again.

    Raises:
        InputError: if it is no such list.
    """
    try:
        found = load_json(Path(path).read_text("utf-8"))
        return {str(a): str(b) for a, b in found["same"].items()}, tuple(map(str, found["dropped"]))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise InputError("no list of repairs", file=path, remedy="Give the repairs.json of an --audit.") from error


def repaired(folder: CropFolder, repairs: str | Path) -> CropFolder:
    """A folder with its labels repaired by a list of :func:`read_repairs`.

    Raises:
        InputError: if the list is none, or names a class that the folder lacks.
    """
    same, dropped = read_repairs(repairs)
    unknown = sorted({*same, *same.values(), *dropped} - set(folder.classes))
    if unknown:
        raise InputError(f"the folder has no class {unknown[0]!r}", file=repairs, remedy="Audit this folder anew.")
    return relabel(folder, same=same, dropped=dropped)


# found by the audit of packed_products (see embed/README.md): class folders of one product, and what to leave out
PACKED_REPAIRS = ASSETS / "embedder-repairs.json"
PACKED_SAME, PACKED_DROPPED = read_repairs(PACKED_REPAIRS)


def read_packed(root: str | Path) -> CropFolder:
    """packed_products' ``train``: the three duplicated classes merged, the mixture and the sliver dropped."""
    return relabel(read_folder(root), same=PACKED_SAME, dropped=PACKED_DROPPED)


def read_grocery(root: str | Path, split: str = "train") -> CropFolder:
    """One split of grocery_store by fine class; ``train`` gets each class's studio picture too.

    Raises:
        InputError: if the lists are missing.
    """
    root = Path(root)
    for name in ("classes.csv", f"{split}.txt"):
        if not (root / name).is_file():
            raise InputError("no such file", file=root / name, remedy="Give the folder of the GroceryStore data set.")
    table = read_table(root / "classes.csv").rows
    classes = tuple(row[0] for row in sorted(table, key=lambda row: int(row[1])))
    rows = [line.split(",") for line in (root / f"{split}.txt").read_text().splitlines() if line.strip()]
    found = [(int(row[1]), root / row[0].strip()) for row in rows]
    if split == "train":
        found += [(int(row[1]), root / row[4].lstrip("/")) for row in table]
    found.sort(key=lambda item: item[0])
    return CropFolder(tuple(path for _, path in found), np.array([label for label, _ in found], np.int64), classes)


def read_vehicles(root: str | Path, split: str = "train") -> CropFolder:
    """One split of vehicle_reid by identity; listed pictures that are absent are left out.

    Raises:
        InputError: if the list is missing.
    """
    root = Path(root)
    if not (root / f"{split}.txt").is_file():
        raise InputError("no such file", file=root / f"{split}.txt", remedy="Give the folder of the vehicle data set.")
    names = sorted(line.strip() for line in (root / f"{split}.txt").read_text().splitlines() if line.strip())
    names = [name for name in names if (root / "images" / name).is_file()]
    classes = tuple(sorted({name.rsplit("_", 1)[0] for name in names}))
    index = {c: i for i, c in enumerate(classes)}
    label = np.array([index[name.rsplit("_", 1)[0]] for name in names], np.int64)
    return CropFolder(tuple(root / "images" / name for name in names), label, classes)


def camera(folder: CropFolder) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """(N,) camera number of vehicle crops, from their file names."""
    return np.array([int(path.stem.rsplit("cam", 1)[1]) for path in folder.paths], np.int64)


def build_store(crops: CropFolder, folder: str | Path, *, max_per_class: int = 260) -> CropStore:
    """Store crops for training, ``max_per_class`` per class, byte-identical files once; an existing store is opened."""
    folder = Path(folder)
    if not (folder / "store.json").is_file():
        rng = np.random.default_rng(0)
        writer, seen = StoreWriter(folder), set()
        for label in np.unique(crops.label):
            for row in rng.permutation(np.flatnonzero(crops.label == label))[:max_per_class].tolist():
                digest = hashlib.sha256(crops.paths[row].read_bytes()).digest()
                if digest not in seen:
                    seen.add(digest)
                    writer.add(crops.read(row), label=int(label))
        writer.close()
    return CropStore.open(folder)
