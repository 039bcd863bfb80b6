"""The fuzzer's command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "fuzz.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)


@pytest.mark.slow
def test_a_few_files_and_one_alone() -> None:
    done = run("--count", "40", "--seed", "3", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["cases"] == 40
    assert report["findings"] == []
    assert run("--seed", "3", "--only", "7").stdout.split(": ")[1].strip() in ("read", "refused")
    assert run("--count", "0").returncode == 2
