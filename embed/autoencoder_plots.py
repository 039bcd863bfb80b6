"""Figures of an autoencoder: its errors by epoch, and what it makes of some crops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from packed_scenes.embed.autoencoder import Autoencoder, reconstruct
from packed_scenes.embed.plots import pyplot, save_figure

EACH = 8  # crops per group of reconstructions


def plot_curve(history: Sequence[dict[str, float]], path: Path) -> None:
    """Training and validation error by epoch, with the epoch whose weights were kept."""
    figure, axes = pyplot().subplots(figsize=(6, 4))
    from matplotlib.ticker import MaxNLocator

    for key, label in (("train_loss", "training"), ("val_loss", "validation")):
        axes.plot([row["epoch"] for row in history], [row[key] for row in history], label=label)
    best = min(history, key=lambda row: row["val_loss"])
    axes.axvline(best["epoch"], color="grey", ls=":", label=f"kept: epoch {best['epoch']:.0f}, {best['val_loss']:.4f}")
    axes.set(xlabel="epoch", ylabel="mean absolute error (0…1)", yscale="log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()
    save_figure(figure, path)


def plot_reconstructions(
    network: Autoencoder,
    canvases: npt.NDArray[np.uint8],
    ranked: npt.NDArray[np.int64],
    errors: npt.NDArray[np.float32],
    path: Path,
) -> None:
    """Crops above their reconstructions: the best remembered, the median, the worst (possible outliers).

    Args:
        network: trained, in evaluation mode.
        canvases: (N, H, W, 3) uint8.
        ranked: rows by rising error.
        errors: (N,) of every row.
        path: PNG to write.
    """
    each = min(EACH, len(ranked))
    middle = (len(ranked) - each) // 2
    groups = {"best": ranked[:each], "median": ranked[middle : middle + each], "worst": ranked[-each:]}
    figure, axes = pyplot().subplots(6, each, figsize=(1.1 * each, 7.4), squeeze=False)
    for number, (name, rows) in enumerate(groups.items()):
        originals = np.asarray(canvases[rows])
        made = reconstruct(network, originals)
        for column, row in enumerate(rows):
            axes[2 * number, column].imshow(originals[column])
            axes[2 * number, column].set_title(f"{errors[row]:.3f}", fontsize=7, pad=2)
            axes[2 * number + 1, column].imshow(made[column])
        for offset, text in ((0, f"{name}: crop"), (1, "rebuilt")):
            axes[2 * number + offset, 0].set_ylabel(text, fontsize=8)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.grid(False)
    figure.tight_layout(pad=0.3)
    save_figure(figure, path)
