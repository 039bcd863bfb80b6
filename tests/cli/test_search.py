"""search.py and analyze.py --catalogue together, as a user runs them; the colour baseline is the embedder."""

import csv
import json

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from packed_scenes.catalogue import Catalogue
from packed_scenes.cli.commands import application
from packed_scenes.data import InputError, Objects
from packed_scenes.data.boxes import read_boxes, write_boxes
from packed_scenes.data.images import read_image, write_image
from packed_scenes.report import KINDS_OF_NUMBERS
from tests.cli.test_analyze import command
from tests.packed_scenes.conftest import paint, squares

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def app():
    return application("search")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A run and a catalogue of one painted shelf: colours 0, 1, 0."""
    folder = tmp_path_factory.mktemp("shop")
    image = paint([[0, 1, 0]])
    write_image(folder / "shelf.png", image)
    write_boxes(folder / "boxes.json", Objects.from_boxes(squares(image).xyxy))
    done = command(
        "analyze.py", folder / "shelf.png", "--boxes", folder / "boxes.json", "--embedder", "colour",
        "--out", folder / "run", "--catalogue", folder / "catalogue",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "1 scene and 3 objects added: 0 known identities seen again, 2 new" in done.stdout
    assert "to name #1 of the photo: packed-scenes catalogue rename" in done.stdout
    (folder / "crops").mkdir()
    write_image(folder / "crops" / "green.png", image[5:25, 35:55])
    write_image(folder / "crops" / "red.png", image[5:25, 5:25])
    return folder


def ask(app, *arguments):
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)["answers"]


def test_a_crop_in_a_catalogue(app, shop):
    Catalogue(shop / "catalogue").rename(1, "tea")
    (answer,) = ask(app, shop / "crops" / "red.png", "--catalogue", shop / "catalogue", "--top", 2)
    assert (answer["identity"], answer["name"], answer["new"]) == (1, "tea", False)
    assert [(h["scene"], h["identity"]) for h in answer["hits"]] == [("shelf", 1), ("shelf", 1)]
    assert sorted(h["xyxy"] for h in answer["hits"]) == [[5, 5, 25, 25], [65, 5, 85, 25]]
    assert answer["hits"][0]["distance"] == pytest.approx(0, abs=1e-3)


def test_boxes_of_a_scene_in_a_run(app, shop):
    answers = ask(app, shop / "shelf.png", "--box", "35,5,55,25", "--box", "5,5,25,25", "--run", shop / "run")
    assert [a["box"] for a in answers] == [[35, 5, 55, 25], [5, 5, 25, 25]]
    assert answers[0]["identity"] != answers[1]["identity"]
    assert len(answers[0]["hits"]) == 3


def test_a_folder_of_crops_for_people(app, shop):
    (shop / "crops" / "broken.png").write_bytes(b"x")
    done = CliRunner().invoke(app, [str(shop / "crops"), "--catalogue", str(shop / "catalogue")])
    (shop / "crops" / "broken.png").unlink()
    assert done.exit_code == 0
    assert "green.png: #2\n  distance 0.000  #2 " in done.stdout
    assert "left out" in done.stderr


def test_something_new(app, shop, tmp_path):
    image = read_image(shop / "crops" / "red.png").copy()
    image[:] = (250, 250, 250)
    image[:10] = (0, 0, 0)
    write_image(tmp_path / "other.png", image)
    (answer,) = ask(app, tmp_path / "other.png", "--catalogue", shop / "catalogue")
    assert (answer["identity"], answer["new"]) == (None, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.png"], "no such file"),
        (["shelf.png", "--box", "1,2"], "is no box"),
        (["shelf.png", "--box", "500,500,600,600"], "outside"),
        (["crops", "--box", "1,2,3,4"], "this is a folder"),
        (["shelf.png", "--index", "tree"], "unknown index"),
        (["shelf.png", "--top", "0"], "at least 1"),
        (["shelf.png", "--run", "run"], "both --catalogue and --run"),
    ],
)
def test_bad_input_is_one_clear_error(app, shop, monkeypatch, arguments, said):
    monkeypatch.chdir(shop)
    with pytest.raises(InputError, match=said):
        CliRunner().invoke(app, [*arguments, "--catalogue", "catalogue"], catch_exceptions=False)


def test_known_names_stand_on_everything(shop, tmp_path):
    """A second run with the catalogue names what was named in it: tables, report, record, and the pictures."""
    named = Catalogue(shop / "catalogue")
    names = {1: "=tea", 2: "Kräuter <b>"}
    for identity, name in names.items():
        named.rename(identity, name)
    arguments = [shop / "shelf.png", "--boxes", shop / "boxes.json", "--embedder", "colour", "--export", "coco"]
    done = command("analyze.py", *arguments, "--out", tmp_path / "run", "--catalogue", shop / "catalogue")
    assert done.returncode == 0, done.stderr
    run, before = tmp_path / "run", shop / "run"
    with (run / "shelf" / "objects.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["'=tea", "Kräuter <b>", "'=tea"]
    assert [row["identity"] for row in rows] == ["1", "2", "1"]  # of the catalogue, not the clusters of the run
    assert [row["cluster"] for row in rows] == ["0", "1", "0"]
    back = read_boxes(run / "shelf" / "objects.csv")
    assert not back.warnings
    assert back.scenes[""] == read_boxes(before / "shelf" / "objects.csv").scenes[""]
    assert pq.read_table(run / "objects.parquet")["name"].to_pylist() == ["=tea", "Kräuter <b>", "=tea"]
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "<td>=tea</td>" in page
    assert "#1</span></td><td>0</td><td>=tea</td>" in page
    assert KINDS_OF_NUMBERS in page
    assert pq.read_table(run / "objects.parquet")["identity"].to_pylist() == [1, 2, 1]
    assert "<td>Kräuter &lt;b&gt;</td>" in page
    assert set(json.loads((run / "run.json").read_text(encoding="utf-8"))["names"].values()) == set(names.values())
    told = json.loads((run / "export" / "coco.json").read_text(encoding="utf-8"))
    assert {c["name"] for c in told["categories"]} == set(names.values())
    assert (run / "clusters.png").read_bytes() != (before / "clusters.png").read_bytes()


def test_a_catalogue_of_another_embedder_costs_one_line_and_not_the_run(shop, tmp_path):
    arguments = [shop / "shelf.png", "--boxes", shop / "boxes.json", "--catalogue", shop / "catalogue"]
    done = command("analyze.py", *arguments, "--out", tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("error:") == 1
    assert "embedder" in done.stderr
    assert (tmp_path / "report.html").exists()
