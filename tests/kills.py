"""Kill a piece of work at each of its steps on the disk, not at moments of the clock: every step, on any machine.

Steps are what changes files, and the statements that SQLite is told.
"""

from __future__ import annotations

import importlib
import os
import signal
import sqlite3
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.killed import content

STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.truncate"}
READS = ("SELECT", "PRAGMA synchronous", "PRAGMA foreign_keys")  # statements that change nothing


def run(work: Callable[[], Any], folder: Path, *, kill_at: int | None = None) -> bool:
    """Do some work in a forked process; True if it ended, False if it was killed.

    Args:
        work: what to do.
        folder: steps on files below it count.
        kill_at: the step before which the process is killed with SIGKILL; None = never.

    Raises:
        AssertionError: if the work failed.
    """
    child = os.fork()
    if not child:
        status = 1
        try:
            _watch(folder, kill_at)
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), f"the work failed ({status})"
    return status == 0


def _watch(folder: Path, kill_at: int | None) -> None:
    steps = 0

    def step(statement: str = "") -> None:
        nonlocal steps
        if statement.startswith(READS):
            return
        if steps == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        steps += 1

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in STEPS or not any(str(folder) in str(a) for a in arguments[:2]):
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
            return
        step()

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connected(*arguments, **options)
        connection.set_trace_callback(step)
        return connection

    connected = sqlite3.connect
    sqlite3.connect = connect  # type: ignore[assignment]
    sys.addaudithook(hook)


def killed_everywhere(work: Callable[[Path], Any], start: Callable[[Path], Any], folder: Path) -> int:
    """Kill the work at every step, do it again each time, and compare with an unbroken run.

    Args:
        work: does it in a folder, the same way each time.
        start: fills a folder with what is there before.
        folder: for both.

    Returns:
        How many steps there are.

    Raises:
        AssertionError: if a run after a kill fails, or leaves anything else than an unbroken one.
    """
    start(folder / "whole")
    modules = folder / "modules"

    def first() -> None:
        work(folder / "whole")
        modules.write_text("\n".join(sys.modules))

    assert run(first, folder)
    for name in modules.read_text().splitlines():  # or every process of a step would import them again
        with suppress(Exception):
            importlib.import_module(name)
    wanted = content(folder / "whole")
    step = 0
    while True:
        broken = folder / f"broken{step}"
        start(broken)
        if run(lambda place=broken: work(place), folder, kill_at=step):  # type: ignore[misc]
            return step
        assert run(lambda place=broken: work(place), folder)  # type: ignore[misc]
        assert content(broken) == wanted, f"killed at step {step}"
        step += 1
