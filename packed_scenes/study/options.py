"""What a study is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from packed_scenes.cluster.search.grid import Grid
from packed_scenes.data.errors import InputError

PREPARATIONS = ("pca60+minmax", "unit+pca60")


@dataclass(frozen=True)
class StudyOptions:
    """Choices of a study that do not depend on what is studied.

    Attributes:
        out: results folder.
        grid: the models of each space.
        preparations: chains such as ``pca60+minmax`` (:class:`packed_scenes.cluster.preparation.Preparation`).
        rounds: rounds of refinement around the best models of each space.
        per_round: models that a round adds in each space.
        seed: of everything.
        workers: processes that work on spaces side by side.
        fit: fit what is missing; without it, only what an earlier study into ``out`` has fitted is read.
        figures: make maps, sheets and the report, not only the tables.
    """

    out: Path
    grid: Grid = field(default_factory=Grid)
    preparations: tuple[str, ...] = PREPARATIONS
    rounds: int = 2
    per_round: int = 6
    seed: int = 0
    workers: int = 1
    fit: bool = True
    figures: bool = True

    def __post_init__(self) -> None:
        from packed_scenes.cluster.preparation import Preparation

        if self.rounds < 0 or self.per_round < 1 or self.workers < 1:
            raise InputError(
                f"rounds, models per round and workers must be 0, 1 and 1 or more, got {self.rounds}, "
                f"{self.per_round} and {self.workers}"
            )
        if not self.preparations:
            raise InputError("a study needs a preparation", remedy="Give 'none' for the descriptors as they are.")
        for text in self.preparations:
            Preparation.parse(text)
