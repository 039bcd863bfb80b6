"""The declared grid: which models a study fits in each space.

A model is a method and its parameters, written as one line of text such as ``hdbscan min_cluster_size=15
min_samples=5 selection=eom``; the text is what is stored, hashed and shown. Sizes may be a share of the rows (a
number under 1), so that one grid serves 1,000 crops and 400,000.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from itertools import product
from pathlib import Path
from typing import Any

from packed_scenes.data import InputError


class Method(StrEnum):
    """The families of models."""

    KMEANS = "kmeans"
    AGGLOMERATIVE = "agglomerative"
    DBSCAN = "dbscan"
    HDBSCAN = "hdbscan"
    TWO_STAGE = "two-stage"


Value = int | float | str
LINKAGES = ("ward", "average", "complete")
SELECTIONS = ("eom", "leaf")
SECONDS = ("hdbscan-2", "optics")
SIZE = "min_cluster_size"
OPTICS_ROWS = 4096  # OPTICS is quadratic: 11 s for 2,000 rows of noise on a busy core; left out of larger sets
MAX_SAMPLES = 32  # neighbours that the shared graph holds
MAX_SPAN = 10_000  # values that one range may stand for


@dataclass(frozen=True)
class Model:
    """One model to fit.

    Attributes:
        method: its family.
        params: (name, value) pairs in a fixed order.
    """

    method: Method
    params: tuple[tuple[str, Value], ...]

    def __str__(self) -> str:
        return " ".join([self.method.value, *(f"{name}={value}" for name, value in self.params)])

    def __getitem__(self, name: str) -> Any:
        return dict(self.params)[name]

    @classmethod
    def parse(cls, text: str) -> Model:
        """Read a model's text.

        Raises:
            InputError: if it is none.
        """
        method, *pairs = text.split()
        try:
            return cls(Method(method), tuple((name, _value(v)) for name, v in (pair.split("=", 1) for pair in pairs)))
        except ValueError as error:
            raise InputError(
                f"{text!r} is no model", remedy="Write it like 'kmeans k=7' or 'dbscan min_samples=5 knee=1.2'"
            ) from error

    def sized(self, rows: int) -> Model:
        """Return the model with its sizes as numbers of rows."""
        return Model(
            self.method,
            tuple((n, max(2, round(float(v) * rows)) if n == SIZE and float(v) < 1 else v) for n, v in self.params),
        )

    def fits(self, rows: int) -> bool:
        """Whether the model makes sense for so many rows."""
        given = dict(self.params)
        if given.get("second") == "optics" and rows > OPTICS_ROWS:
            return False
        return float(given.get("k", 0)) < rows and 2 * float(given.get(SIZE, 0)) <= rows


@dataclass(frozen=True)
class Grid:
    """Parameter lists of each family; every combination is a model. An empty list leaves the family out.

    Attributes:
        kmeans_k: numbers of clusters, reached one after the other (each start from the one before).
        agglomerative_k: numbers of clusters at which a linkage's tree is cut.
        agglomerative_linkage: ``ward``, ``average``, ``complete``.
        dbscan_min_samples: rows within eps, the row itself counted, that make a core row; 2 … 33.
        dbscan_knee: eps as multiples of the k-distance knee.
        hdbscan_min_cluster_size: smallest clusters; under 1 = share of the rows.
        hdbscan_min_samples: neighbours, the row not counted, that a core distance reaches; 1 … 32.
        hdbscan_selection: ``eom``, ``leaf``.
        two_stage_min_cluster_size: of the first pass.
        two_stage_min_samples: of the first pass.
        two_stage_second: ``hdbscan-2`` or ``optics`` (left out above ``OPTICS_ROWS`` rows).
    """

    kmeans_k: tuple[int, ...] = tuple(range(2, 26))
    agglomerative_k: tuple[int, ...] = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25)
    agglomerative_linkage: tuple[str, ...] = ("ward", "average")
    dbscan_min_samples: tuple[int, ...] = (4, 8, 16)
    dbscan_knee: tuple[float, ...] = (0.5, 0.7, 0.85, 1.0, 1.2, 1.5)
    hdbscan_min_cluster_size: tuple[float, ...] = (5, 15, 50, 0.002, 0.005, 0.01)
    hdbscan_min_samples: tuple[int, ...] = (1, 5, 15)
    hdbscan_selection: tuple[str, ...] = SELECTIONS
    two_stage_min_cluster_size: tuple[float, ...] = (5, 15, 0.005)
    two_stage_min_samples: tuple[int, ...] = (5,)
    two_stage_second: tuple[str, ...] = SECONDS

    def __post_init__(self) -> None:
        _whole("kmeans_k", self.kmeans_k, 2)
        _whole("agglomerative_k", self.agglomerative_k, 2)
        _whole("dbscan_min_samples", self.dbscan_min_samples, 2, MAX_SAMPLES + 1)
        _whole("hdbscan_min_samples", self.hdbscan_min_samples, 1, MAX_SAMPLES)
        _whole("two_stage_min_samples", self.two_stage_min_samples, 1, MAX_SAMPLES)
        for name in ("hdbscan_min_cluster_size", "two_stage_min_cluster_size"):
            for size in getattr(self, name):
                if not (0 < size < 1 or (size >= 2 and size == int(size))):
                    raise InputError(f"{name} must be a whole number from 2 or a share under 1, got {size}")
        if any(not 0 < m <= 10 for m in self.dbscan_knee):
            raise InputError(f"dbscan_knee must be multiples in (0, 10], got {list(self.dbscan_knee)}")
        _known("agglomerative_linkage", self.agglomerative_linkage, LINKAGES)
        _known("hdbscan_selection", self.hdbscan_selection, SELECTIONS)
        _known("two_stage_second", self.two_stage_second, SECONDS)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Grid:
        """Read ``{"kmeans_k": [2, 3], …}``; what is not named keeps its default, and ``"2-25"`` is a range.

        Raises:
            InputError: for an unknown name or a bad value.
        """
        known = {f.name for f in fields(cls)}
        unknown = [name for name in values if name not in known]
        if unknown:
            raise InputError(f"the grid has no {unknown[0]!r}", remedy=f"It has: {', '.join(sorted(known))}")
        return cls(**{name: tuple(_list(name, value)) for name, value in values.items()})

    @classmethod
    def from_file(cls, path: str | Path) -> Grid:
        """Read a YAML or JSON file of :meth:`from_dict`'s form.

        Raises:
            InputError: if it cannot be read or holds something else.
        """
        import yaml  # type: ignore[import-untyped]

        from packed_scenes.data.files import read_bytes

        try:
            values = yaml.safe_load(read_bytes(path, max_bytes=1 << 20, what="grid"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise InputError(f"is neither YAML nor JSON: {error}", file=path, remedy="Write it again.") from error
        if not isinstance(values, dict):
            raise InputError("must hold names and lists", file=path, remedy="Such as 'kmeans_k: 2-25'.")
        try:
            return cls.from_dict(values)
        except InputError as error:
            raise InputError(error.message, file=path, remedy=error.remedy or "Correct it.") from error

    def to_dict(self) -> dict[str, list[Value]]:
        """Return the lists for JSON."""
        return {name: list(value) for name, value in asdict(self).items()}

    def models(self, rows: int) -> list[Model]:
        """Return every model of the grid for so many rows, in the order that shares most work; each once.

        Shares become numbers of rows; models that ask for as many clusters as rows, or for clusters of more than half
        of them, are left out.
        """
        return list(dict.fromkeys(m for m in (model.sized(rows) for model in self._models()) if m.fits(rows)))

    def _models(self) -> Iterator[Model]:
        for k in sorted(self.kmeans_k):
            yield Model(Method.KMEANS, (("k", k),))
        for linkage, k in product(self.agglomerative_linkage, sorted(self.agglomerative_k)):
            yield Model(Method.AGGLOMERATIVE, (("linkage", linkage), ("k", k)))
        for samples, multiple in product(sorted(self.dbscan_min_samples), sorted(self.dbscan_knee)):
            yield Model(Method.DBSCAN, (("min_samples", samples), ("knee", multiple)))
        for samples, size, selection in product(
            sorted(self.hdbscan_min_samples), self.hdbscan_min_cluster_size, self.hdbscan_selection
        ):
            yield Model(
                Method.HDBSCAN, (("min_cluster_size", size), ("min_samples", samples), ("selection", selection))
            )
        for samples, size, second in product(
            sorted(self.two_stage_min_samples), self.two_stage_min_cluster_size, self.two_stage_second
        ):
            yield Model(Method.TWO_STAGE, (("min_cluster_size", size), ("min_samples", samples), ("second", second)))


def _value(text: str) -> Value:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _list(name: str, value: Any) -> list[Any]:
    if isinstance(value, str) and (span := re.fullmatch(r"(\d{1,9})-(\d{1,9})", value, re.ASCII)):
        low, high = map(int, span.groups())
        if high - low >= MAX_SPAN:
            raise InputError(f"{name} has more than {MAX_SPAN:,} values, got {value}")
        return list(range(low, high + 1))
    if value is None:
        return []
    items = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(item, bool) or not isinstance(item, int | float | str) for item in items):
        raise InputError(f"{name} must be a list of numbers or names, got {value!r}")
    return list(items)


def _whole(name: str, values: tuple[Any, ...], low: int, high: float = float("inf")) -> None:
    for value in values:
        if not isinstance(value, int) or not low <= value <= high:
            raise InputError(f"{name} must hold whole numbers from {low} to {high}, got {value!r}")


def _known(name: str, values: tuple[str, ...], known: tuple[str, ...]) -> None:
    for value in values:
        if value not in known:
            raise InputError(f"{name} has no {value!r}", remedy=f"Choose from: {', '.join(known)}")
