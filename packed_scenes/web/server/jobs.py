"""Long work beside the pages: one at a time for each project, with progress and the time left."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from packed_scenes.data.errors import InputError

_log = logging.getLogger(__name__)
_numbers = count(1)


class Job:
    """Work in a thread.

    Args:
        kind: ``photos``, ``alike``, ``teach`` …
        work: does it, and reports progress through the job; what it returns is :attr:`result`.
        total: number of steps, 0 = unknown.
    """

    def __init__(self, kind: str, work: Callable[[Job], Any], *, total: int = 0) -> None:
        self.kind, self.total, self.number = kind, total, next(_numbers)
        self.stage, self.name, self.error = "", "", ""
        self.done = self._before = 0
        self.result: Any = None
        self.finished = False
        self._stop = threading.Event()
        self._start = time.monotonic()
        self._work = work
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"job-{kind}")

    def start(self) -> Job:
        """Begin."""
        self._thread.start()
        return self

    def tell(self, stage: str, name: str = "") -> None:
        """Say what is going on."""
        self.stage, self.name = stage, name

    def begin(self, stage: str, *, done: int = 0) -> None:
        """Say that another stage begins, whose time is its own; of it, so much is done already."""
        self.stage, self.name, self.done, self._start = stage, "", done, time.monotonic()
        self._before = done

    def step(self, done: int | None = None) -> None:
        """One more step is done, or so many."""
        self.done = self.done + 1 if done is None else done

    def stop(self) -> str:
        """Ask it to end; says what becomes of what is done."""
        self._stop.set()
        kept = {"photos": "It stops after this photo; what is done stays", "alike": "It stops; what was found is shown"}
        return kept.get(self.kind, "It stops; nothing has changed")

    @property
    def stopped(self) -> bool:
        """Whether it was asked to end."""
        return self._stop.is_set()

    def wait(self, seconds: float | None = None) -> None:
        """Wait for its end."""
        self._thread.join(seconds)

    def to_json(self) -> dict[str, Any]:
        """What a page shows of it."""
        spent = time.monotonic() - self._start
        left = None
        if self.total and self.done > self._before and not self.finished:
            left = round(spent / (self.done - self._before) * max(0, self.total - self.done))
        return {
            "number": self.number, "kind": self.kind, "stage": self.stage, "name": self.name, "done": self.done,
            "total": self.total,
            "left": left, "finished": self.finished, "error": self.error, "stopped": self.stopped,
            "result": self.result if self.finished else None,
        }  # fmt: skip

    def _run(self) -> None:
        try:
            self.result = self._work(self)
        except InputError as error:
            self.error = sentence(error)
        except Exception:  # a fault of the program: said, and logged whole
            _log.exception("the job %s failed", self.kind)
            self.error = "Something went wrong here; the log says more."
        finally:
            self.finished = True


def sentence(error: Exception) -> str:
    """Make an error a sentence for people."""
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
