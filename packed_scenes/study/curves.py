"""Curves over the number of clusters, and how large clusters are, as PNG pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from packed_scenes.axes import logarithmic, whole_numbers
from packed_scenes.cluster.labels import Labels
from packed_scenes.cluster.search.knee_detection import elbow
from packed_scenes.data.files import atomic_write
from packed_scenes.data.hidden import plot_text
from packed_scenes.study.ledger import Row

MAX_BARS = 60
SCORES = (
    ("silhouette", "silhouette (higher is better)"),
    ("calinski_harabasz", "Calinski-Harabasz (higher is better)"),
    ("davies_bouldin", "Davies-Bouldin (lower is better)"),
)

MARKS = (("*", "the rule's winner"), ("D", "best by truth"))


def draw_kmeans(rows: Sequence[Row], file: Path) -> None:
    """Draw inertia with its elbow, and the silhouette, of KMeans against k, a line per space."""
    figure, (left, right) = _figure(1, 2, 11, 4)
    for space, line in _by_space([row for row in rows if row.method == "kmeans"]).items():
        line = sorted(line, key=lambda row: row.clusters)
        k, inertia = [row.clusters for row in line], np.array([row.inertia for row in line])
        (drawn,) = left.plot(k, inertia / max(inertia.max(), 1e-300), marker=".", label=plot_text(space))
        turn = elbow(k, inertia)
        if turn is not None:
            at = k.index(turn)
            left.plot(turn, inertia[at] / inertia.max(), "o", ms=10, mfc="none", color=drawn.get_color())
        judged = [row.judged for row in line]
        right.plot(k, judged, marker=".", label=plot_text(space), color=drawn.get_color())
        if np.isfinite(judged).any():
            best = int(np.nanargmax(judged))
            right.plot(k[best], judged[best], "o", ms=10, mfc="none", color=drawn.get_color())
    whole_numbers(left)
    whole_numbers(right)
    left.set(xlabel="k", ylabel="inertia, share of that at the smallest k", title="KMeans: elbow (ring)")
    right.set(xlabel="k", ylabel="silhouette", title="KMeans: silhouette (ring = best)")
    right.legend(fontsize=8, frameon=False)
    save_panel(figure, file)


def draw_scores(rows: Sequence[Row], file: Path) -> None:
    """Draw three internal scores of every model against its number of clusters, a row of panels per descriptor."""
    names = list(dict.fromkeys(row.descriptor for row in rows))
    figure, grid = _figure(len(names), len(SCORES), 13, 3.1 * len(names))
    methods = list(dict.fromkeys(row.method for row in rows))
    axes = np.reshape(np.asarray(grid, object), (len(names), len(SCORES)))
    for name, panels in zip(names, axes, strict=True):
        for (column, title), panel in zip(SCORES, panels, strict=True):
            for at, method in enumerate(methods):
                here = [r for r in rows if r.descriptor == name and r.method == method and r.clusters > 1]
                values = [r.judged if column == "silhouette" else getattr(r, column) for r in here]
                panel.plot([r.clusters for r in here], values, ".", ms=5, color=f"C{at}", alpha=0.7)
            logarithmic(panel, "x")
            if column != "silhouette":
                logarithmic(panel, "y")
            panel.set_title(f"{plot_text(name)}: {title}", fontsize=9)
            panel.set_xlabel("clusters")
    _legend(figure, methods)
    save_panel(figure, file)


def draw_counts(labels: Labels, file: Path, *, title: str) -> None:
    """Draw how many rows each cluster holds, largest first, noise last."""
    import seaborn

    figure, axes = _figure(1, 1, 10, 3.4)
    sizes = np.bincount(labels[labels >= 0], minlength=1)
    shown = sizes[:MAX_BARS]
    names = [str(c) for c in range(len(shown))]
    values = shown.tolist()
    if (labels < 0).any():
        names.append("noise")
        values.append(int((labels < 0).sum()))
    palette = ["#4c72b0"] * len(shown) + ["#b0b0b0"] * (len(values) - len(shown))
    seaborn.barplot(x=names, y=values, hue=names, palette=palette, legend=False, ax=axes)
    more = f" (+{len(sizes) - len(shown)} smaller clusters)" if len(sizes) > len(shown) else ""
    axes.set(xlabel="cluster" + more, ylabel="rows", title=plot_text(title))
    axes.tick_params(axis="x", labelsize=7 if len(names) > 30 else 9, rotation=90 if len(names) > 30 else 0)
    save_panel(figure, file)


def draw_against_truth(rows: Sequence[Row], file: Path, *, winner: Row, best: Row) -> None:
    """Draw ARI against each internal score: where they mislead."""
    figure, panels = _figure(1, len(SCORES), 13, 4)
    methods = list(dict.fromkeys(row.method for row in rows))
    for (column, title), panel in zip(SCORES, panels, strict=True):
        for at, method in enumerate(methods):
            here = [r for r in rows if r.method == method and not r.fault]
            values = [r.judged if column == "silhouette" else getattr(r, column) for r in here]
            panel.plot(values, [r.ari for r in here], ".", ms=5, color=f"C{at}", alpha=0.7)
        for row, (mark, _) in zip((winner, best), MARKS, strict=True):
            value = row.judged if column == "silhouette" else getattr(row, column)
            panel.plot(value, row.ari, mark, ms=13, mfc="none", mec="black", mew=1.5)
        if column != "silhouette":
            logarithmic(panel, "x")
        panel.set_title(title, fontsize=9)
        panel.set(ylabel="ARI against truth", ylim=(-0.05, 1.05))
    _legend(figure, methods, MARKS)
    save_panel(figure, file)


def _legend(figure: Any, methods: Sequence[str], marks: Sequence[tuple[str, str]] = ()) -> None:
    """Write below the panels what the colours, and the black marks (mark, name), mean."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], marker=".", ls="", color=f"C{at}", label=m) for at, m in enumerate(methods)]
    handles += [Line2D([], [], marker=mark, ls="", mfc="none", mec="black", label=name) for mark, name in marks]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)


def _by_space(rows: Sequence[Row]) -> dict[str, list[Row]]:
    lines: dict[str, list[Row]] = {}
    for row in rows:
        lines.setdefault(row.space, []).append(row)
    return lines


def _figure(rows: int, columns: int, wide: float, high: float) -> tuple[Any, Any]:
    """A figure without the global state of pyplot, and its axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(wide, high), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns)


def save_panel(figure: Any, file: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    with atomic_write(file) as temporary:
        figure.savefig(temporary, dpi=110, format="png")
