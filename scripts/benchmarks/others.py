"""Stages that are commands of their own, because each takes minutes: ``memory`` and ``study``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from packed_scenes.data.errors import InputError

from .inputs import Work
from .record import Found, Table

SCRIPTS = Path(__file__).resolve().parents[1]


def memory(work: Work) -> Found:
    """Memory over a thousand scenes, by ``scripts/bench_batch.py memory``."""
    few = ["--scenes", "4", "--every", "2"] if work.tiny else []
    return _command("memory and time over the scenes of one run", "bench_batch.py", "memory", *few)


def study(work: Work) -> Found:
    """Many models of clustering beside the libraries, by ``scripts/bench_study.py``, on the simulated vehicles."""
    matrix = work.scratch / "vehicles"
    count = str(work.rows or (400 if work.tiny else 25_000))
    _command("", "bench_study.py", "make", str(matrix), "--rows", count)
    few = ["--per-family", "1"] if work.tiny else []
    return _command(
        "hundreds of models, ours beside the libraries one at a time", "bench_study.py", "compare",
        str(matrix / "embedder.npy"), "--rows", count, *few,
    )  # fmt: skip


def _command(title: str, name: str, *arguments: str) -> Found:
    """Run a command that prints one JSON object a line, and show them as tables, one per set of columns."""
    path = SCRIPTS / name
    if not path.is_file():
        return Found(skipped=[f"scripts/{name} is not here"])
    done = subprocess.run([sys.executable, str(path), *arguments], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise InputError(f"scripts/{name} ended with exit code {done.returncode}", remedy="See its message above.")
    kinds: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for line in done.stdout.splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            plain = {k: v for k, v in row.items() if isinstance(v, str | int | float)}
            kinds.setdefault(tuple(plain), []).append(plain)
    note = f"By scripts/{name} {arguments[0]}."
    return Found([Table(title, rows, note) for rows in kinds.values()])
