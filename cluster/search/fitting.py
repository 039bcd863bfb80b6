"""Fit one model in a space."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.dense import DENSE_LIMIT
from packed_scenes.cluster.labels import Labels, canonical
from packed_scenes.cluster.search import density, graph, linkage
from packed_scenes.cluster.search.grid import Method, Model
from packed_scenes.cluster.search.space import Space


@dataclass(frozen=True)
class Fitted:
    """A fitted model.

    Attributes:
        labels: (N,) int64 names by size, largest first; -1 = noise.
        seconds: time of the fit without shared work.
        shared_seconds: time of the shared work that this fit was the first to need.
        note: what differs from what was asked; empty as a rule.
        eps: the distance that DBSCAN used; None for others.
    """

    labels: Labels
    seconds: float
    shared_seconds: float
    note: str = ""
    eps: float | None = None


def fit(space: Space, model: Model) -> Fitted:
    """Fit a model; its sizes must be numbers of rows (:meth:`packed_scenes.cluster.search.Grid.models`)."""
    start, shared = time.perf_counter(), space.shared_seconds
    note, eps = "", None
    labels: npt.NDArray[np.integer]
    if model.method is Method.KMEANS:
        labels, _ = space.path.fit(model["k"])
    elif model.method is Method.AGGLOMERATIVE:
        points, home = space.micro
        labels = linkage.cut(space.merge_tree(model["linkage"]), len(points), model["k"])[home]
        if len(points) < len(space):
            note = f"over {len(points)} micro-clusters"
    elif model.method is Method.DBSCAN:
        samples = model["min_samples"]
        core, turn = space.core(samples - 1)
        eps = model["knee"] * turn
        labels = density.dbscan(space.tree(samples - 1), space.graph, core, eps, samples)
    elif model.method is Method.HDBSCAN:
        labels = _hdbscan(space, model, model["selection"])
    else:
        labels = _two_stage(space, model)
    shared = space.shared_seconds - shared
    return Fitted(canonical(labels), time.perf_counter() - start - shared, shared, note, eps)


def _hdbscan(space: Space, model: Model, selection: str) -> Labels:
    return density.select(space.condensed(model["min_samples"], model["min_cluster_size"]), selection)


def _two_stage(space: Space, model: Model) -> Labels:
    """HDBSCAN, then a second pass over its noise; first labels never change."""
    labels = _hdbscan(space, model, "eom")
    noise = np.flatnonzero(labels < 0)
    if len(noise) < 3:
        return labels
    more = _optics(space.X[noise]) if model["second"] == "optics" else _hdbscan_of_noise(space, noise)
    out = labels.copy()
    found = more >= 0
    out[noise[found]] = more[found] + labels.max() + 1
    return out


def _optics(X: npt.NDArray[np.float32]) -> Labels:
    from sklearn.cluster import OPTICS

    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(OPTICS(min_samples=2).fit_predict(X), np.int64)


def _hdbscan_of_noise(space: Space, noise: npt.NDArray[np.int64]) -> Labels:
    """HDBSCAN(2, 1) of some rows: exact for few; for many over the shared graph, whose other rows are left out.

    Parts that the graph does not connect are joined at an infinite distance: they are different clusters.
    """
    if len(noise) <= DENSE_LIMIT:
        rows = space.X[noise]
        tree = graph.reachability_tree(rows, graph.neighbours(rows, 2), 1)
    else:
        tree = graph.induced_tree(space.graph, noise)
    return density.select(density.condense(density.hierarchy(tree), 2), "eom")
