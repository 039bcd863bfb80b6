"""How to count, and what a count found, with its evidence."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.counting import Curve, Progress


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to count.

    Attributes:
        embedder: a descriptor's name or weights file.
        threshold: cosine distance of the plain clustering; None = decided from the set itself.
        target: half the interval over the count at which the asking ends.
        device, seed: of everything.
    """

    embedder: str = "default"
    threshold: float | None = None
    target: float = 0.1
    device: str = "auto"
    seed: int = 0


@dataclass
class Count:
    """What was found.

    Attributes:
        folder: of the crops. paths: (N,) their files. names: (N,) relative to the folder.
        vectors: (N, D) float32. labels: (N,) clusters by size. probability: (N,).
        plain: clusters with nothing asked; ``plain_threshold`` is where they part. threshold: the one of ``labels``.
        expected: BCubed F to be expected of the plain clusters, NaN where it is not known.
        unvetted: the interval without any answer.
        curve: count against threshold. asked: answers and the estimate; None if nothing was asked.
        count, low, high: the result and its interval. method: ``vetted pairs`` or ``decision``.
        pairs: answers given. errors: (file, reason) left out. warnings: one line each.
        seconds: per stage. weights: hash or key of the embedder. options: as asked for.
    """

    folder: Path
    paths: list[Path]
    names: list[str]
    vectors: npt.NDArray[np.float32]
    options: Options
    curve: Curve
    plain: int
    plain_threshold: float
    expected: float
    unvetted: tuple[int, int]
    labels: npt.NDArray[np.int64]
    probability: npt.NDArray[np.float32]
    threshold: float
    count: float
    low: float
    high: float
    method: str
    asked: Progress | None = None
    pairs: int = 0
    card: dict[str, Any] = field(default_factory=dict)
    errors: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    simple: dict[str, Any] = field(default_factory=dict)

    def sentence(self) -> str:
        """The result in words."""
        low, high = self.interval
        return f"there are about {round(self.count):,} different ones, between {low:,} and {high:,}"

    @property
    def interval(self) -> tuple[int, int]:
        """The limits as whole numbers, the low one rounded down and the high one up."""
        return math.floor(self.low), math.ceil(self.high)

    def evidence(self) -> list[str]:
        """What the result rests on, one line each."""
        plateau = self.curve.plateau()
        low, high = self.unvetted
        lines = [f"plain clustering: {self.plain:,} clusters at a cosine distance of {self.plain_threshold:.3f}"]
        if plateau is None:
            lines.append("the count has no stable range of the threshold")
        else:
            span = f"from {plateau.low:.2f} to {plateau.high:.2f}"
            lines.append(f"stable range of the threshold: {plateau.most:,} to {plateau.fewest:,} clusters {span}")
        lines.append(f"without any answer: between {low:,} and {high:,}")
        if self.asked is not None and self.asked.estimate is not None:
            e = self.asked.estimate
            lines.append(f"{self.pairs:,} answers about {e.items} sampled crops: {e.count:,.0f} ± {e.error:,.0f}")
        else:
            lines.append("answer some pairs for a smaller interval: --ask browser")
        for name, route in self.simple.items():
            lines.append(f"{name.replace('_', ' ')}: {route['count']:,}")
        return lines

    def to_json(self) -> dict[str, Any]:
        """The result with its evidence, as JSON values."""
        from packed_scenes.cluster.counting.estimate import LEVEL as ANSWERED
        from packed_scenes.cluster.decision.counting import LEVEL

        plateau = self.curve.plateau()
        estimate = self.asked.estimate if self.asked else None
        return {
            "count": round(self.count),
            "interval": list(self.interval),
            "level": LEVEL if estimate is None else ANSWERED,
            "method": self.method,
            "files": len(self.paths),
            "left_out": len(self.errors),
            "clusters_written": int(self.labels.max(initial=-1)) + 1,
            "pairs_vetted": self.pairs,
            "evidence": {
                "plain": {
                    "count": self.plain,
                    "threshold": round(self.plain_threshold, 4),
                    "expected_bcubed_f": None if math.isnan(self.expected) else round(self.expected, 3),
                },
                "plateau": None if plateau is None else asdict(plateau) | {"count": plateau.count},
                "decision": {"interval": list(self.unvetted)},
                "vetted": None if estimate is None else {k: round(v, 3) for k, v in asdict(estimate).items()},
            },
            "simple": self.simple,
            "warnings": self.warnings,
        }
