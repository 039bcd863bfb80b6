"""Stages that are commands of their own, because each takes minutes: ``memory`` and ``study``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from data.errors import InputError

from .inputs import Work
from .record import Found, Table

SCRIPTS = Path(__file__).resolve().parents[1]


def memory(work: Work) -> Found:
    """Memory over a thousand scenes, by ``scripts/bench_batch.py``."""
    return _command("bench_batch.py", work)


def study(work: Work) -> Found:
    """Many models of clustering over several descriptors, by ``scripts/bench_study.py``."""
    return _command("bench_study.py", work)


def _command(name: str, work: Work) -> Found:
    """Run a command with ``--json`` and show what it prints as tables."""
    path = SCRIPTS / name
    if not path.is_file():
        return Found(skipped=[f"scripts/{name} is not here"])
    done = subprocess.run([sys.executable, str(path), "--json"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise InputError(f"scripts/{name} ended with exit code {done.returncode}", remedy="See its message above.")
    rows = []
    for line in done.stdout.splitlines():
        try:
            value: Any = json.loads(line)
        except ValueError:
            continue
        rows += value if isinstance(value, list) else [value]
    flat = [{k: v for k, v in row.items() if isinstance(v, str | int | float)} for row in rows if isinstance(row, dict)]
    return Found([Table(f"scripts/{name}", flat)])
