import csv
import json
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from packed_scenes.data.locks import lock_folder
from packed_scenes.embed.descriptors import load_table
from tests.commands import call
from tests.netfiles import means_onnx


def describe(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return call("describe", *arguments)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("crops")
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (root / name).mkdir()
        for i in range(9):
            cv2.imwrite(str(root / name / f"{i}.png"), rng.integers(0, 256, (40, 30, 3), dtype=np.uint8))
    (root / "b" / "broken.jpg").write_bytes(b"\xff\xd8\xff no")
    return root


@pytest.mark.slow
def test_matrices_tables_cards_and_errors_are_written_and_resumed(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = describe(folder, "-d", "colour", "-d", "shape", "--mask", "threshold", "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert set(result["descriptors"]) == {"colour", "shape"}
    matrix = np.load(out / "colour.npy")
    assert matrix.shape == (18, 2304)
    with open(out / "colour.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == ["a"] * 9 + ["b"] * 9
    assert rows[9]["path"] == str(folder / "b" / "0.png")
    assert "broken.jpg" in (out / "shape.errors.csv").read_text()
    assert json.loads((out / "shape.json").read_text())["mask"]["mask"] == "threshold"
    assert cv2.imread(str(out / "mask.png")) is not None
    run = json.loads((out / "run.json").read_text())
    assert {"command", "versions", "machine", "seed", "descriptors"} <= set(run)
    again = json.loads(describe(folder, "-d", "colour", "--mask", "threshold", "--out", out, "--json").stdout)
    assert again["descriptors"]["colour"]["computed"] == 0


@pytest.mark.slow
def test_an_autoencoder_is_trained_and_describes(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = describe(folder, "--train-autoencoder", "--epochs", 1, "--format", "parquet", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "autoencoder: 18 x 32" in done.stderr
    assert (out / "autoencoder" / "reconstructions.png").is_file()
    table = load_table(out / "autoencoder.parquet")
    assert table.matrix.shape == (18, 32)
    assert table.labels == ["a"] * 9 + ["b"] * 9


def test_bad_options_end_with_one_line(folder: Path, tmp_path: Path) -> None:
    for arguments, says in (
        ((folder, "-d", "nonsense"), "Known: "),
        ((folder, "--format", "pkl"), "npy or parquet"),
        ((folder, "--mask", "magic"), "Known: threshold"),
        ((tmp_path / "absent",), "no such file"),
        ((), "no pictures given"),
    ):
        done = describe(*arguments, "--out", tmp_path / "out")
        assert done.returncode == 2, done.stderr
        assert says in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_descriptors_of_one_name_are_kept_apart(folder: Path, tmp_path: Path) -> None:
    for place in ("a", "nul"):
        (tmp_path / place).mkdir()
    means_onnx(tmp_path / "a" / "net.onnx", ("batch", 3, 32, 32))
    means_onnx(tmp_path / "nul" / "net.onnx", ("batch", 3, 32, 32))
    means_onnx(tmp_path / "nul.onnx", ("batch", 3, 32, 32))
    names = [part for file in ("a/net.onnx", "nul/net.onnx", "nul.onnx") for part in ("-d", str(tmp_path / file))]
    found = call("describe", folder, *names, "--out", tmp_path / "out")
    assert found.returncode == 0, found.stderr
    assert {path.name for path in (tmp_path / "out").glob("*.npy")} == {"net.npy", "net_2.npy", "nul_.npy"}


def test_a_folder_that_another_process_writes_is_left_to_it(folder: Path, tmp_path: Path) -> None:
    with lock_folder(tmp_path / "out"):
        done = describe(folder / "a", "-d", "colour", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "another process is writing into this folder" in done.stderr
