"""Whole studies: from matrices and from crops, killed and gone on, extended, shown."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from packed_scenes.cluster.search import Grid
from packed_scenes.data import InputError
from packed_scenes.study.collection import gather
from packed_scenes.study.options import StudyOptions
from packed_scenes.study.study import run_study
from tests.commands import call

ROOT = Path(__file__).resolve().parents[3]
GRID = {
    "kmeans_k": "2-5", "agglomerative_k": [3], "agglomerative_linkage": ["ward"], "dbscan_min_samples": [5],
    "dbscan_knee": [1.0], "hdbscan_min_cluster_size": [10], "hdbscan_min_samples": [5],
    "two_stage_second": ["hdbscan-2"], "two_stage_min_cluster_size": [10],
}  # fmt: skip


@pytest.fixture
def matrices(tmp_path):
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(4), 60)
    np.save(tmp_path / "good.npy", (8 * rng.standard_normal((4, 6))[y] + rng.standard_normal((240, 6))).astype("f4"))
    np.save(tmp_path / "poor.npy", rng.standard_normal((240, 9)).astype("f4"))
    np.save(tmp_path / "truth.npy", y)
    (tmp_path / "grid.json").write_text(json.dumps(GRID))
    return tmp_path


def options(folder, **changed):
    given = {"rounds": 1, "per_round": 2, "preparations": ("pca90",), "figures": False}
    return StudyOptions(out=folder / "out", grid=Grid.from_dict(GRID), **(given | changed))


def test_the_good_descriptor_wins_and_nothing_is_done_twice(matrices):
    files = [matrices / "good.npy", matrices / "poor.npy"]
    found = gather(files, cache=matrices / "cache", truth=str(matrices / "truth.npy"))
    result = run_study(found, options(matrices))
    assert result.winner is not None
    assert result.winner.descriptor == "good"
    assert result.winner.ari > 0.95
    assert result.fitted == len(result.rows) == 2 * (len(Grid.from_dict(GRID).models(240)) + 2)
    best = pd.read_csv(matrices / "out" / "best_clustering.csv")
    assert list(best) == ["row", "label", "model"]
    assert len(best) == 240
    again = run_study(found, options(matrices))
    assert again.fitted == 0
    assert again.winner == result.winner
    more = run_study(found, options(matrices, preparations=("pca90", "unit")))
    assert more.fitted == result.fitted
    assert len(pd.read_parquet(matrices / "out" / "scores.parquet")) == 2 * result.fitted


@pytest.mark.slow
def test_workers_find_what_one_process_finds(matrices):
    files = [matrices / "good.npy", matrices / "poor.npy"]
    found = gather(files, cache=matrices / "cache")
    small = Grid.from_dict(
        {"kmeans_k": [2, 3], "agglomerative_k": [3], **{k: [] for k in GRID if k[:2] in ("db", "hd", "tw")}}
    )
    alone = run_study(found, StudyOptions(out=matrices / "a", grid=small, preparations=("unit",), rounds=0))
    both = run_study(found, StudyOptions(out=matrices / "b", grid=small, preparations=("unit",), rounds=0, workers=2))
    assert {r.key: r.silhouette for r in alone.rows} == {r.key: r.silhouette for r in both.rows}


def command(*arguments):
    return [sys.executable, str(ROOT / "scripts" / "study.py"), *map(str, arguments)]


@pytest.mark.slow
def test_a_killed_study_goes_on(matrices):
    grid = matrices / "long.json"
    grid.write_text(json.dumps({"kmeans_k": "2-80"} | {k: [] for k in Grid().to_dict() if not k.startswith("kmeans")}))
    run = command(
        matrices / "good.npy", "--grid", grid, "--prepare", "none", "--rounds", 0, "--tables-only", "--json",
        "--out", matrices / "out",
    )  # fmt: skip
    process = subprocess.Popen(run, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    table = matrices / "out" / "scores.csv"
    until = time.monotonic() + 120
    while time.monotonic() < until and (not table.is_file() or table.read_bytes().count(b"\n") < 5):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = table.read_bytes().count(b"\n") - 1
    assert before >= 4
    with open(table, "ab") as file:
        file.write(b"torn,0,go")
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["models"] == 79
    assert said["fitted"] == 79 - before
    assert pd.read_csv(table).key.is_unique


@pytest.mark.slow
def test_crops_to_a_report(tmp_path):
    rng = np.random.default_rng(0)
    for at, colour in enumerate(((200, 40, 40), (40, 200, 40), (60, 60, 220))):
        folder = tmp_path / "crops" / f"class{at}"
        folder.mkdir(parents=True)
        for number in range(8):
            picture = np.clip(np.array(colour) + rng.normal(0, 25, (40, 30, 3)), 0, 255).astype(np.uint8)
            cv2.imwrite(str(folder / f"crop{number}.png"), picture)
    (tmp_path / "crops" / "class0" / "broken.png").write_bytes(b"not a picture")
    (tmp_path / "grid.json").write_text(
        json.dumps(GRID | {"hdbscan_min_cluster_size": [4], "two_stage_min_cluster_size": [4]})
    )
    out = tmp_path / "out"
    run = command(
        tmp_path / "crops", "--descriptors", "colour", "--truth", "folders", "--grid", tmp_path / "grid.json",
        # three colours span two dimensions, of which pca60 keeps one
        "--prepare", "pca90", "--rounds", 1, "--out", out, "--folders", "links", "--show", 0, "--json",
    )  # fmt: skip
    done = subprocess.run(
        run, cwd=ROOT, capture_output=True, text=True, timeout=280, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["failed"] == 1
    assert said["winner"]["ari"] > 0.5  # eight crops a class: a noise row or a split costs .1; quality has its own test
    page = (out / "report.html").read_text()
    assert "Where internal scores mislead" in page
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page)
    for name in ("umap_2d.html", "umap_3d.html", "umap_2d.png", "pca_3d.png", "tsne_2d.png", "kmeans.png", "scores.png",
                 "clusters.png", "clusters.jpg", "outliers.csv", "outliers.jpg", "cluster-0.jpg", "run.json",
                 "errors.csv", "best_clustering.csv", "scores.parquet"):  # fmt: skip
        assert (out / name).stat().st_size > 0, name
    assert sum(1 for file in (out / "clusters").rglob("*.png")) == 24
    assert not re.search(r"<script[^>]*src=", (out / "umap_2d.html").read_text())
    best = pd.read_csv(out / "best_clustering.csv")
    assert list(best) == ["path", "label", "model"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing"], "no such file"),
        (["good.npy", "--truth", "short.npy"], "true labels for"),
        (["good.npy", "--truth", "folders"], "needs crops"),
        (["good.npy", "--prepare", "pca900"], "pca900"),
        (["good.npy", "--grid", "truth.npy"], "truth.npy"),
        (["good.npy", "few.npy"], "rows"),
    ],
)
def test_bad_input_is_named(matrices, arguments, said):
    np.save(matrices / "short.npy", np.arange(7))
    np.save(matrices / "few.npy", np.eye(5))
    from typer.testing import CliRunner

    from packed_scenes.cli import study as script

    arguments = [str(matrices / a) if a.endswith(".npy") or a == "missing" else a for a in arguments]
    result = CliRunner().invoke(script.app, [*arguments, "--out", str(matrices / "o"), "--tables-only"])
    assert isinstance(result.exception, InputError)
    assert said in str(result.exception)


def test_bad_input_is_one_line_and_code_2(tmp_path):
    done = call("study", tmp_path / "missing", "--out", tmp_path / "o")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "missing" in done.stderr


def test_truth_by_folder_name_and_table(tmp_path):
    for at, name in enumerate(("bus_1", "bus_2", "car_1")):
        folder = tmp_path / "c" / ("a" if at < 2 else "b")
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{name}.png"), np.full((20, 20, 3), 80 * at, np.uint8))
    common = {"cache": tmp_path / "cache", "descriptors": ("colour",)}
    by_folder = gather([tmp_path / "c"], truth="folders", **common)
    assert by_folder.truth_names == ("a", "b")
    by_name = gather([tmp_path / "c"], truth="name:^([a-z]+)_", **common)
    assert by_name.truth_names == ("bus", "car")
    assert by_name.truth.tolist() == [0, 0, 1]
    (tmp_path / "t.csv").write_text("path,label\nc/a/bus_1.png,x\nc/b/car_1.png,y\n")
    partly = gather([tmp_path / "c"], truth=str(tmp_path / "t.csv"), **common)
    assert partly.truth.tolist() == [0, -1, 1]
    table = gather([tmp_path / "t.csv"], **common)
    assert table.rows == 2
    assert table.truth_names == ("x", "y")
    for bad in ("name:(", "name:zzz"):
        with pytest.raises(InputError):
            gather([tmp_path / "c"], truth=bad, **common)


def test_a_page_of_a_map_is_the_same_file_again(tmp_path):
    pytest.importorskip("plotly")
    from packed_scenes.study.maps import Map, write_page

    one = Map("PCA", np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32))
    for name in ("a.html", "b.html"):
        write_page(one, np.array([0, 0, 1, 1, -1, -1]), tmp_path / name, title="t", hover=list("abcdef"))
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
