"""Timing that holds on a machine whose speed drifts: the jobs take turns, and ratios are taken turn by turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass
class Timed:
    """Wall and processor seconds of every turn of one job; ``result`` is what the last turn returned."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    result: Any = None

    def add(self, work: Callable[[], Any]) -> Any:
        """Run once more and keep the times."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.result = work()
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)
        return self.result

    @property
    def seconds(self) -> float:
        """The median wall time."""
        return median(self.wall)

    def row(self) -> dict[str, Any]:
        """The columns of a table: median wall seconds with their range, median processor seconds, turns."""
        if not self.wall:
            return {}
        return {
            "s": round(self.seconds, 6),
            "s range": [round(min(self.wall), 6), round(max(self.wall), 6)],
            "cpu s": round(median(self.cpu), 6),
            "turns": len(self.wall),
        }


def take_turns(jobs: Mapping[str, Callable[[], Any]], *, turns: int, warm: int = 1) -> dict[str, Timed]:
    """Run every job ``warm`` times unmeasured, then all of them in turns: A B C A B C …

    A drift of the machine's speed then hits all jobs alike, and :func:`ratio` stays true.
    """
    timed = {name: Timed() for name in jobs}
    for _ in range(warm):
        for work in jobs.values():
            work()
    for _ in range(turns):
        for name, work in jobs.items():
            timed[name].add(work)
    return timed


def ratio(slow: Timed, fast: Timed, *, cpu: bool = False) -> dict[str, Any]:
    """How many times longer ``slow`` took, turn by turn: median and range."""
    pairs = zip(slow.cpu, fast.cpu, strict=True) if cpu else zip(slow.wall, fast.wall, strict=True)
    values = [a / b for a, b in pairs if b > 0]
    if not values:
        return {}
    return {"x": round(median(values), 2), "x range": [round(min(values), 2), round(max(values), 2)]}
