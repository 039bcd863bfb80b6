"""analyze.py as a user runs it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from packed_scenes.data import Objects
from packed_scenes.data.boxes import write_boxes
from packed_scenes.data.images import write_image
from tests.commands import call
from tests.packed_scenes.conftest import paint, squares
from tests.real import SHARED, needs

ROOT = Path(__file__).resolve().parents[2]


def command(script, *arguments, cwd=ROOT):
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / script), *map(str, arguments)], capture_output=True, text=True, cwd=cwd
    )


@pytest.fixture
def shelf(tmp_path):
    """A painted picture and its box file."""
    image = np.kron(paint([[0, 1, 0, 2]] * 2), np.ones((4, 4, 1), np.uint8))
    write_image(tmp_path / "shelf.png", image)
    boxes = squares(paint([[0, 1, 0, 2]] * 2))
    write_boxes(tmp_path / "boxes.json", Objects.from_boxes(boxes.xyxy * 4, object_id=[f"k{i}" for i in range(8)]))
    return tmp_path


@pytest.mark.slow
def test_given_boxes_to_a_run_folder(shelf):
    done = command("analyze.py", shelf / "shelf.png", "--boxes", shelf / "boxes.json", "--out", shelf / "run", "--json")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["counts"]["objects"] == 8
    table = pd.read_csv(shelf / "run" / "shelf" / "objects.csv")
    assert table["object_id"].tolist() == [f"k{i}" for i in range(8)]
    # rows 0 and 1 of the picture hold the same three colours: the first and the third square are alike
    assert table["cluster"].tolist()[0] == table["cluster"].tolist()[2] != table["cluster"].tolist()[1]


@pytest.mark.slow
def test_the_bundled_sample_works_with_no_argument(tmp_path):
    done = command("analyze.py", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert "identities" in done.stdout
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["counts"]["objects"] > 50
    assert set(record["weights_sha256"]) == {"detector", "embedder"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.jpg"], "gone.jpg"),
        (["empty"], "no picture in this folder"),
        (["zero.jpg"], "zero.jpg"),
        (["shelf.png", "--boxes", "gone.json"], "gone.json"),
        (["shelf.png", "--weights", "gone.pt"], "gone.pt"),
        (["shelf.png", "--embedder", "gone.safetensors"], "gone.safetensors"),
        (["shelf.png", "--clusterer", "magic"], "magic"),
        (["shelf.png", "--device", "gpu"], "gpu"),
        (["shelf.png", "--confidence", "7"], "confidence"),
        (["shelf.png", "--out", "zero.jpg"], "zero.jpg"),
        (["shelf.png", "--engine", "cloud"], "cloud"),
        (["shelf.png", "--out", "s3://bucket/run"], "--engine ray"),
        (["shelf.png", "--engine", "ray", "--watch"], "--engine local"),
        (["shelf.png", "--watch"], "no folder to watch"),
        (["nonsense://bucket/photos"], "no way to this kind of storage"),
    ],
)
def test_bad_input_is_one_clear_line(shelf, arguments, said):
    (shelf / "empty").mkdir()
    (shelf / "zero.jpg").write_bytes(b"")
    done = call("analyze", *arguments, cwd=shelf)
    assert done.returncode == 2
    lines = done.stderr.strip().splitlines()
    assert lines[-1].startswith("error: ")
    assert said in lines[-1]
    assert "Traceback" not in done.stderr
    assert not [p for p in shelf.rglob("*") if p.name.startswith(".writing-")]


@pytest.mark.slow
@needs("packed_products/test/shelf.jpeg")
def test_all_63_objects_of_the_shelf_photo_keep_their_ids(tmp_path):
    photo = SHARED / "packed_products" / "test" / "shelf.jpeg"
    boxes = photo.with_name("shelf.json")
    done = command("analyze.py", photo, "--boxes", boxes, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "shelf" / "objects.csv")
    given = json.loads(boxes.read_text())
    assert sorted(table["object_id"]) == sorted(given)
    rows = table.set_index("object_id")
    for name, box in given.items():
        assert np.allclose(
            rows.loc[name, ["x1", "y1", "x2", "y2"]].to_numpy(float), [box[k] for k in ("x1", "y1", "x2", "y2")]
        )
