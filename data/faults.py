"""What had to be left out of a label file: a bad entry costs only itself, and is reported."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from packed_scenes.data.errors import InputError

_SHOWN = 5


@dataclass
class Faults:
    """Entries of one file that were left out, by reason.

    Attributes:
        file: for messages.
        good: number of boxes that were taken; whoever makes them counts.
        first: the first fault.
    """

    file: str | Path
    good: int = 0
    first: InputError | None = None
    _places: dict[str, list[str]] = field(default_factory=dict)

    def add(self, where: str, error: InputError, *, detail: str = "") -> None:
        """Leave out the entry ``where``; ``detail`` is said where it is the only one."""
        if self.first is None:
            self.first = InputError(f"{error.message}{detail}", file=error.file, remedy=error.remedy)
        self._places.setdefault(error.message.removeprefix(f"{where}: "), []).append(where)

    @property
    def count(self) -> int:
        """Number of entries left out."""
        return sum(map(len, self._places.values()))

    @contextmanager
    def entry(self, where: str) -> Iterator[None]:
        """A block that reads one entry; an ``InputError`` in it costs that entry only."""
        try:
            yield
        except InputError as error:
            self.add(where, error)

    def check(self) -> None:
        """Raise the first fault if nothing was good: then it is no fault of single entries."""
        if self.first is not None and not self.good:
            raise self.first

    def warnings(self) -> list[str]:
        """One line for each reason, with the entries."""
        return [
            f"{self.file}: {len(places)} left out: {reason} ({_list(places)})"
            for reason, places in self._places.items()
        ]


def left_out(line: str) -> tuple[str, str] | None:
    """Take (file, reason) out of a line of :meth:`Faults.warnings`; None if the line is about something else."""
    found = re.fullmatch(r"(.*?): (\d+ left out: .*)", line, re.DOTALL)
    return None if found is None else (found[1], found[2])


def entries(reason: str) -> int:
    """How many entries a reason is about: 1, if it is not one of :func:`left_out`."""
    found = re.match(r"(\d+) left out: ", reason)
    return 1 if found is None else int(found[1])


def _list(places: list[str]) -> str:
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return ", ".join(places[:_SHOWN]) + more
