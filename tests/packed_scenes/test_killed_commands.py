"""Whole commands killed at random moments; ``scripts/kill.py`` does all of them, 20 times each."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.killed import same

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "kill.py"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_and_done_again(tmp_path):
    # in a process of its own: it forks, and the threads of this one's networks would not follow
    command = [sys.executable, str(SCRIPT), "analyze", "catalogue undo", "--trials", "3", "--json"]
    done = subprocess.run(
        [*command, "--keep", str(tmp_path)], capture_output=True, text=True, cwd=SCRIPT.parents[1], timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [(one["command"], one["trials"], one["failed"]) for one in outcomes] == [
        ("analyze", 3, []), ("catalogue undo", 3, []),
    ]  # fmt: skip


def test_what_two_unbroken_runs_agree_on_decides():
    one, two = {"a": [1, 5], "b": b"x", "seconds": 1}, {"a": [1, 6], "b": b"x", "seconds": 1}
    assert same({"a": [1, 9], "b": b"x", "seconds": 3}, one, two)
    assert not same({"a": [2, 5], "b": b"x"}, one, two)
    assert not same({"a": [1], "b": b"x"}, one, two)
    assert not same({"a": [1, 5]}, one, two)
    assert not same({"a": [1, 5], "b": b"x", "left": b""}, one, two)
