"""Everything that makes the default weights: stores, goods, training, choice, calibration, card.

The network sees procedural families (of :mod:`packed_scenes.data.synth`), and what the caller has of packed_products,
grocery_store and vehicle_reid. Procedural families of one reserved shard, and the vehicles' validation identities,
are kept out: they choose the weights and calibrate the thresholds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError
from packed_scenes.embed.architectures import architecture
from packed_scenes.embed.augment import Augmentation, augment
from packed_scenes.embed.batches import Source
from packed_scenes.embed.calibrate import Labels, Vectors, calibrate
from packed_scenes.embed.folders import CropFolder
from packed_scenes.embed.goods_store import render_shard
from packed_scenes.embed.metric_training import Recipe, train
from packed_scenes.embed.networks import LayoutNet, Unit
from packed_scenes.embed.sources import build_store
from packed_scenes.embed.store import CropStore
from packed_scenes.embed.weights import load_card, load_tensors, save_weights

HELD_OUT_SHARD = 9999
JOIN = 0.46  # share of the schedule after which the folder's crops take part
CALIBRATION = Augmentation(
    gain=0.2, white=0.03, contrast=0.15, gradient=0.2, low=0.5, cut=0.08, occlude=0.2
)  # milder than training: what is left within one photo

Scenes = list[tuple[npt.NDArray[np.uint8], Labels]]


def make_scenes(
    store: CropStore,
    *,
    width: int,
    height: int,
    count: int = 30,
    families: int = 8,
    how: Augmentation = CALIBRATION,
    seed: int = 1,
) -> Scenes:
    """Simulated scenes: a few families, two to four variants of each, most identities once, as on real shelves.

    Returns:
        Per scene (N, height, width, 3) uint8 canvases and (N,) identities.
    """
    rng = np.random.default_rng(seed)
    rows_of = {int(v): np.flatnonzero(store.label == v) for v in np.unique(store.label)}
    family_of = {label: int(store.family[rows[0]]) for label, rows in rows_of.items()}
    known = np.unique(list(family_of.values()))
    scenes: Scenes = []
    for _ in range(count):
        pictures, labels = [], []
        for family in rng.choice(known, min(families, len(known)), replace=False):
            variants = rng.permutation([label for label, f in family_of.items() if f == family])
            for label in variants[: rng.integers(2, 5)].tolist():
                for _ in range(1 if rng.random() < 0.6 else int(rng.integers(2, 5))):
                    row, other = int(rng.choice(rows_of[label])), int(rng.integers(len(store)))
                    pictures.append(
                        augment(
                            np.asarray(store.pixels[row]), tuple(store.size[row].tolist()),
                            np.asarray(store.pixels[other]), tuple(store.size[other].tolist()),
                            width=width, height=height, rng=rng, how=how,
                        )
                    )  # fmt: skip
                    labels.append(label)
        scenes.append((np.stack(pictures), np.array(labels, np.int64)))
    return scenes


def embed_scenes(network: Unit, scenes: Scenes) -> list[tuple[Vectors, Labels]]:
    """Embed simulated scenes."""
    import torch

    out = []
    with torch.inference_mode():
        for pictures, labels in scenes:
            pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
            out.append((np.concatenate([network(p).numpy() for p in torch.split(pixels, 32)]), labels))
    return out


def by_resolution(network: Unit, store: CropStore) -> list[dict[str, Any]]:
    """Calibration of scenes whose goods are 18 … 144 pixels high: the less is to be seen, the closer all crops are."""
    rows = []
    for share in (0.125, 0.25, 0.5, 1.0):
        how = replace(CALIBRATION, low=1.0, low_scale=share, low_top=share)
        scenes = make_scenes(store, width=network.width, height=network.height, count=12, how=how, seed=7)
        found = calibrate(embed_scenes(network, scenes), draws=8)
        rows.append({"height": round(share * network.height), "threshold": found["threshold"]} | {
            key: found[key] for key in ("linkage", "equal_error", "pairwise_f", "same", "different")
        })  # fmt: skip
    return rows


def prepare(
    work: Path,
    *,
    packed: CropFolder | None = None,
    grocery: CropFolder | None = None,
    vehicles: CropFolder | None = None,
    shards: int = 16,
    first_shard: int = 0,
    join: int = 0,
    report: Callable[[dict[str, Any]], None] | None = None,
) -> list[Source]:
    """Build the stores that are missing under ``work`` and lay out the batches.

    Proxy indices depend on the sources that are given: resume a training with the same ones.

    Args:
        work: folder of the stores.
        packed, grocery, vehicles: labelled crops; None leaves a source out.
        shards, first_shard: which procedural families: ``shards`` shards of 250 from number ``first_shard`` on.
        join: step from which ``packed`` takes part. Its classes are few and easy: what is learned from them is
            kept best when they come late.
        report: called after each shard.

    Raises:
        InputError: if there is nothing to train on.
    """
    sources: list[Source] = []
    offset = 0

    def add(stores: Sequence[CropStore], classes: int, *, identities: int, views: int, **options: int) -> None:
        nonlocal offset
        proxies = classes * options.get("virtual", 1)
        sources.append(
            Source(stores, identities, views, offset=offset, classes=proxies, **options)  # type: ignore[arg-type]
        )
        offset += proxies

    others = grocery is not None or vehicles is not None or shards > 0
    if packed is not None:
        add(
            [build_store(packed, work / "packed")],
            len(packed.classes),
            identities=4,
            views=3,
            virtual=8,
            start=join if others else 0,
        )
    if grocery is not None:
        add([build_store(grocery, work / "grocery")], len(grocery.classes), identities=5, views=2, virtual=3)
    if vehicles is not None:
        add([build_store(vehicles, work / "vehicles")], len(vehicles.classes), identities=7, views=2, virtual=2)
    render_shard(work / "held", seed=HELD_OUT_SHARD)
    goods: list[CropStore] = []
    for shard in range(shards):
        goods.append(CropStore.open(render_shard(work / "goods", seed=first_shard + shard)))
        if report is not None:
            report({"shard": shard + 1, "shards": shards})
    if goods:
        base = min(int(store.label.min()) for store in goods)
        goods = [replace(store, label=store.label - base) for store in goods]
        classes = max(int(store.label.max()) for store in goods) + 1
        add(goods, classes, identities=48, views=2, group=3)
    if not sources:
        raise InputError("nothing to train on", remedy="Give a folder, or --shards of procedural goods.")
    return sources


def check_network(scenes: Scenes) -> Callable[[Unit, int], dict[str, float]]:
    """A check for the training loop: F at the best cut on simulated scenes of families kept out of training."""

    def check(network: Unit, step: int) -> dict[str, float]:
        found = calibrate(embed_scenes(network, scenes), draws=2)
        return {"held_f": found["linkage"]["value"], "held_cut": found["threshold"]}

    return check


def train_default(
    sources: Sequence[Source],
    *,
    work: Path,
    out: Path,
    recipe: Recipe,
    data: dict[str, Any],
    start: Path | None = None,
    report: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Train or go on training, then write ``out`` (``.safetensors``) and its card.

    Args:
        sources: see :func:`prepare`.
        work: folder of stores and of ``checkpoint.pt``.
        out: weights file.
        recipe: parameters; with more steps than the checkpoint has, the training goes on.
        data: what to say on the card about the data.
        start: weights of an earlier training to start from; None = random.
        report: called with figures.

    Returns:
        The card.

    Raises:
        InputError: if ``start`` holds no weights of this network.
    """
    network = LayoutNet()
    if start is not None:
        network = _earlier(start)
    holdout = CropStore.open(work / "held" / f"shard-{HELD_OUT_SHARD:05d}")
    scenes = make_scenes(holdout, width=network.width, height=network.height)
    trained = train(
        network, sources, recipe=recipe, checkpoint=work / "checkpoint.pt", check=check_network(scenes), report=report,
        warm=start is not None,
    )  # fmt: skip
    return write_default(trained, holdout, out=out, data=data, recipe=asdict(recipe))


def _earlier(path: Path) -> LayoutNet:
    card = load_card(path)
    if card["architecture"] != "layout":
        raise InputError("not weights of the default network", file=path, remedy="Give a file of --preset default.")
    network = architecture(card)
    network.load_state_dict(load_tensors(path))
    return network  # type: ignore[no-any-return]


def write_default(
    network: Unit, holdout: CropStore, *, out: Path, data: dict[str, Any], recipe: dict[str, Any]
) -> dict[str, Any]:
    """Calibrate a trained network on families kept out of training, and write weights and card."""
    scenes = make_scenes(holdout, width=network.width, height=network.height, count=60, seed=11)
    calibration = calibrate(embed_scenes(network, scenes))
    calibration["by_resolution"] = by_resolution(network, holdout)
    card = {
        "name": "default", "architecture": "layout", "fit": "letterbox",
        "options": {
            "width": network.width, "height": network.height, "channels": [24, 48, 96, 160],
            "dimension": network.dimension,
        },
        "data": data, "recipe": recipe, "calibration": calibration,
    }  # fmt: skip
    save_weights(out, network.state_dict(), card)
    return card
