"""A slice of the fuzzer's 100,000 cases (``scripts/fuzz.py``), and that the fuzzer would see what it looks for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from packed_scenes.data import InputError
from tests.fuzz import fuzzing, stores
from tests.fuzz.cases import make_case, seeds

ROOT = Path(__file__).resolve().parents[2]


def test_every_seed_is_read(tmp_path: Path) -> None:
    fuzzing._prepare(tmp_path)
    assert len(seeds()) > 40
    for reader, content in seeds():
        assert fuzzing.run_case(reader, content, tmp_path), reader


def test_cases_are_a_function_of_their_numbers() -> None:
    assert [make_case(1, i) for i in range(40)] == [make_case(1, i) for i in range(40)]
    assert make_case(1, 5) != make_case(2, 5)
    assert len({make_case(1, i) for i in range(200)}) > 190


@pytest.mark.slow
def test_a_slice_has_no_findings() -> None:
    # A process of its own: one that is forked from the tests counts their memory as its own.
    command = [sys.executable, ROOT / "scripts" / "fuzz.py", "--count", "2000", "--seed", "11", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["findings"] == []
    assert report["cases"] == sum(report["read"].values()) + sum(report["refused"].values()) == 2000
    assert set(report["read"]) == set(report["refused"]) == {"image", "boxes", "coco", "yolo", "yaml", "zip"}
    assert report["slowest"] < 1
    assert 0 < report["peak_mb"] < 600


@pytest.mark.slow
def test_a_slice_of_the_stores_has_no_findings() -> None:
    command = [sys.executable, ROOT / "scripts" / "fuzz.py", "--group", "stores", "--count", "300", "--seed", "5"]
    done = subprocess.run([*command, "--memory-limit", "8192", "--json"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["cases"] == 300
    assert {*report["read"], *report["refused"]} == set(stores.READERS)


def reader_that(does: Any) -> dict[str, Any]:
    return {"boxes": ("case.json", does)}


def test_wrong_behaviour_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(error: Exception) -> Any:
        def read(_: Path) -> None:
            raise error

        return read

    for error in (KeyError("x"), InputError("no file and no remedy"), InputError("no remedy", file="case.json")):
        monkeypatch.setattr(fuzzing, "_READERS", reader_that(raises(error)))
        with pytest.raises((KeyError, AssertionError)):
            fuzzing.run_case("boxes", b"x", tmp_path)
    monkeypatch.setattr(
        fuzzing, "_READERS", reader_that(raises(InputError("bad", file="case.json", remedy="Mend it.")))
    )
    assert not fuzzing.run_case("boxes", b"x", tmp_path)


def test_death_and_delay_of_the_worker_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(path: Path) -> None:
        os.kill(os.getpid(), 9)

    def spin(path: Path) -> None:
        end = time.thread_time() + 0.02
        while time.thread_time() < end:
            pass

    import multiprocessing

    real = multiprocessing.get_context
    monkeypatch.setattr(
        fuzzing.multiprocessing, "get_context", lambda _: real("fork")
    )  # the child inherits the patches
    monkeypatch.setattr(fuzzing, "make_case", lambda seed, index, group: ("boxes", b"x"))
    monkeypatch.setattr(fuzzing, "_READERS", reader_that(die))
    report = fuzzing.fuzz(2)
    assert [(f.index, f.what) for f in report.findings] == [(0, "process ended with -9"), (1, "process ended with -9")]
    assert report.cases == 2
    monkeypatch.setattr(fuzzing, "_READERS", reader_that(spin))
    report = fuzzing.fuzz(2, time_limit=0.01)
    assert [f.index for f in report.findings] == [0, 1]
    assert report.findings[0].what.startswith("took 0.0")
    assert report.to_json()["read"] == {"boxes": 2}
