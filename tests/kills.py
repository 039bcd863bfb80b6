"""Kill a piece of work at each of its steps on the disk, not at moments of the clock: every step, on any machine."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.truncate"}


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
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), f"the work failed ({status})"
    return status == 0


def _watch(folder: Path, kill_at: int | None) -> None:
    steps = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal steps
        if event not in STEPS or not any(str(folder) in str(a) for a in arguments[:2]):
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
            return
        if steps == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        steps += 1

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
    assert run(lambda: work(folder / "whole"), folder)
    wanted = _content(folder / "whole")
    step = 0
    while True:
        broken = folder / f"broken{step}"
        start(broken)
        if run(lambda place=broken: work(place), folder, kill_at=step):  # type: ignore[misc]
            return step
        assert run(lambda place=broken: work(place), folder)  # type: ignore[misc]
        assert _content(broken) == wanted, f"killed at step {step}"
        step += 1


def _content(folder: Path) -> dict[str, bytes | None]:
    """Every file and folder; of links, where they lead."""
    found: dict[str, bytes | None] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = str(path.readlink()).encode()
        else:
            found[name] = path.read_bytes() if path.is_file() else None
    return found
