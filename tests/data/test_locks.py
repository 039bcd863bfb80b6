"""Two processes at one folder, and what a killed one leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from packed_scenes.data import InputError
from packed_scenes.data.files import atomic_write, write_text
from packed_scenes.data.locks import lock_folder, sweep

HOLD = """
import sys
from packed_scenes.data.files import atomic_write
from packed_scenes.data.locks import lock_folder
with lock_folder(sys.argv[1]), atomic_write(sys.argv[1] + "/a.txt") as temporary:
    temporary.write_text("half")
    print("held", flush=True)
    sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no such locks")


def test_the_second_says_so_and_a_dead_one_holds_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        with pytest.raises(InputError, match="another process is writing"), lock_folder(tmp_path):
            pass
        sweep(tmp_path)
        assert len(list(tmp_path.glob(".writing-*"))) == 1, "the file of a living process was removed"
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    with lock_folder(tmp_path):
        write_text(tmp_path / "a.txt", "whole")
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_stays_empty_goes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bad"), lock_folder(tmp_path / "x" / "run"):
        raise ValueError("bad")
    assert not (tmp_path / "x" / "run").exists()
    with pytest.raises(InputError, match="cannot write here"), lock_folder(tmp_path / "a\0b"):
        pass


def test_files_written_inside_one_another(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "a.txt") as one, atomic_write(tmp_path / "b.txt") as two:
        one.write_text("1")
        two.write_text("2")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "b.txt"]
