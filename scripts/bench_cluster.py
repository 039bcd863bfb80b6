"""Clustering benchmarks: quality on simulated scenes, speed and memory against the libraries, the cost curve.

Examples:
    uv run scripts/bench_cluster.py quality --seeds 20
    uv run scripts/bench_cluster.py pairs --rows 25000
    uv run scripts/bench_cluster.py large --rows 416314
    uv run scripts/bench_cluster.py curve --most 1000000

Times are wall clock of one run on whatever else the machine was doing; ``pairs`` runs ours and the library's in
turns, so that their ratio means something on a busy machine.
"""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import typer

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

Rows = Annotated[int, typer.Option(help="Number of vectors.", min=64)]
Dim = Annotated[int, typer.Option(help="Their dimension.", min=8)]
Seed = Annotated[int, typer.Option(help="Of the vectors.")]

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


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def _cpu_timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Wall and processor seconds: on a busy machine the latter over the number of cores is nearer to an idle one's
    wall.
    """
    start = time.process_time()
    result, wall = _timed(work)
    return result, wall, time.process_time() - start


def _peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _say(row: dict[str, Any]) -> None:
    row["load"] = round(os.getloadavg()[0], 1)
    typer.echo(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}))


@app.command()
def quality(
    rows: Annotated[str, typer.Option(help="Numbers of vectors, with commas.")] = "64,500,1000",
    seeds: Annotated[int, typer.Option(help="Scenes of each size.", min=1)] = 20,
    dim: Dim = 64,
) -> None:
    """Score every method on simulated scenes (means over seeds; noise as singletons)."""
    import numpy as np

    from cluster import make, score
    from cluster.simulate import simulate

    for count in (int(n) for n in rows.split(",")):
        scenes = [simulate(count, dim=dim, seed=seed) for seed in range(seeds)]
        for name, (method, options) in METHODS.items():
            runs = [_timed(partial(make(method, **options).fit_predict, X)) for X, _ in scenes]
            found = [score(y, labels) for (_, y), (labels, _) in zip(scenes, runs, strict=True)]
            means = {
                k: float(np.mean([getattr(s, k) for s in found])) for k in ("ARI", "AMI", "bcubed_f", "pairwise_f")
            }
            errors = [abs(s.count_error) for s in found]
            _say(
                {"rows": count, "method": name, **means, "count_error": float(np.mean(errors))}
                | {
                    "noise": float(np.mean([s.noise_share for s in found])),
                    "ms": float(np.median([t for _, t in runs]) * 1e3),
                }
            )


@app.command()
def pairs(rows: Rows = 25_000, dim: Dim = 64, seed: Seed = 0, threshold: float = 0.64) -> None:
    """HDBSCAN against the hdbscan library, average linkage against scipy: time, agreement, memory."""
    import hdbscan
    from scipy.cluster.hierarchy import fcluster, linkage
    from sklearn.metrics import adjusted_rand_score

    from cluster import HDBSCAN, AverageLinkage, score
    from cluster.simulate import simulate

    HDBSCAN(3, 3).fit(simulate(5000, dim=dim)[0])  # compiles the neighbour search, once per machine
    X, y = simulate(rows, dim=dim, seed=seed, regime="person")
    ours, our_time = _timed(lambda: HDBSCAN(3, 3, metric="euclidean").fit_predict(X))
    _say({"what": "HDBSCAN, ours", "rows": rows, "s": our_time, "ARI": score(y, ours).ARI, "peak_gib": _peak_gib()})
    theirs, their_time = _timed(lambda: hdbscan.HDBSCAN(3, min_samples=3).fit_predict(X))
    agreement = float(adjusted_rand_score(theirs, ours))
    _say(
        {"what": "HDBSCAN, library", "s": their_time, "ARI": score(y, theirs).ARI, "peak_gib": _peak_gib()}
        | {"ratio": their_time / our_time, "agreement_ARI": agreement}
    )
    linked, our_time = _timed(lambda: AverageLinkage(threshold).fit_predict(X))
    _say({"what": "average linkage, ours", "s": our_time, "ARI": score(y, linked).ARI, "peak_gib": _peak_gib()})
    tree, their_time = _timed(lambda: fcluster(linkage(X, "average", metric="cosine"), threshold, "distance"))
    agreement = float(adjusted_rand_score(tree, linked))
    _say(
        {"what": "average linkage, scipy", "s": their_time, "peak_gib": _peak_gib()}
        | {"ratio": their_time / our_time, "agreement_ARI": agreement}
    )


@app.command()
def large(rows: Rows = 416_314, dim: Dim = 64, seed: Seed = 0, search: str = "auto", device: str = "cpu") -> None:
    """HDBSCAN over one neighbour graph of a large collection, all in."""
    from cluster import HDBSCAN, score
    from cluster.simulate import simulate

    X, y = simulate(rows, dim=dim, seed=seed, regime="vehicle")
    base = _peak_gib()
    model, seconds, cpu = _cpu_timed(lambda: HDBSCAN(3, 3, search=search, device=device).fit(X))
    found = score(y, model.labels_)
    _say(
        {"rows": rows, "search": search, "s": seconds, "cpu_s": cpu, "peak_gib": _peak_gib(), "vectors_gib": base}
        | {"ARI": found.ARI, "bcubed_f": found.bcubed_f, "count_error": found.count_error, "noise": found.noise_share}
    )


@app.command()
def curve(most: Annotated[int, typer.Option(help="Largest number of vectors.")] = 1_000_000, dim: Dim = 64) -> None:
    """Time and peak memory of HDBSCAN and of average linkage from 1,000 rows up."""
    from cluster import HDBSCAN, AverageLinkage
    from cluster.simulate import simulate

    HDBSCAN(3, 3).fit(simulate(5000, dim=dim)[0])
    for rows in (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000):
        if rows > most:
            break
        X, _ = simulate(rows, dim=dim, regime="vehicle")
        _, seconds, cpu = _cpu_timed(partial(HDBSCAN(3, 3).fit, X))
        _say({"rows": rows, "what": "hdbscan", "s": seconds, "cpu_s": cpu, "peak_gib": _peak_gib()})
        if rows <= 100_000:
            _, seconds, cpu = _cpu_timed(partial(AverageLinkage(0.64).fit, X))
            _say({"rows": rows, "what": "average", "s": seconds, "cpu_s": cpu, "peak_gib": _peak_gib()})


if __name__ == "__main__":
    app()
