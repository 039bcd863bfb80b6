"""Figures of a training: curves, confusion matrix, map of the embedding, feature maps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.files import atomic_write
from packed_scenes.data.hidden import plot_text

if TYPE_CHECKING:
    from packed_scenes.embed.networks import Unit


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure whole or not at all, and close it."""
    from matplotlib import pyplot as plt

    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=110, bbox_inches="tight")
    plt.close(figure)


def pyplot() -> Any:
    """Matplotlib's pyplot without a window, in the project's style."""
    import matplotlib as mpl

    mpl.use("Agg")
    import seaborn as sns
    from matplotlib import pyplot as plt

    sns.set_theme(style="whitegrid", context="notebook")
    return plt


def plot_history(rows: Sequence[dict[str, Any]], folder: Path) -> list[Path]:
    """Write ``loss.png`` and, where there are accuracies, ``accuracy.png``."""
    plt = pyplot()
    from matplotlib.ticker import MaxNLocator

    written = []
    x_name = "epoch" if "epoch" in rows[0] else "step"
    for figure_name in ("loss", "accuracy"):
        known = ("train_" + figure_name, "val_" + figure_name, figure_name)
        series = [key for key in known if any(key in row for row in rows)]
        if not series:
            continue
        figure, axes = plt.subplots(figsize=(6, 4))
        for key in series:
            points = [(row[x_name], row[key]) for row in rows if key in row]
            label = {"train": "training", "val": "validation"}.get(key.split("_")[0], "training")
            axes.plot(*zip(*points, strict=True), marker="o" if len(points) < 40 else None, ms=3, label=label)
        axes.set(xlabel=x_name, ylabel="cross entropy" if figure_name == "loss" else "accuracy")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if figure_name == "accuracy":
            axes.set_ylim(-0.03, 1.03)
        axes.legend()
        path = folder / f"{figure_name}.png"
        save_figure(figure, path)
        written.append(path)
    return written


def plot_confusion(
    true: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], names: Sequence[str], path: Path
) -> None:
    """Confusion matrix as shares of each true class; cells under half a percent are left blank."""
    plt = pyplot()
    import seaborn as sns

    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (true, predicted), 1)
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    shown = [plot_text(name) for name in names]
    size = max(5.0, 0.42 * len(names) + 2)
    figure, axes = plt.subplots(figsize=(size, size * 0.85))
    text = np.where(share >= 0.005, np.round(share * 100).astype(int).astype(str), "")
    sns.heatmap(
        share, annot=text, fmt="", cmap="rocket_r", vmin=0, vmax=1, square=True, ax=axes, annot_kws={"size": 7},
        xticklabels=shown, yticklabels=shown, linewidths=0.2,
        cbar_kws={"label": "share of the true class", "shrink": 0.7},
    )  # fmt: skip
    axes.set(xlabel="predicted class", ylabel="true class", title="Confusion, % of each true class")
    axes.tick_params(labelsize=8)
    save_figure(figure, path)


def plot_map(
    vectors: npt.NDArray[np.float32], label: npt.NDArray[np.int64], names: Sequence[str], path: Path, *, seed: int = 0
) -> None:
    """t-SNE of at most 3,000 unit vectors by cosine, coloured by class; classes are named at their medians."""
    plt = pyplot()
    import seaborn as sns
    from sklearn.manifold import TSNE

    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(len(vectors))[:3000])
    perplexity = min(30.0, max(1.0, (len(rows) - 1) / 3))
    flat = np.zeros((len(rows), 2), np.float32)  # a few points have no neighbours to be kept together
    if len(rows) > perplexity + 1:
        flat = TSNE(metric="cosine", init="pca", perplexity=perplexity, random_state=seed).fit_transform(vectors[rows])
    present = np.unique(label[rows])
    colours = sns.color_palette("husl", len(present))
    figure, axes = plt.subplots(figsize=(9, 8))
    for colour, value in zip(colours, present, strict=True):
        mine = flat[label[rows] == value]
        axes.scatter(*mine.T, s=8, color=colour, alpha=0.75, linewidths=0)
    for value in present:
        x, y = np.median(flat[label[rows] == value], axis=0)
        box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.75}
        axes.text(x, y, plot_text(str(names[value])[:10]), fontsize=8, ha="center", va="center", bbox=box)
    axes.set(xticks=[], yticks=[], title=f"t-SNE of {len(rows)} crops, cosine")
    save_figure(figure, path)


def plot_feature_maps(network: Unit, canvases: npt.NDArray[np.uint8], path: Path) -> None:
    """Mean absolute response of each convolution stage, drawn beside each sample crop.

    Args:
        network: any embedding network; its convolution layers are found by hooks.
        canvases: (N, H, W, 3) uint8 crops of the network's size, a handful.
        path: PNG to write.
    """
    import torch
    from torch import nn

    plt = pyplot()
    maps: list[tuple[str, npt.NDArray[np.float32]]] = []
    hooks = [
        module.register_forward_hook(
            lambda _m, _i, out, name=name: maps.append((name, out.detach().float().abs().mean(1).numpy()))
        )
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d)
    ]
    try:
        with torch.inference_mode():
            network.eval()(torch.from_numpy(canvases).permute(0, 3, 1, 2).float())
    finally:
        for hook in hooks:
            hook.remove()
    maps = maps[:: max(1, len(maps) // 6)][:6]
    columns = len(maps) + 1
    height = 1.9 * canvases.shape[1] / canvases.shape[2]
    figure, axes = plt.subplots(len(canvases), columns, figsize=(1.9 * columns, height * len(canvases)), squeeze=False)
    for row, canvas in enumerate(canvases):
        axes[row, 0].imshow(canvas)
        for column, (_, response) in enumerate(maps, start=1):
            axes[row, column].imshow(response[row], cmap="magma", interpolation="nearest")
        if row == 0:
            axes[0, 0].set_title("crop", fontsize=9)
            for column, (name, response) in enumerate(maps, start=1):
                axes[0, column].set_title(f"{name}\n{response.shape[2]} x {response.shape[1]}", fontsize=7)
    for axis in axes.flat:
        axis.axis("off")
    figure.tight_layout(pad=0.3)
    save_figure(figure, path)
