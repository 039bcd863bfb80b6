"""The presets of ``packed-scenes train-embedder`` that train on one folder of classes, and what they leave behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from packed_scenes.data.files import write_csv, write_json
from packed_scenes.embed.folders import CropFolder, split
from packed_scenes.embed.weights import save_weights

if TYPE_CHECKING:
    from packed_scenes.embed.networks import Unit


class Preset(StrEnum):
    """What to train."""

    DEFAULT = "default"
    REFERENCE = "reference"
    BASELINE = "baseline"
    ALEXNET_LAST1 = "alexnet-last1"
    ALEXNET_LAST2 = "alexnet-last2"


def network_of(preset: Preset | str) -> tuple[Unit, str, dict[str, Any]]:
    """Untrained network of a preset that trains on one folder, with the architecture's name and options for the card.

    Raises:
        InputError: if it starts from ImageNet weights that cannot be had.
        ValueError: if the preset is ``default``, which :mod:`packed_scenes.embed.default_training` builds.
    """
    from packed_scenes.embed.reference import AlexNetTuned, ClassifierNet, ReferenceNet

    match Preset(preset):
        case Preset.REFERENCE:
            return ReferenceNet(), "reference", {"dimension": 32}
        case Preset.BASELINE:
            return ClassifierNet(), "classifier", {"dimension": 32}
        case Preset.ALEXNET_LAST1 | Preset.ALEXNET_LAST2 as chosen:
            tuned = 1 if chosen is Preset.ALEXNET_LAST1 else 2
            return AlexNetTuned(tuned=tuned, weights=True), "alexnet-tuned", {"tuned": tuned, "dimension": 32}
    raise ValueError("the default preset has its own training")


def train_preset(
    folder: CropFolder,
    preset: Preset | str,
    *,
    out: Path,
    epochs: int = 20,
    seed: int = 0,
    report: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Train a preset on one folder and write everything into ``out``.

    Writes ``embedder.safetensors`` with its card, ``history.csv``, ``metrics.json`` and the figures ``loss.png``,
    ``accuracy.png``, ``confusion.png``, ``map.png`` (t-SNE of validation crops) and ``features.png``. Interrupted, it
    goes on after the last finished epoch. Memory: all crops at 224 x 224, 150 kB each.

    Returns:
        The metrics.
    """
    from packed_scenes.embed.classify import ClassifyRecipe, predict, train_classifier

    preset = Preset(preset)
    network, architecture, options = network_of(preset)
    recipe = ClassifyRecipe(epochs=epochs, seed=seed, proxies=preset is not Preset.BASELINE)
    pixels = folder.canvases(width=network.width, height=network.height, stretch=True)
    train, validation = split(folder.label, seed=seed)
    done = train_classifier(
        network, pixels, folder.label, train=train, validation=validation, classes=len(folder.classes), recipe=recipe,
        checkpoint=out / "checkpoint.pt", report=report,
    )  # fmt: skip
    vectors, predicted = predict(done, pixels[validation])
    metrics = {
        "preset": str(preset), "classes": len(folder.classes), "crops": len(folder), "trained_on": len(train),
        "validated_on": len(validation), **{k: v for k, v in done.best.items() if k != "seconds"},
        "seconds": sum(row["seconds"] for row in done.history),
    }  # fmt: skip
    card = {
        "name": str(preset), "architecture": architecture, "options": options, "fit": "stretch",
        "data": {"classes": list(folder.classes), "crops": len(folder)}, "recipe": asdict(recipe), "metrics": metrics,
    }  # fmt: skip
    save_weights(out / "embedder.safetensors", done.network.state_dict(), card, half=False)
    write_json(out / "metrics.json", metrics)
    write_history(out / "history.csv", done.history)
    from packed_scenes.embed.plots import plot_confusion, plot_feature_maps, plot_history, plot_map

    plot_history(done.history, out)
    plot_confusion(folder.label[validation], predicted, folder.classes, out / "confusion.png")
    plot_map(vectors, folder.label[validation], folder.classes, out / "map.png", seed=seed)
    sample = np.random.default_rng(seed).permutation(len(pixels))[:4]
    plot_feature_maps(done.network, pixels[sample], out / "features.png")
    return metrics


def write_history(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows of figures as CSV; a column that a row lacks stays empty."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    write_csv(path, [names, *([row.get(name, "") for name in names] for row in rows)])
