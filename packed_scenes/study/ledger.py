"""The table of scored models: one line per model, safe on disk before the next is fitted.

A line is appended and synced; a line that was only partly written is cut off when the table is opened again, so a study
goes on where it stood. The table is read whole: a thousand models are a few hundred kilobytes.
"""

from __future__ import annotations

import csv
import hashlib
import math
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from packed_scenes.cluster.search.choosing import Candidate
from packed_scenes.cluster.search.grid import Model
from packed_scenes.cluster.search.null_reference import Reference
from packed_scenes.data.cells import csv_text, from_cell
from packed_scenes.data.errors import InputError
from packed_scenes.data.files import atomic_write

VERSION = "2"  # of fitting and scoring: raise it when either changes, and old rows are not taken for new ones
NAN = float("nan")


@dataclass(frozen=True)
class Row:
    """One model, fitted and scored. Scores that are not defined are NaN (empty in the table).

    Attributes:
        key: what it was made from: descriptor content, preparation, model, seed, version.
        round: 0 = the declared grid, 1, 2, … = refinement.
        descriptor, preparation, dimensions: the space.
        method, model: the family and the model's text.
        seed, rows: of the fit.
        clusters, noise, largest, alone: see :class:`packed_scenes.cluster.search.InternalScores`.
        silhouette, silhouette_rms, silhouette_rows: the same; ``silhouette_rule`` says what was judged.
        calinski_harabasz, davies_bouldin, inertia: the same.
        ari, ami, bcubed_f, clusters_true: against truth, noise as singletons.
        seconds: of the fit alone; ``shared_seconds`` of work it was the first to need; ``score_seconds`` of scoring.
        memory_mib: the process's peak so far.
        note: what differs from what was asked.
    """

    key: str
    round: int
    descriptor: str
    preparation: str
    dimensions: int
    method: str
    model: str
    seed: int
    rows: int
    clusters: int
    noise: float
    largest: float
    alone: float
    silhouette: float
    silhouette_rms: float
    silhouette_rows: int
    silhouette_rule: str
    calinski_harabasz: float
    davies_bouldin: float
    inertia: float
    ari: float
    ami: float
    bcubed_f: float
    clusters_true: int
    seconds: float
    shared_seconds: float
    score_seconds: float
    memory_mib: float
    note: str

    def __post_init__(self) -> None:
        # Six digits, here and in the table: a study that goes on decides by the same numbers.
        for name, kind in _KINDS.items():
            if kind is float:
                object.__setattr__(self, name, float(f"{getattr(self, name):.6g}"))

    @property
    def space(self) -> str:
        """Descriptor and preparation."""
        return space_name(self.descriptor, self.preparation)

    @property
    def sampled(self) -> bool:
        """Whether silhouettes judge a sample."""
        return self.silhouette_rule != "all rows"

    @property
    def judged(self) -> float:
        """The silhouette that the rule reads."""
        return self.silhouette_rms if self.sampled else self.silhouette

    @property
    def fault(self) -> str:
        """Why the model is out of the running; empty if it is in."""
        return self.candidate(None).fault

    def candidate(self, reference: Reference | None) -> Candidate:
        """The figures by which the rule names a winner, given the silhouettes of the null reference of the space."""
        zero = 0.0 if reference is None else reference.at(self.clusters)
        return Candidate(self.key, self.space, self.rows, self.clusters, self.noise, self.largest, self.judged, zero)


COLUMNS = [field.name for field in fields(Row)]
_KINDS = {field.name: {"int": int, "float": float, "str": str}[str(field.type)] for field in fields(Row)}


def space_name(descriptor: str, preparation: str) -> str:
    """Name a space for people."""
    return f"{descriptor} · {preparation}"


def model_key(content: str, preparation: str, model: Model, seed: int) -> str:
    """Return the key of a model: 16 hexadecimal digits."""
    return hashlib.sha256(f"{VERSION}|{content}|{preparation}|{model}|{seed}".encode()).hexdigest()[:16]


class Ledger:
    """The rows of a study on disk.

    Args:
        path: scores.csv; made if absent.

    Raises:
        InputError: if the file is no table of scores, or cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.rows: dict[str, Row] = {}
        if self.path.is_file() and self.path.stat().st_size:
            self._read()
        else:
            self._append(COLUMNS)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows.values())

    def __contains__(self, key: str) -> bool:
        return key in self.rows

    def add(self, row: Row) -> None:
        """Append a row and wait until the disk has it."""
        self._append([_text(value) for value in asdict(row).values()])
        self.rows[row.key] = row

    def write_parquet(self, path: str | Path) -> None:
        """Write all rows as Parquet, whole or not at all."""
        import pandas as pd

        with atomic_write(path) as temporary, temporary.open("wb") as sink:
            pd.DataFrame([asdict(row) for row in self], columns=COLUMNS).to_parquet(sink, index=False)

    def _append(self, values: list[str]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "ab") as file:
                file.write(csv_text([values]).encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise InputError(
                f"cannot be written ({error.strerror})", file=self.path, remedy="Free space or choose another --out."
            ) from error

    def _read(self) -> None:
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        lines = list(csv.reader(content[:whole].decode("utf-8", "replace").splitlines()))
        if whole and (not lines or lines[0] != COLUMNS):
            raise InputError(
                "is no table of this version's scores", file=self.path, remedy="Choose another --out for a new study."
            )
        end = whole
        for line in lines[1:]:
            row = _parse(line)
            if row is None:
                raise InputError(
                    f"line {lines.index(line) + 1} cannot be read", file=self.path, remedy="Remove that line."
                )
            self.rows[row.key] = row
        if end < len(content):
            with open(self.path, "r+b") as file:  # the line that was only partly written
                file.truncate(end)
        if not whole:
            self._append(COLUMNS)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return str(value)


def _parse(line: list[str]) -> Row | None:
    if len(line) != len(COLUMNS):
        return None
    cells = dict(zip(COLUMNS, map(from_cell, line), strict=True))
    try:
        values = {n: NAN if v == "" and _KINDS[n] is float else _KINDS[n](v) for n, v in cells.items()}
    except ValueError:
        return None
    return Row(**values)  # type: ignore[arg-type]
