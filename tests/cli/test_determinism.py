"""The same input gives the same bytes: again, and on one thread or two, with the real models on the bundled photos."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "assets" / "samples"
FILES = ("objects.csv", "congregations.json", "overlay.jpg", "clusters.png", "report.html")
KNOBS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM", "NUMBA_NUM_THREADS")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Run folders by name: one thread, two threads, two threads again; each made by a process of its own."""
    made = {}
    for name, threads in (("one", "1"), ("two", "2"), ("again", "2")):
        out = tmp_path_factory.mktemp(name)
        done = subprocess.run(
            [sys.executable, ROOT / "scripts" / "analyze.py", SAMPLES, "--out", out],
            capture_output=True,
            text=True,
            env={**os.environ, **dict.fromkeys(KNOBS, threads)},
        )
        assert done.returncode == 0, done.stderr
        made[name] = {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.name in FILES}
    assert len(made["one"]) == 3 * len(list(SAMPLES.glob("*.jpg"))) + 2
    return made


@pytest.mark.parametrize("other", ["two", "again"])
def test_byte_for_byte(runs, other):
    assert runs["one"].keys() == runs[other].keys()
    assert [name for name in runs["one"] if runs["one"][name] != runs[other][name]] == []


def test_names_of_identities_follow_the_stated_rule(runs, tmp_path):
    """0, 1, … by size, largest first; equal sizes by their first object, scenes in the order of the run."""
    import io

    import pandas as pd

    tables = [
        pd.read_csv(io.BytesIO(runs["one"][name])) for name in sorted(runs["one"]) if name.endswith("objects.csv")
    ]
    cluster = pd.concat(tables, ignore_index=True)["cluster"]
    kept = cluster[cluster >= 0]
    size, first = kept.value_counts(), kept.drop_duplicates()
    by_rule = sorted(size.index, key=lambda name: (-size[name], first[first == name].index[0]))
    assert by_rule == list(range(len(by_rule)))
