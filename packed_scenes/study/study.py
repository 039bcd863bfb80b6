"""One study from the collection to the results folder; whatever is there already is not done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from packed_scenes.cluster.search.choosing import Candidate, Choice, choose, finalists
from packed_scenes.cluster.search.grid import Model
from packed_scenes.cluster.search.null_reference import Reference
from packed_scenes.cluster.search.stable import stability
from packed_scenes.data.errors import InputError
from packed_scenes.data.files import atomic_write, write_csv, write_json
from packed_scenes.data.text import load_json
from packed_scenes.provenance import command_line, machine, versions
from packed_scenes.study.collection import Collection
from packed_scenes.study.labelstore import LabelStore
from packed_scenes.study.ledger import Ledger, Row, space_name
from packed_scenes.study.options import StudyOptions
from packed_scenes.study.work import Task, prepare, prepared_file, reference_of
from packed_scenes.study.workers import work_all

Track = Callable[[Iterable[Any], str, int], Iterator[Any]]


@dataclass(frozen=True)
class StudyResult:
    """A finished study.

    Attributes:
        out: results folder.
        collection: what was studied.
        rows: every scored model, in the order of the table.
        choices: finalists, the winner first; empty if every model is out of the running.
        references: silhouettes of each space where there is nothing to find.
        seconds: wall time of this call up to here.
        fitted: models that this call fitted.
        fit_seconds: wall time of fitting and scoring in this call.
    """

    out: Path
    collection: Collection
    rows: tuple[Row, ...]
    choices: tuple[Choice, ...]
    references: Mapping[str, Reference]
    seconds: float
    fitted: int
    fit_seconds: float

    def row(self, key: str) -> Row:
        """The row of a model."""
        return next(row for row in self.rows if row.key == key)

    def candidate(self, row: Row) -> Candidate:
        """What the rule sees of a row."""
        return row.candidate(self.references.get(row.space))

    @property
    def winner(self) -> Row | None:
        """The row of the first choice."""
        return self.row(self.choices[0].candidate.key) if self.choices else None

    @property
    def true_best(self) -> Row | None:
        """The row with the best ARI; None without truth."""
        scored = [row for row in self.rows if row.ari == row.ari]
        return max(scored, key=lambda row: (row.ari, row.key), default=None)


@dataclass(frozen=True)
class Earlier:
    """What an earlier study covered: its descriptors and preparations."""

    descriptors: tuple[str, ...]
    preparations: tuple[str, ...]


def earlier_study(out: Path) -> Earlier | None:
    """What the study in a folder covered, by its record; None if none is finished there."""
    record = _read_known(out / "run.json")
    try:
        descriptors = tuple(str(one["name"]) for one in record["descriptors"])
        return Earlier(descriptors, tuple(map(str, record["options"]["preparations"])))
    except (KeyError, TypeError):
        return None


def run_study(collection: Collection, options: StudyOptions, *, track: Track | None = None) -> StudyResult:
    """Fit what is missing, name a winner, write the tables.

    Args:
        collection: from :func:`packed_scenes.study.gather`.
        options: see there.
        track: wraps the loop over models (items, label, total) for a progress bar.

    Raises:
        InputError: if the results folder holds another study's rows or cannot be written.
    """
    start = time.monotonic()
    out = options.out
    ledger = Ledger(out / "scores.csv")
    truth = _write_truth(out, collection)
    tasks = _tasks(collection, options, ledger, truth)
    total = sum(_planned(task, collection.rows) for task in tasks)
    before = len(ledger)
    found: Iterable[Row] = work_all(tasks, workers=options.workers) if options.fit else ()
    for row in found if track is None or not options.fit else track(found, "models", total):
        ledger.add(row)
    fit_seconds = time.monotonic() - start
    mine = {(d.name, p) for d in collection.descriptors for p in options.preparations}
    rows = tuple(row for row in ledger if (row.descriptor, row.preparation) in mine)
    if not rows and not options.fit:
        raise InputError("holds no model of these descriptors", file=out, remedy="Run the study first, without --show.")
    references = {space_name(t.descriptor, t.preparation): reference_of(t, prepare(t)) for t in tasks}
    choices = _choose(collection, options, rows, references)
    ledger.write_parquet(out / "scores.parquet")
    result = StudyResult(
        out, collection, rows, tuple(choices), references, time.monotonic() - start, len(ledger) - before, fit_seconds
    )
    if result.winner is not None:
        write_best(result, LabelStore(out / "labels"))
    _write_run(result, options)
    return result


def write_best(result: StudyResult, store: LabelStore) -> None:
    """Write best_clustering.csv: path (or row number), label, model."""
    winner = result.winner
    assert winner is not None
    labels = store.read(winner.key)
    name = f"{winner.descriptor} {winner.preparation} {winner.model}"
    paths = result.collection.paths
    first: Iterable[Any] = paths if paths else range(len(labels))
    lines = ((item, label, name) for item, label in zip(first, labels.tolist(), strict=True))
    write_csv(result.out / "best_clustering.csv", chain([("path" if paths else "row", "label", "model")], lines))


def prepared_of(result: StudyResult, row: Row) -> Path:
    """Where the matrix of a row's space lies."""
    content = next(d.content for d in result.collection.descriptors if d.name == row.descriptor)
    return prepared_file(result.out / "prepared", content, row.preparation)


def _tasks(collection: Collection, options: StudyOptions, ledger: Ledger, truth: Path | None) -> list[Task]:
    return [
        Task(
            descriptor=one.name, content=one.content, file=one.file, preparation=preparation,
            prepared=options.out / "prepared", labels=options.out / "labels", grid=options.grid,
            rounds=options.rounds, per_round=options.per_round, seed=options.seed, truth=truth,
            done=tuple(r for r in ledger if r.descriptor == one.name and r.preparation == preparation),
        )
        for one in collection.descriptors for preparation in options.preparations
    ]  # fmt: skip


def _planned(task: Task, rows: int) -> int:
    return max(0, len(task.grid.models(rows)) + task.rounds * task.per_round - len(task.done))


def _choose(
    collection: Collection, options: StudyOptions, rows: tuple[Row, ...], references: Mapping[str, Reference]
) -> list[Choice]:
    """Name the finalists, look how stable they are (kept, a resumed study does not look again), order them."""
    finals = finalists(row.candidate(references[row.space]) for row in rows)
    by_key = {row.key: row for row in rows}
    file = options.out / "stability.json"
    known: dict[str, float] = _read_known(file)
    missing = [one for one in finals if one.key not in known]
    for space in dict.fromkeys(one.space for one in missing):
        here = [by_key[one.key] for one in missing if one.space == space]
        content = next(d.content for d in collection.descriptors if d.name == here[0].descriptor)
        X = np.load(prepared_file(options.out / "prepared", content, here[0].preparation), mmap_mode="r")
        values = stability(X, [Model.parse(row.model) for row in here], seed=options.seed)
        known |= dict(zip((row.key for row in here), values, strict=True))
        write_json(file, known)
    return choose(finals, known)


def _read_known(file: Path) -> dict[str, Any]:
    try:
        known = load_json(file.read_text())
        return known if isinstance(known, dict) else {}
    except (OSError, ValueError):
        return {}


def _write_truth(out: Path, collection: Collection) -> Path | None:
    if collection.truth is None:
        return None
    with atomic_write(out / "truth.npy") as temporary:
        np.save(temporary, collection.truth)
    return out / "truth.npy"


def _write_run(result: StudyResult, options: StudyOptions) -> None:
    winner, best = result.winner, result.true_best
    if result.collection.failed:
        write_csv(result.out / "errors.csv", [("file", "reason"), *result.collection.failed])
    settings = asdict(replace(options, out=Path(options.out.name))) | {"grid": options.grid.to_dict()}
    write_json(
        result.out / "run.json",
        {
            "command": command_line(),
            "options": settings | {"out": str(options.out.name)},
            "versions": versions(),
            "machine": machine(),
            "descriptors": [
                {"name": d.name, "content": d.content, "columns": d.columns, "card": d.card}
                for d in result.collection.descriptors
            ],
            "rows": result.collection.rows,
            "failed": len(result.collection.failed),
            "models": len(result.rows),
            "fitted_now": result.fitted,
            "seconds": round(result.seconds, 2),
            "fit_seconds": round(result.fit_seconds, 2),
            "winner": None if winner is None else row_json(winner),
            "stability": {c.candidate.key: c.stability for c in result.choices},
            "best_by_truth": None if best is None else row_json(best),
        },
    )


def row_json(row: Row) -> dict[str, Any]:
    """A row as JSON values; undefined scores are null."""
    return {k: None if isinstance(v, float) and v != v else v for k, v in asdict(row).items()}
