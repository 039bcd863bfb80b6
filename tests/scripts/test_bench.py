"""The benchmark command: its bookkeeping, and every stage at the smallest size (no time is asserted)."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks import others, pictures, record, reference, scaling, timing
from benchmarks.registry import STAGES
from typer.testing import CliRunner

from packed_scenes.cluster import make
from packed_scenes.data import InputError
from tests.real import SHARED, needs

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def app():  # type: ignore[no-untyped-def]
    spec = importlib.util.spec_from_file_location("bench_script", ROOT / "scripts" / "bench.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.app


def bench(app, *arguments: str) -> dict:  # type: ignore[no-untyped-def]
    result = CliRunner().invoke(app, [*arguments, "--tiny", "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    return json.loads(result.stdout.splitlines()[-1])["stages"]


def test_jobs_take_turns_and_ratios_are_turn_by_turn() -> None:
    order: list[str] = []
    timed = timing.take_turns({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, turns=3, warm=1)
    assert order == ["a", "b"] * 4
    assert len(timed["a"].wall) == len(timed["b"].cpu) == 3
    slow, fast = timing.Timed([2.0, 9.0, 40.0], [1.0] * 3), timing.Timed([1.0, 3.0, 10.0], [1.0] * 3)
    assert timing.ratio(slow, fast) == {"x": 3.0, "x range": [2.0, 4.0]}
    assert slow.row() == {"s": 9.0, "s range": [2.0, 40.0], "cpu s": 1.0, "turns": 3}


def test_table_shows_ranges_beside_their_median_and_gaps_as_blanks() -> None:
    rows = [{"name": "a", "s": 0.5, "s range": [0.25, 1.0]}, {"name": "b", "x": 3}]
    assert record.markdown(rows) == [
        "| name | s | x |", "|---|---|---|", "| a | 0.5 [0.25 - 1] |  |", "| b |  | 3 |",
    ]  # fmt: skip
    assert record.markdown([]) == ["(nothing)"]


def test_stages_that_did_not_run_keep_their_part(app, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    bench(app, "search", "--out", str(tmp_path))
    made = bench(app, "cluster-quality", "--out", str(tmp_path))
    assert list(made) == ["cluster-quality"]
    kept = json.loads((tmp_path / "bench.json").read_text())["stages"]
    assert list(kept) == ["search", "cluster-quality"]
    assert kept["search"]["machine"]["processor"]
    page = (tmp_path / "README.md").read_text()
    assert "## search" in page
    assert "uv run scripts/bench.py cluster-quality --tiny" in page
    assert (tmp_path / record.plot_name("search", 0)).is_file()
    quality = kept["cluster-quality"]["tables"][0]["rows"]
    assert all(0 <= row["bcubed_f"] <= 1 for row in quality)
    index = {row["kind"]: row for row in kept["search"]["tables"][1]["rows"]}
    assert index["exact"]["recall"] == 1
    assert 0.5 < index["ivf"]["recall"] <= 1
    assert index["ivf"]["recall_1"] == 1
    assert all(row["same results"] == 1 for row in kept["search"]["tables"][0]["rows"])


def test_unknown_stage_and_foreign_record_are_one_clear_error(app, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match="no stage named 'warp'"):
        bench(app, "warp", "--out", str(tmp_path))
    (tmp_path / "bench.json").write_text("[]")
    with pytest.raises(InputError, match="no record"):
        bench(app, "search", "--out", str(tmp_path))


def test_list_names_every_stage(app) -> None:  # type: ignore[no-untyped-def]
    lines = CliRunner().invoke(app, ["--list"]).stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(STAGES)


@pytest.mark.slow
def test_clustering_agrees_with_the_libraries(app, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    stage = bench(app, "cluster", "cluster-curve", "cluster-large", "--out", str(tmp_path))
    density, linkage = stage["cluster"]["tables"]
    assert {row["method"] for row in linkage["rows"]} >= {"ours, average linkage", "scipy linkage"}
    assert all(row["agreement with ours (ARI)"] > 0.99 for row in linkage["rows"])
    assert all(row["agreement with ours (ARI)"] > 0.9 for row in density["rows"])
    assert {"rows", "s", "cpu s", "peak GiB"} <= set(stage["cluster-curve"]["tables"][0]["rows"][0])


@pytest.mark.slow
def test_whole_job_reference_and_scaling_say_what_they_did(app, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    stages = bench(app, "scene", "reference", "--out", str(tmp_path))
    whole = stages["scene"]["tables"]
    assert [row["job"] for row in whole[0]["rows"]] == ["ours, detection included", "ours, boxes given"]
    assert {"read", "embed", "cluster", "aggregate", "write"} <= set(whole[1]["rows"][1])
    rows = {row["method"]: row for row in stages["reference"]["tables"][0]["rows"]}
    assert rows["reference"]["x"] > 0
    assert rows["ours"]["clusters"] > 0


def test_other_commands_lines_become_tables(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "lines.py").write_text(
        "import sys\nif sys.argv[1] == 'bad': sys.exit(3)\n"
        'print(\'{"rows": 1, "s": 0.5}\\nnot json\\n{"rows": 2, "s": 0.7}\\n{"load": 1, "more": [1]}\')\n'
    )
    monkeypatch.setattr(others, "SCRIPTS", tmp_path)
    tables = others._command("title", "lines.py", "good").tables
    assert [table.rows for table in tables] == [[{"rows": 1, "s": 0.5}, {"rows": 2, "s": 0.7}], [{"load": 1}]]
    assert others._command("title", "absent.py", "good").skipped == ["scripts/absent.py is not here"]
    with pytest.raises(InputError, match="exit code 3"):
        others._command("title", "lines.py", "bad")


def test_reference_labels_are_the_two_passes_of_the_author() -> None:
    """Two tight groups, one pair for the second pass, and a row that stays noise."""
    rng = np.random.default_rng(0)
    centres = np.linalg.qr(rng.standard_normal((8, 8)))[0][:4]
    X = np.concatenate(
        [centres[0] + 0.01 * rng.standard_normal((5, 8)), centres[1] + 0.01 * rng.standard_normal((4, 8))]
    )
    X = np.concatenate([X, centres[2:]])
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    labels = reference.reference_labels(X)
    assert len(set(labels[:5])) == len(set(labels[5:9])) == 1
    assert labels[0] != labels[5]
    assert labels.min() >= -1


def test_mosaic_keeps_every_box_on_its_copy() -> None:
    from packed_scenes.data import Objects

    image = np.arange(40 * 60 * 3, dtype=np.uint8).reshape(40, 60, 3)
    truth = Objects.from_boxes(np.array([[0, 0, 20, 20], [35, 5, 60, 40]], np.float32))
    picture, boxes = scaling.mosaic(image, truth, 3)
    assert picture.shape == (120, 180, 3)
    assert np.array_equal(picture[:40, :60], image)
    assert boxes.xyxy[-1].tolist() == [155, 85, 180, 120]
    left, inside = scaling.half(image, truth)
    assert left.shape == (40, 30, 3)
    assert inside.xyxy.tolist() == [[0, 0, 20, 20]]
    line = [{"boxes": "given", "objects": n, "cpu s": 0.002 * n} for n in (50, 500, 1000, 2000)]
    assert scaling.slope(line, "given") == pytest.approx(1)


def test_identities_of_the_photo_are_a_partition() -> None:
    rows = [row for group in pictures.PHOTO for row in group]
    assert sorted(rows) == list(range(63))
    assert len(pictures.PHOTO) == 22


@pytest.mark.slow
@needs("shelf_scenes")
def test_default_is_near_the_best_threshold_on_real_shelves() -> None:
    """With the shipped embedder: at most .03 below the one threshold that the truth would choose."""
    embed = pytest.importorskip("embed")
    embedder = embed.Embedder.load("default", device="cpu")
    scenes = pictures.shelf_scenes(SHARED, embedder)
    calibrated = float(embedder.card["calibration"]["threshold"])
    labels = [make(calibrated=calibrated).fit_predict(s.X, xyxy=s.xyxy) for s in scenes]
    found, best = pictures.table_row(scenes, labels), pictures.best_fixed(scenes)
    assert found["B"] >= best["B"] - 0.03
    assert found["P"] >= best["P"] - 0.03
    assert found["K"] <= 0.2
    assert np.mean([len(s.X) for s in scenes]) > 20
