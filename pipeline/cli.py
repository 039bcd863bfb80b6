"""What every command line shares: one clear line on bad input, a progress bar with the time left."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from data.errors import InputError

if TYPE_CHECKING:
    import typer

Item = TypeVar("Item")

BAD_INPUT = 2
INTERRUPTED = 130
GOES_ON = "interrupted: what was finished is kept; the same command goes on (analyze.py: with --skip-existing)"


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn bad input into one line on standard error and exit code 2, and an interrupt into exit code 130."""
    try:
        yield
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(BAD_INPUT) from error
    except KeyboardInterrupt:
        print(GOES_ON, file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None


def run(app: typer.Typer) -> None:
    """Run a typer application under :func:`clear_errors`; unforeseen errors keep their traceback."""
    with clear_errors():
        try:
            app()
        except SystemExit as end:
            if end.code == INTERRUPTED:  # typer catches the interrupt and says nothing
                print(GOES_ON, file=sys.stderr)
            raise


def track(items: Iterable[Item], *, label: str, total: int | None = None, quiet: bool = False) -> Iterator[Item]:
    """Yield items under a progress bar with rate and time left, on standard error; silent when ``quiet``."""
    if quiet:
        yield from items
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=False) as progress:
        yield from progress.track(items, total=total, description=label)


def print_json(value: Any) -> None:
    """Print one JSON value for machines on standard output."""
    print(json.dumps(value, ensure_ascii=False, allow_nan=False))


class Bar:
    """A progress bar with the time left, moved by hand; on standard error, silent when ``quiet``.

    For work that reports ``(done, total)`` itself, where :func:`track` has no loop to wrap.
    """

    def __init__(self, label: str, *, quiet: bool = False) -> None:
        from rich import progress as bars
        from rich.console import Console

        self._label = label
        self._progress = bars.Progress(
            bars.TextColumn("{task.description}"),
            bars.BarColumn(),
            bars.MofNCompleteColumn(),
            bars.TimeElapsedColumn(),
            bars.TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=quiet,
        )
        self._task = self._progress.add_task(label, total=None)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def at(self, done: int, total: int, note: str = "") -> None:
        """Show progress; the bar appears with the first call, so that an error before it stays one line."""
        self._progress.start()
        text = f"{self._label} {note}".strip()
        self._progress.update(self._task, completed=done, total=total, description=text)
