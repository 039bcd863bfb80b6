"""Stage ``startup``: every command's ``--help``, the first result of ``analyze``, and what of it is importing."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from packed_scenes.cli.commands import COMMANDS

from .inputs import Work
from .record import Found, Table

PROGRAM = ["-m", "packed_scenes"]
LIMIT = 0.5  # seconds that --help may take


def run(work: Work) -> Found:
    """Time fresh processes."""
    turns = 1 if work.tiny else 3
    helps = []
    for name in ("analyze", "evaluate") if work.tiny else ("", *COMMANDS):
        times = [_process([*PROGRAM, *filter(None, [name]), "--help"])[:2] for _ in range(turns)]
        helps.append({"command": f"packed-scenes {name} --help".replace("  ", " "), **_row(times)})
    slow = [str(row["command"]) for row in helps if row["cpu s"] > LIMIT]
    first = [_first(work, turns)]
    return Found(
        [
            Table("--help of every command", helps, f"Over {LIMIT} processor seconds: {', '.join(slow) or 'none'}."),
            Table(
                "first result of analyze on the bundled sample, a fresh process", first,
                "Importing is what `python -X importtime` adds up for all modules, in a run of its own, divided by "
                "that run's wall time; model loading is part of the rest.",
            ),
        ]
    )  # fmt: skip


def _first(work: Work, turns: int) -> dict[str, Any]:
    command = [*PROGRAM, "analyze", "--out", str(work.scratch / "first"), "--device", "cpu"]
    _process(command)  # leaves byte code and compiled networks, as the first run of an installed package does
    times = [_process(command)[:2] for _ in range(turns)]
    wall, _, messages = _process(["-X", "importtime", *command])
    own = [line.split("|")[0] for line in messages.splitlines() if line.startswith("import time:")]
    imports = sum(int(cell.split(":")[1]) for cell in own[1:]) / 1e6
    return {
        "what": "packed-scenes analyze",
        **_row(times),
        "imports s": round(imports, 3),
        "imports share": round(imports / wall, 3),
    }


def _process(arguments: list[str]) -> tuple[float, float, str]:
    """Wall and processor seconds of a Python process, and what it said on standard error.

    Byte code is cached, as pip and a first run leave it, even where the caller's environment forbids it.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment.setdefault("PYTHONPYCACHEPREFIX", str(Path(tempfile.gettempdir()) / "packed-scenes-pycache"))
    before, start = os.times(), time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True, env=environment)
    wall, after = time.perf_counter() - start, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cpu, done.stderr


def _row(times: list[tuple[float, float]]) -> dict[str, Any]:
    wall, cpu = [t[0] for t in times], [t[1] for t in times]
    return {
        "s": round(median(wall), 3), "s range": [round(min(wall), 3), round(max(wall), 3)],
        "cpu s": round(median(cpu), 3),
    }  # fmt: skip
