"""A run killed without warning, again and again: the one that gets through equals an unbroken one.

The observer is the painted-squares one, so that a process spends its time in what is tested (reading, staging, writing)
and not in loading models.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from packed_scenes.data.images import write_image
from tests.packed_scenes.conftest import paint

ROOT = Path(__file__).resolve().parents[2]
KILLS = 20
PICTURES = 16

RUN = """
import sys, time
from pathlib import Path
from packed_scenes.analysis import analyze
from tests.packed_scenes.conftest import ColourObserver

class Slow(ColourObserver):
    def observe(self, scene, boxes=None):
        time.sleep(0.03)
        return super().observe(scene, boxes)

photos, out = map(Path, sys.argv[1:3])
print("begun", flush=True)
analyze(photos, observer=Slow(), stage=out / ".seen").save(out)
print("ended", flush=True)
"""


def start(folder, out):
    command = [sys.executable, "-c", RUN, folder / "photos", folder / out]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def files(run):
    """Every file a user reads; run.json holds times and Parquet files the moment they were written."""
    names = (p for p in sorted(run.rglob("*")) if p.is_file() and ".seen" not in p.parts and p.suffix != ".parquet")
    return {str(p.relative_to(run)): p.read_bytes() for p in names if p.name != "run.json"}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_twenty_times_it_ends_like_an_unbroken_run(tmp_path):
    rng = random.Random(0)
    for number in range(PICTURES):
        image = paint([[rng.randrange(4) for _ in range(6)] for _ in range(4)])
        write_image(tmp_path / "photos" / f"p{number:02d}.png", image)
    whole = start(tmp_path, "whole")
    assert whole.stdout is not None
    assert whole.stdout.readline() == "begun\n"
    begin = time.monotonic()
    assert whole.wait() == 0
    usual = time.monotonic() - begin
    torn = 0
    for _ in range(KILLS):
        broken = start(tmp_path, "broken")
        assert broken.stdout is not None
        broken.stdout.readline()
        time.sleep(rng.uniform(0.1, 0.9) * usual)
        os.kill(broken.pid, signal.SIGKILL)
        torn += broken.wait() != 0
        for table in (tmp_path / "broken").rglob("objects.csv"):
            assert len(pd.read_csv(table)) == 24, "a torn table"
        for record in (tmp_path / "broken").glob("run.json"):
            json.loads(record.read_text())
    assert torn, "no kill came before the end"
    assert start(tmp_path, "broken").wait() == 0
    assert files(tmp_path / "whole") == files(tmp_path / "broken")
    tables = [pd.read_parquet(tmp_path / name / "objects.parquet") for name in ("whole", "broken")]
    pd.testing.assert_frame_equal(*(t.drop(columns="embedding") for t in tables))
