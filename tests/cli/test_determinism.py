"""The same input gives the same bytes: again, on one thread or two, with other hash seeds and folders, in any order."""

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
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


@pytest.fixture(scope="module")
def reversed_run(tmp_path_factory):
    """Tables by scene: from a folder of another name, the photos in reverse, another hash seed."""
    folder = tmp_path_factory.mktemp("elsewhere") / "other name"
    shutil.copytree(SAMPLES, folder)
    photos = sorted(folder.glob("*.jpg"), reverse=True)
    command = [sys.executable, ROOT / "scripts" / "analyze.py", *photos, "--out", folder / "out"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": "4711"})
    assert done.returncode == 0, done.stderr
    return {path.stem: pd.read_csv(folder / "out" / path.stem / "objects.csv") for path in photos}


@pytest.mark.parametrize("other", ["two", "again"])
def test_byte_for_byte(runs, other):
    assert runs["one"].keys() == runs[other].keys()
    assert [name for name in runs["one"] if runs["one"][name] != runs[other][name]] == []


def tables(run):
    """Objects by scene, in the order of the run."""
    names = sorted(name for name in run if name.endswith("objects.csv"))
    return {Path(name).parent.name: pd.read_csv(io.BytesIO(run[name])) for name in names}


def test_order_of_photos_and_hash_seeds_change_only_names(runs, reversed_run):
    """The same objects to the last digit, the same groups, their names by the rule; probabilities within .01."""
    one = tables(runs["one"])
    assert list(one) == list(reversed_run)[::-1]
    for name, table in one.items():
        other, named = reversed_run[name], ["cluster", "congregation"]
        pd.testing.assert_frame_equal(
            table.drop(columns=[*named, "probability"]), other.drop(columns=[*named, "probability"])
        )
        assert (table["probability"] - other["probability"]).abs().max() < 0.01  # equals in lists of neighbours
    ours, theirs = (pd.concat([found[name] for name in one])["cluster"].to_numpy() for found in (one, reversed_run))
    pairs = set(zip(ours.tolist(), theirs.tolist(), strict=True))
    assert len(pairs) == len(set(ours)) == len(set(theirs))
    assert (-1, -1) in pairs or -1 not in ours
    follow_the_rule(reversed_run)


def test_names_of_identities_follow_the_stated_rule(runs):
    follow_the_rule(tables(runs["one"]))


def follow_the_rule(found):
    """0, 1, … by size, largest first; equal sizes by their first object, scenes in the order of the run."""
    cluster = pd.concat(list(found.values()), ignore_index=True)["cluster"]
    kept = cluster[cluster >= 0]
    size, first = kept.value_counts(), kept.drop_duplicates()
    by_rule = sorted(size.index, key=lambda name: (-size[name], first[first == name].index[0]))
    assert by_rule == list(range(len(by_rule)))
