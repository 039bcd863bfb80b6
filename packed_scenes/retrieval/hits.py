"""What a search finds: one object, and the answer to one query."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Hit:
    """One object found.

    Attributes:
        distance: cosine distance to the query, 0 = the same direction.
        object_id: its number in the catalogue, or its row in the run.
        scene: where it stands.
        xyxy: its box in the scene's pixels, origin top-left, x2 and y2 exclusive.
        identity: whose it is; None for noise of a run.
        name: what the user calls it, or None.
    """

    distance: float
    object_id: int
    scene: str
    xyxy: tuple[float, float, float, float]
    identity: int | None
    name: str | None = None


@dataclass(frozen=True)
class Answer:
    """What was found for one query.

    Attributes:
        identity: the known identity it belongs to; None = it is new.
        name: what the user calls that identity, or None.
        distance: cosine distance to the nearest object, 1 if there is none.
        hits: the nearest objects, best first.
    """

    identity: int | None
    name: str | None
    distance: float
    hits: tuple[Hit, ...]

    @property
    def is_new(self) -> bool:
        """Whether it is like nothing known."""
        return self.identity is None

    def to_json(self) -> dict[str, Any]:
        """Return the answer as JSON values."""
        return asdict(self) | {"new": self.is_new}
