"""Two- and three-dimensional maps of a space: PCA, t-SNE, UMAP; pictures, and pages that can be turned by hand.

Large sets are shown by a sample and say so. The pages hold plotly itself and load nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.labels import Labels
from packed_scenes.data.files import atomic_write, write_text
from packed_scenes.data.hidden import html_text, plot_text

_log = logging.getLogger(__name__)

MAX_ROWS = 8000  # rows of a map; UMAP of 8,000 x 16 takes about 20 s on one core, t-SNE 30 s
# Plotly stands in the page and makes its shaders from text; nothing is fetched or sent.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)
MAX_NAMED = 30  # clusters that a map tells apart by colour; the rest is grey

Points = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Map:
    """Coordinates of some rows.

    Attributes:
        name: ``PCA``, ``t-SNE`` or ``UMAP``.
        points: (M, 2 or 3) float32.
    """

    name: str
    points: Points

    @property
    def dimensions(self) -> int:
        """2 or 3."""
        return int(self.points.shape[1])


def choose_rows(count: int, *, seed: int = 0) -> npt.NDArray[np.int64]:
    """Return the rows that maps show: all, or ``MAX_ROWS`` at random, ascending."""
    if count <= MAX_ROWS:
        return np.arange(count)
    return np.sort(np.random.default_rng([seed, 13]).choice(count, MAX_ROWS, replace=False))


def make_maps(X: npt.NDArray[np.floating], *, seed: int = 0) -> list[Map]:
    """Map (M, D) rows: PCA, t-SNE and UMAP in two dimensions, PCA and UMAP in three.

    Sets of fewer than five rows have PCA alone. Three-dimensional maps are left out where D is smaller, those of UMAP
    (with a warning) where numba cannot keep what it compiles.
    """
    import warnings

    from sklearn.decomposition import PCA

    rows = np.asarray(X, np.float32)
    made = [Map("PCA", _wide(PCA(min(d, *rows.shape), random_state=seed).fit_transform(rows), d)) for d in (2, 3)]
    if len(rows) < 5:
        return made
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(rows) - 1) / 3)
    flat = made[0].points / max(float(made[0].points[:, 0].std()), 1e-12) * 1e-4
    made.append(Map("t-SNE", TSNE(2, perplexity=perplexity, init=flat, random_state=seed).fit_transform(rows)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a seed makes it use one thread is what is wanted
        try:
            import umap
        except RuntimeError:  # of numba: no folder where compiled code can be kept
            _log.warning("UMAP is left out: no folder for compiled code can be written. Set NUMBA_CACHE_DIR.")
            return made

        near = min(15, len(rows) - 1)
        for dimensions in (2, 3):
            start = "pca" if rows.shape[1] >= dimensions else "spectral"
            model = umap.UMAP(n_components=dimensions, n_neighbors=near, random_state=seed, n_jobs=1, init=start)
            made.append(Map("UMAP", np.asarray(model.fit_transform(rows), np.float32)))
    return made


def draw_maps(
    maps: Sequence[Map], labels: Labels, file: Path, *, title: str, names: Mapping[int, str] | None = None
) -> None:
    """Draw the maps side by side as a PNG, rows coloured by their labels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2 * len(maps), 5.2), layout="constrained")
    FigureCanvasAgg(figure)
    size = float(np.clip(4000 / len(labels), 1.5, 18))
    groups = _groups(labels, names)
    for at, one in enumerate(maps):
        axes: Any = figure.add_subplot(1, len(maps), at + 1, projection="3d" if one.dimensions == 3 else None)
        for name, color, rows in groups:
            axes.scatter(*one.points[rows].T, s=size, color=color, label=plot_text(name), linewidths=0, alpha=0.8)
        axes.set_title(f"{one.name}, {one.dimensions}-D")
        axes.tick_params(labelbottom=False, labelleft=False, length=0)
        if one.dimensions == 3:
            axes.set_zticklabels([])
    if len(groups) <= 20:
        handles, texts = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, texts, loc="outside right center", markerscale=3, frameon=False, fontsize=9)
    figure.suptitle(plot_text(title))
    with atomic_write(file) as temporary:
        figure.savefig(temporary, dpi=110, format="png")


def write_page(one: Map, labels: Labels, file: Path, *, title: str, hover: Sequence[str]) -> None:
    """Write an interactive page of a map that holds all it needs (about 5 MB, plotly itself).

    Args:
        one: the map.
        labels: (M,) clusters.
        file: .html.
        title: of the page.
        hover: (M,) what a point says.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    kind = go.Scatter3d if one.dimensions == 3 else go.Scattergl
    for name, color, rows in _groups(labels, None):
        xyz = dict(zip("xyz", one.points[rows].T, strict=False))
        figure.add_trace(
            kind(
                **xyz, mode="markers", name=html_text(name),
                text=[html_text(hover[row]) for row in np.flatnonzero(rows).tolist()],
                hoverinfo="text+name", marker={"size": 3 if one.dimensions == 3 else 5, "color": _css(color)},
            )
        )  # fmt: skip
    figure.update_layout(title=html_text(title), template="plotly_white", legend={"itemsizing": "constant"})
    # Its own name for the drawing would be random, and every page another file.
    text = figure.to_html(include_plotlyjs=True, full_html=True, config={"displaylogo": False}, div_id="map")
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    write_text(file, text.replace("<head>", f"<head>{policy}", 1))


def _groups(
    labels: Labels, names: Mapping[int, str] | None
) -> list[tuple[str, tuple[float, float, float], npt.NDArray[np.bool_]]]:
    """Name, colour and rows of each group, noise and what is beyond ``MAX_NAMED`` first: they lie underneath."""
    from packed_scenes.aggregate import colors_of

    colors = colors_of(labels)
    sizes = np.bincount(labels[labels >= 0], minlength=1)
    shown = [int(c) for c in np.argsort(-sizes, kind="stable")[:MAX_NAMED] if sizes[c]]
    grey = (0.75, 0.75, 0.75)
    groups = []
    if (labels < 0).any():
        groups.append(("unknown" if names else "noise", grey, labels < 0))
    rest = (labels >= 0) & ~np.isin(labels, shown)
    if rest.any():
        groups.append((f"{int((sizes > 0).sum()) - len(shown)} smaller", (0.6, 0.6, 0.6), rest))
    for c in shown:
        r, g, b = colors[c]
        groups.append(((names or {}).get(c, str(c)), (r / 255, g / 255, b / 255), labels == c))
    return groups


def _wide(points: npt.NDArray[Any], dimensions: int) -> Points:
    missing = dimensions - points.shape[1]
    return np.asarray(np.pad(points, ((0, 0), (0, max(missing, 0)))), np.float32)


def _css(color: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * c):02x}" for c in color)
