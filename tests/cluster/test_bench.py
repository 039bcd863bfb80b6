from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from cluster import make
from scripts import bench_cluster, bench_cluster_real
from tests.real import SHARED, needs


def test_quality_prints_one_line_per_method() -> None:
    result = CliRunner().invoke(bench_cluster.app, ["quality", "--rows", "64", "--seeds", "1"])
    assert result.exit_code == 0
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["method"] for row in rows] == list(bench_cluster.METHODS)
    assert all(0 <= row["bcubed_f"] <= 1 for row in rows)


def test_curve_and_large_state_time_and_memory() -> None:
    for arguments in (["curve", "--most", "1000"], ["large", "--rows", "5000"]):
        result = CliRunner().invoke(bench_cluster.app, arguments)
        assert result.exit_code == 0
        assert {"rows", "s", "cpu_s", "peak_gib"} <= set(json.loads(result.stdout.splitlines()[0]))


def test_identities_of_the_photo_are_a_partition() -> None:
    rows = [row for group in bench_cluster_real.PHOTO for row in group]
    assert sorted(rows) == list(range(63))
    assert len(bench_cluster_real.PHOTO) == 22


@needs("shelf_scenes")
def test_default_is_near_the_best_threshold_on_real_shelves() -> None:
    """With the shipped embedder: at most .03 below the one threshold that the truth would choose."""
    embed = pytest.importorskip("embed")
    embedder = embed.Embedder.load("default", device="cpu")
    scenes = bench_cluster_real.shelf_scenes(SHARED, embedder)
    calibrated = float(embedder.card["calibration"]["threshold"])
    labels = [make(calibrated=calibrated).fit_predict(s.X, xyxy=s.xyxy) for s in scenes]
    found, best = bench_cluster_real.table_row(scenes, labels), bench_cluster_real.best_fixed(scenes)
    assert found["B"] >= best["B"] - 0.03
    assert found["P"] >= best["P"] - 0.03
    assert found["K"] <= 0.2
    assert np.mean([len(s.X) for s in scenes]) > 20
