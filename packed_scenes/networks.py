"""Embedders to choose from: what there is, what a file turns out to be, and the card beside it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from packed_scenes.data.errors import InputError

if TYPE_CHECKING:
    from packed_scenes.embed.folders import CropFolder

CROPS = 32  # that time one crop
SLICE = 256  # crops in memory at a time
SCENES, IDENTITIES, VIEWS = 40, 30, 8  # of a calibration: drawn scenes, identities in each, crops of one at most


def known_embedders() -> list[dict[str, Any]]:
    """One row a name: dimension, domain, megabytes, licence, and what must be there first (empty = it ships)."""
    from packed_scenes.embed.about import ABOUT, About
    from packed_scenes.embed.registry import names

    rows = []
    for name in names():
        entry = ABOUT.get(name, About("", 0, ""))
        rows.append(
            {
                "name": name, "dimension": entry.dimension or "its file's", "domain": entry.domain,
                "megabytes": entry.megabytes or "-", "licence": entry.licence, "needs": entry.needs or "nothing",
            }
        )  # fmt: skip
    return sorted(rows, key=lambda row: (row["needs"] != "nothing", row["needs"], row["name"]))


def inspect_network(network: str, *, device: str = "auto") -> dict[str, Any]:
    """Load an embedder and say what it is.

    Returns:
        Its canvas, dimension, pixels, what had to be assumed, its calibrated threshold, and seconds per crop.

    Raises:
        InputError: if it cannot be loaded.
    """
    from packed_scenes.embed import Embedder

    embedder = Embedder.load(network, device=device)
    card = embedder.card
    canvases = np.random.default_rng(0).integers(0, 256, (CROPS, embedder.height, embedder.width, 3), np.uint8)
    start = time.perf_counter()
    embedder.embed_canvases(canvases)
    seconds = time.perf_counter() - start
    shown = ("domain", "licence", "channels", "mean", "scale", "output", "pool")
    said: dict[str, Any] = {key: card[key] for key in shown if key in card}
    return {
        "network": network, "dimension": embedder.dimension, "width": embedder.width, "height": embedder.height,
        "fit": card.get("fit", "letterbox"), **said, "assumed": card.get("assumed", []),
        "threshold": card.get("calibration", {}).get("threshold"), "weights": embedder.weights_hash,
        "milliseconds_per_crop": round(1000 * seconds / CROPS, 2),
    }  # fmt: skip


def write_card(network: str, said: dict[str, Any]) -> Path:
    """Add to the card beside a network file, or make it; the file must load with it, else nothing is written.

    Args:
        network: ``.onnx`` or ``.xml`` file, or NAME=FILE.
        said: keys of :mod:`packed_scenes.embed.exported`.

    Raises:
        InputError: if it is no such file, or the network cannot be loaded so.
    """
    from packed_scenes.data.files import write_json
    from packed_scenes.data.netfile import read_netfile
    from packed_scenes.data.pixels import read_side_card
    from packed_scenes.embed.exported import KEYS, complete, metadata_card

    file = Path(network.rpartition("=")[2])
    net = read_netfile(file)
    card = {**read_side_card(file, KEYS), **said}
    complete(net, {**metadata_card(net), **card})
    path = file.with_suffix(".json")
    write_json(path, card)
    return path


def calibrate_card(network: str, folder: Path, *, device: str = "auto", seed: int = 0) -> dict[str, Any]:
    """Find the distance at which the same ends, on crops of known identities, and keep it on the card beside the file.

    Args:
        network: ``.onnx`` or ``.xml`` file, or NAME=FILE.
        folder: one folder of crops per identity.
        device: of the network.
        seed: of the scenes drawn.

    Returns:
        The calibration (:func:`packed_scenes.embed.calibrate.calibrate`).

    Raises:
        InputError: if the file or the folder cannot be read, or no identity has two crops.
    """
    from packed_scenes.embed import Embedder
    from packed_scenes.embed.calibrate import calibrate
    from packed_scenes.embed.folders import read_folder

    if Path(network.rpartition("=")[2]).suffix not in (".onnx", ".xml"):
        raise InputError("only .onnx and .xml files have a card beside them", file=network, remedy="Name such a file.")
    crops = read_folder(folder)
    embedder = Embedder.load(network, device=device)
    parts = [embedder.embed_canvases(part.canvases(**embedder.cut)) for part in _slices(crops)]
    vectors, rng, scenes = np.concatenate(parts), np.random.default_rng(seed), []
    for _ in range(SCENES):
        chosen = rng.permutation(np.unique(crops.label))[:IDENTITIES]
        rows = np.concatenate([rng.permutation(np.flatnonzero(crops.label == k))[:VIEWS] for k in chosen])
        scenes.append((vectors[rows], crops.label[rows]))
    found = calibrate(scenes, seed=seed)
    write_card(network, {"calibration": found})
    return found


def _slices(crops: CropFolder) -> Iterator[CropFolder]:
    for start in range(0, len(crops), SLICE):
        yield crops.select(np.arange(start, min(start + SLICE, len(crops))))
