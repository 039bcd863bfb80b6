"""Measure the study's search against the libraries called one model at a time, and make its large collection.

Examples:
    uv run scripts/bench_study.py make vehicles
    uv run scripts/bench_study.py compare vehicles/embedder.npy --rows 25000 --per-family 3

``compare`` fits and scores every model of the default grid here, and some of each family with scikit-learn and
hdbscan; the libraries' time for the whole grid is the family means times the family sizes. Both score with the
silhouette of 4,096 sampled rows, Calinski-Harabasz and Davies-Bouldin. Processor seconds stand beside wall clock:
on a busy machine they mean more.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)


@app.command()
def make(
    out: Annotated[Path, typer.Argument(help="Folder for the matrices and types.npy.")],
    rows: Annotated[int, typer.Option(help="How many vehicles.", min=100)] = 416_314,
    seed: Annotated[int, typer.Option(help="Seed of everything.")] = 0,
) -> None:
    """Write four descriptors of simulated vehicles (1.5 GB at the default size) and their true types."""
    import numpy as np
    from benchmarks.simulate_vehicles import KINDS, draw_vehicles, write_descriptor

    from packed_scenes.data.files import atomic_write

    vehicles = draw_vehicles(rows, seed=seed)
    for name in KINDS:
        write_descriptor(out / f"{name}.npy", vehicles, name, seed=seed)
        typer.echo(f"{out / name}.npy")
    with atomic_write(out / "types.npy") as temporary:
        np.save(temporary, vehicles.type)


@app.command()
def compare(
    matrix: Annotated[Path, typer.Argument(help="Matrix (.npy) to take rows of.")],
    rows: Annotated[int, typer.Option(help="Rows taken at random.", min=100)] = 25_000,
    prepare: Annotated[str, typer.Option(help="Preparation.")] = "pca60+minmax",
    per_family: Annotated[int, typer.Option(help="Models of each family fitted by the libraries.", min=1)] = 3,
    seed: Annotated[int, typer.Option(help="Of the sample and the models.")] = 0,
) -> None:
    """Fit and score a grid here, and some of its models by the libraries; print one JSON line per family."""
    import numpy as np
    from sklearn.metrics import adjusted_rand_score

    from packed_scenes.cluster.preparation import Preparation
    from packed_scenes.cluster.search import Grid, Space, fit, internal_scores

    every = np.load(matrix, mmap_mode="r", allow_pickle=False)
    chosen = np.sort(np.random.default_rng(seed).choice(len(every), min(rows, len(every)), replace=False))
    X = Preparation.parse(prepare).fit_transform(every[chosen])
    models = Grid().models(len(X))
    fit(Space(X[:5000]), models[0])  # compiles, once per machine
    families: dict[str, list[Any]] = {}
    for model in models:
        families.setdefault(model.method.value, []).append(model)
    labels: dict[str, Any] = {}

    def ours() -> None:
        space = Space(X, seed=seed)
        for model in models:
            found = fit(space, model)
            internal_scores(space.X, found.labels, space.sample)
            labels[str(model)] = found

    wall, cpu = _timed(ours)
    _say({"what": "ours, whole grid", "rows": len(X), "dimensions": X.shape[1], "models": len(models), "s": wall,
          "cpu_s": cpu, "models_per_minute": 60 * len(models) / wall,
          "models_per_cpu_minute": 60 * len(models) / cpu})  # fmt: skip
    total_wall = total_cpu = 0.0
    for name, members in families.items():
        picked = members[:: max(1, -(-len(members) // per_family))]
        times, agreement = [], []
        for model in picked:
            result: list[Any] = []
            eps = labels[str(model)].eps
            times.append(
                _timed(lambda model=model, eps=eps, result=result: result.append(_library(X, model, eps, seed)))
            )
            agreement.append(adjusted_rand_score(result[0], labels[str(model)].labels))
        wall, cpu = (float(np.mean([t[at] for t in times])) for at in (0, 1))
        total_wall, total_cpu = total_wall + wall * len(members), total_cpu + cpu * len(members)
        _say({"what": f"libraries, {name}", "models": len(members), "fitted": len(picked), "s_each": wall,
              "cpu_s_each": cpu, "agreement_ARI": [round(a, 3) for a in agreement]})  # fmt: skip
    _say({"what": "libraries, whole grid", "s": total_wall, "cpu_s": total_cpu,
          "models_per_minute": 60 * len(models) / total_wall,
          "models_per_cpu_minute": 60 * len(models) / total_cpu})  # fmt: skip


def _library(X: Any, model: Any, eps: float | None, seed: int) -> Any:
    """Fit and score one model as one would without this project."""
    import hdbscan
    import numpy as np
    import sklearn.cluster
    from sklearn import metrics

    from packed_scenes.cluster.search.space import SILHOUETTE_ROWS

    given = dict(model.params)
    if model.method == "kmeans":
        labels = sklearn.cluster.KMeans(given["k"], random_state=seed).fit_predict(X)
    elif model.method == "agglomerative":
        labels = sklearn.cluster.AgglomerativeClustering(given["k"], linkage=given["linkage"]).fit_predict(X)
    elif model.method == "dbscan":
        labels = sklearn.cluster.DBSCAN(eps=eps, min_samples=given["min_samples"]).fit_predict(X)
    else:
        first = hdbscan.HDBSCAN(
            given["min_cluster_size"],
            min_samples=given["min_samples"],
            cluster_selection_method=given.get("selection", "eom"),
        )
        labels = first.fit_predict(X)
        noise = np.flatnonzero(labels < 0)
        if model.method == "two-stage" and len(noise) > 2:
            more = hdbscan.HDBSCAN(2, min_samples=1).fit_predict(X[noise])
            labels[noise[more >= 0]] = more[more >= 0] + labels.max() + 1
    kept = labels >= 0
    if 1 < len(np.unique(labels[kept])) < kept.sum():
        judged = X[kept], labels[kept]
        sample = min(SILHOUETTE_ROWS, int(kept.sum()))
        with contextlib.suppress(ValueError):  # the sample may hold one cluster, or single rows only
            metrics.silhouette_score(*judged, sample_size=sample, random_state=seed)
        metrics.calinski_harabasz_score(*judged)
        metrics.davies_bouldin_score(*judged)
    return labels


def _timed(work: Callable[[], Any]) -> tuple[float, float]:
    start, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - cpu


def _say(row: dict[str, Any]) -> None:
    row["load"] = round(os.getloadavg()[0], 1)
    typer.echo(json.dumps({k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()}))


if __name__ == "__main__":
    app()
