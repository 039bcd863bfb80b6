"""The models of one space: prepared, fitted, scored, one row after the other."""

from __future__ import annotations

import hashlib
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.labels import Labels
from packed_scenes.cluster.preparation import Preparation
from packed_scenes.cluster.search.fitting import Fitted, fit
from packed_scenes.cluster.search.grid import Grid, Model
from packed_scenes.cluster.search.null_reference import Reference, reference
from packed_scenes.cluster.search.refining import refine
from packed_scenes.cluster.search.scores import internal_scores
from packed_scenes.cluster.search.space import Space
from packed_scenes.data.files import write_json
from packed_scenes.data.text import load_json
from packed_scenes.study.labelstore import LabelStore
from packed_scenes.study.ledger import NAN, Row, model_key

BEST = 6  # models that a round of refinement steps away from
AMI_CELLS = 2_000_000  # clusters x true groups up to which the expected mutual information takes no more than seconds


@dataclass(frozen=True)
class Task:
    """All models of one descriptor under one preparation.

    Attributes:
        descriptor: its name.
        content: hash of what it was made from.
        file: .npy with its (N, D) matrix.
        preparation: the chain.
        prepared: folder of prepared matrices.
        labels: folder of labels.
        grid: models of round 0.
        rounds, per_round: refinement.
        seed: of everything.
        truth: .npy with (N,) int64, -1 = unknown; or None.
        done: rows that exist already.
    """

    descriptor: str
    content: str
    file: Path
    preparation: str
    prepared: Path
    labels: Path
    grid: Grid
    rounds: int
    per_round: int
    seed: int
    truth: Path | None
    done: tuple[Row, ...]


def prepared_file(folder: Path, content: str, preparation: str) -> Path:
    """Where a space's matrix lies."""
    return folder / f"{hashlib.sha256(f'{content}|{preparation}'.encode()).hexdigest()[:16]}.npy"


def prepare(task: Task) -> npt.NDArray[np.float32]:
    """Return the space's matrix, mapped; made once, with what the preparation found beside it."""
    file = prepared_file(task.prepared, task.content, task.preparation)
    about = file.with_suffix(".json")
    if not (file.is_file() and about.is_file()):
        steps = Preparation.parse(task.preparation)
        steps.fit_transform(np.load(task.file, mmap_mode="r", allow_pickle=False), out=file)
        write_json(about, steps.summary())
    mapped: npt.NDArray[np.float32] = np.load(file, mmap_mode="r", allow_pickle=False)
    return mapped


def work(task: Task) -> Iterator[Row]:
    """Fit and score what is not done yet. Labels are on disk before a row is given."""
    X = prepare(task)
    done = {row.key: row for row in task.done}
    space: Space | None = None
    truth = None if task.truth is None else np.load(task.truth, allow_pickle=False)
    store = LabelStore(task.labels)
    rows: list[Row] = []
    models = task.grid.models(len(X))
    for number in range(task.rounds + 1):
        if number:
            models = _next_round(rows, reference_of(task, X), number, len(X), task.per_round)
        for model in models:
            key = model_key(task.content, task.preparation, model, task.seed)
            if key in done:
                rows.append(done[key])
                continue
            space = space or Space(X, seed=task.seed)
            found = fit(space, model)
            row = _score(task, space, model, key, number, found, truth)
            store.write(key, found.labels)
            rows.append(row)
            yield row


def reference_of(task: Task, X: npt.NDArray[np.float32]) -> Reference:
    """Return the silhouettes of the space where there is nothing to find; made once."""
    file = prepared_file(task.prepared, task.content, task.preparation).with_suffix(".reference.json")
    if not file.is_file():
        write_json(file, asdict(reference(X, seed=task.seed)))
    known = load_json(file.read_text())
    return Reference(tuple(known["clusters"]), tuple(known["silhouette"]))


def _next_round(rows: list[Row], zero: Reference, number: int, count: int, most: int) -> list[Model]:
    """The round's models follow from the rows before it alone, so a study that goes on finds the same ones."""
    candidates = [(row.candidate(zero), row) for row in rows]
    best = sorted((c for c in candidates if not c[0].fault), key=lambda c: (-c[0].quality, c[0].key))[:BEST]
    return refine(
        [Model.parse(row.model) for _, row in best], {row.model for row in rows}, rows=count, count=most,
        round_number=number,
    )  # fmt: skip


def _score(task: Task, space: Space, model: Model, key: str, number: int, found: Fitted, truth: Labels | None) -> Row:
    shared = space.shared_seconds
    sample = space.sample
    shared = space.shared_seconds - shared
    start = time.perf_counter()
    inside = internal_scores(space.X, found.labels, sample)
    against = _against_truth(found.labels, truth)
    return Row(
        key=key,
        round=number,
        descriptor=task.descriptor,
        preparation=task.preparation,
        dimensions=space.X.shape[1],
        method=model.method.value,
        model=str(model),
        seed=task.seed,
        rows=len(space),
        clusters=inside.clusters,
        noise=inside.noise,
        largest=inside.largest,
        alone=inside.alone,
        silhouette=inside.silhouette,
        silhouette_rms=inside.silhouette_rms,
        silhouette_rows=inside.silhouette_rows,
        silhouette_rule="all rows" if sample.whole else f"sample of {len(sample.rows)}",
        calinski_harabasz=inside.calinski_harabasz,
        davies_bouldin=inside.davies_bouldin,
        inertia=inside.inertia,
        **against,
        seconds=found.seconds,
        shared_seconds=found.shared_seconds + shared,
        score_seconds=time.perf_counter() - start,
        memory_mib=_peak_mib(),
        note=found.note,
    )


def _against_truth(labels: Labels, truth: Labels | None) -> dict[str, Any]:
    from packed_scenes.cluster.metrics import score

    if truth is None:
        return {"ari": NAN, "ami": NAN, "bcubed_f": NAN, "clusters_true": 0}
    known = truth >= 0
    groups = int(labels.max(initial=0)) + 1 + int((labels[known] < 0).sum())
    found = score(truth[known], labels[known], ami=groups * (int(truth.max()) + 1) <= AMI_CELLS)
    ami = NAN if found.AMI is None else found.AMI
    return {"ari": found.ARI, "ami": ami, "bcubed_f": found.bcubed_f, "clusters_true": found.k_true}


def _peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak / (2**20 if sys.platform == "darwin" else 2**10))
