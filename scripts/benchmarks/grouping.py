"""Stages ``cluster…``: quality on simulated scenes, speed and memory beside the libraries, the cost curve."""

from __future__ import annotations

import importlib.util
import resource
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .inputs import Work
from .record import Found, Table
from .timing import Timed, ratio, take_turns

Fit = Callable[[Any], Any]  # vectors -> labels

DIMENSION = 64
WARM = 600  # rows
LOW_DIMENSION = 24  # for fast_hdbscan, whose compilation takes minutes above 30
CUT = 0.64  # average linkage's threshold on the simulated vectors
ROWS = 10_000
LARGE = 416_314  # as many crops as a year of a shop's cameras gave
CURVE = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)

# name in the table -> method and options; 0.66 is the cut that was best on six other simulated scenes of D = 64
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "average, adaptive (default)": ("average", {"calibrated": 0.66}),
    "average, calibrated": ("average", {"threshold": "calibrated", "calibrated": 0.66}),
    "average, silhouette": ("average", {"threshold": "silhouette", "calibrated": 0.66}),
    "two-stage, optics": ("two-stage", {}),
    "two-stage, hdbscan-2": ("two-stage", {"second": "hdbscan-2"}),
    "two-stage, linkage": ("two-stage", {"second": "linkage", "threshold": 0.66}),
    "hdbscan": ("hdbscan", {}),
    "hdbscan, one neighbour": ("hdbscan", {"min_samples": 1}),
    "infomap": ("infomap", {"threshold": 0.55}),
    "leiden": ("leiden", {"threshold": 0.55}),
    "dbscan": ("dbscan", {"eps": 0.42}),
    "complete": ("agglomerative", {"threshold": 0.9}),
    "kmeans, silhouette": ("kmeans", {}),
}


def pairs(work: Work) -> Found:
    """HDBSCAN and average linkage beside hdbscan, fast_hdbscan, scikit-learn and scipy, on the same vectors."""
    from packed_scenes.cluster import HDBSCAN, AverageLinkage
    from packed_scenes.decision_training.gaussian import simulate

    rows = work.rows or (400 if work.tiny else ROWS)
    turns = 1 if work.tiny or rows > 12_000 else min(work.turns, 2)
    found = Found()
    X, y = simulate(rows, dim=DIMENSION, regime="person")
    density: dict[str, Fit] = {"ours, HDBSCAN": lambda X: HDBSCAN(3, 3, metric="euclidean").fit_predict(X)}
    density["scikit-learn HDBSCAN"] = _sklearn_hdbscan
    if importlib.util.find_spec("hdbscan"):
        density["hdbscan"] = _hdbscan
    title = f"HDBSCAN(3, 3), {rows:,} x {DIMENSION} simulated vectors"
    found.tables.append(_beside(title, density, X, y, turns=turns))
    linkage: dict[str, Fit] = {
        "ours, average linkage": lambda X: AverageLinkage(CUT).fit_predict(X),
        "scipy linkage": _scipy,
        "scikit-learn AgglomerativeClustering": _agglomerative,
    }
    title = f"average linkage at {CUT}, {rows:,} x {DIMENSION} simulated vectors"
    found.tables.append(_beside(title, linkage, X, y, turns=turns))
    if importlib.util.find_spec("fast_hdbscan") and not work.tiny:
        X, y = simulate(rows, dim=LOW_DIMENSION, regime="person")
        jobs: dict[str, Fit] = {"ours, HDBSCAN": density["ours, HDBSCAN"], "fast_hdbscan": _fast_hdbscan}
        title = f"HDBSCAN(3, 3), {rows:,} x {LOW_DIMENSION} simulated vectors"
        found.tables.append(_beside(title, jobs, X, y, turns=turns))
    else:
        found.skipped.append("fast_hdbscan: not installed, or a tiny run (its compilation takes longer than the work)")
    return found


def _beside(title: str, fits: dict[str, Fit], X: Any, y: Any, *, turns: int) -> Table:
    """Time the fits in turns on all rows, warm on the first 600: what is compiled on first use is not the method's."""
    from sklearn.metrics import adjusted_rand_score

    from packed_scenes.cluster import score

    for fit in fits.values():
        fit(X[:WARM])
    timed = take_turns({name: partial(fit, X) for name, fit in fits.items()}, turns=turns, warm=0)
    first = next(iter(fits))
    rows = [
        {
            "method": name, "ARI": round(score(y, np.asarray(t.result)).ARI, 3),
            "agreement with ours (ARI)": round(float(adjusted_rand_score(timed[first].result, t.result)), 3),
            **t.row(), **({} if name == first else ratio(t, timed[first])),
        }
        for name, t in timed.items()
    ]  # fmt: skip
    return Table(title, rows, "ARI against the simulation's truth, noise as single objects.", "bars", by="method")


def _hdbscan(X: Any) -> Any:
    import hdbscan

    return hdbscan.HDBSCAN(3, min_samples=3).fit_predict(X)


def _sklearn_hdbscan(X: Any) -> Any:
    from sklearn.cluster import HDBSCAN

    return HDBSCAN(min_cluster_size=3, min_samples=3, copy=True).fit_predict(X)


def _fast_hdbscan(X: Any) -> Any:
    import fast_hdbscan

    return fast_hdbscan.HDBSCAN(min_cluster_size=3, min_samples=3).fit_predict(X)


def _scipy(X: Any) -> Any:
    from scipy.cluster.hierarchy import fcluster, linkage

    return fcluster(linkage(X, "average", metric="cosine"), CUT, "distance")


def _agglomerative(X: Any) -> Any:
    from sklearn.cluster import AgglomerativeClustering

    model = AgglomerativeClustering(n_clusters=None, metric="cosine", linkage="average", distance_threshold=CUT)
    return model.fit_predict(X)


def quality(work: Work) -> Found:
    """Every method on simulated scenes: means over seeds, noise as singletons."""
    from packed_scenes.cluster import make, score
    from packed_scenes.decision_training.gaussian import simulate

    counts = [work.rows] if work.rows else [64] if work.tiny else [64, 500, 1000]
    seeds = 1 if work.tiny else work.seeds
    rows = []
    for count in counts:
        scenes = [simulate(count, dim=DIMENSION, seed=seed) for seed in range(seeds)]
        for name, (method, options) in METHODS.items():
            timed = Timed()
            found = [score(y, timed.add(partial(make(method, **options).fit_predict, X))) for X, y in scenes]
            means = {
                key: round(float(np.mean([getattr(s, key) for s in found])), 3)
                for key in ("ARI", "AMI", "bcubed_f", "pairwise_f", "noise_share")
            }
            errors = round(float(np.mean([s.count_error for s in found])), 3)
            rows.append(
                {"rows": count, "method": name, **means, "count error": errors, "ms": round(1e3 * timed.seconds, 1)}
            )
    note = f"Means of {seeds} scenes; count error is the mean of |k_pred - k_true| / k_true."
    return Found([Table(f"simulated vectors of {DIMENSION} numbers", rows, note)])


def large(work: Work) -> Found:
    """HDBSCAN over one neighbour graph of a large collection, all in."""
    from packed_scenes.cluster import HDBSCAN, score
    from packed_scenes.decision_training.gaussian import simulate

    X, y = simulate(work.rows or (5_000 if work.tiny else LARGE), dim=DIMENSION, regime="vehicle")
    base = _peak_gib()
    timed = Timed()
    model = timed.add(lambda: HDBSCAN(3, 3).fit(X))
    found = score(y, model.labels_)
    row = {"rows": len(X), **timed.row(), "peak GiB": round(_peak_gib(), 2), "vectors GiB": round(base, 2)}
    row |= {"ARI": round(found.ARI, 3), "BCubed F": round(found.bcubed_f, 3), "noise": round(found.noise_share, 3)}
    return Found([Table("HDBSCAN of a large collection, neighbours included", [row])])


def curve(work: Work) -> Found:
    """Time and peak memory of HDBSCAN and of average linkage from 1,000 rows up."""
    from packed_scenes.cluster import HDBSCAN, AverageLinkage
    from packed_scenes.decision_training.gaussian import simulate

    most = work.rows or (1_000 if work.tiny else 100_000)
    HDBSCAN(3, 3).fit(simulate(5_000, dim=DIMENSION)[0])  # compiles the neighbour search, once per machine
    rows = []
    for count in (n for n in CURVE if n <= most):
        X, _ = simulate(count, dim=DIMENSION, regime="vehicle")
        for name, model in (("HDBSCAN", HDBSCAN(3, 3)), ("average linkage", AverageLinkage(CUT))):
            if name == "HDBSCAN" or count <= 100_000:
                timed = Timed()
                timed.add(partial(model.fit, X))
                rows.append({"method": name, "rows": count, **timed.row(), "peak GiB": round(_peak_gib(), 2)})
    note = "Peak is of the process so far."
    return Found([Table("cost over the number of vectors", rows, note, "curve", over="rows", by="method")])


def _peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
