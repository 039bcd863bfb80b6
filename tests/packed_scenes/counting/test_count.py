"""From a folder of crops to a count and its run folder."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from packed_scenes.counting import AnswerBook, Options, count_folder, save_count
from packed_scenes.counting.answers import truth_judge
from packed_scenes.crops.values import read_values
from packed_scenes.data import InputError
from packed_scenes.data.images import write_image


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    """60 crops of 12 identities, flat colours with noise, in folders by identity; and one that is no picture."""
    root = tmp_path_factory.mktemp("crops")
    rng = np.random.default_rng(0)
    for who in range(12):
        colour = rng.integers(20, 235, 3)
        for number in range(1 + who % 9):
            picture = np.clip(colour + rng.normal(0, 6, (48, 32, 3)), 0, 255).astype(np.uint8)
            picture[10:20, :] = 255 - colour
            write_image(root / f"id{who:02d}" / f"{number}.png", picture)
    (root / "id00" / "broken.png").write_bytes(b"no picture")
    return root


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def _by_truth(book, paths):
    return truth_judge(read_values("folders", book.names), budget=None, book=book)


@pytest.mark.slow
def test_the_count_by_truth_is_right_and_everything_is_written(crops, cache, tmp_path):
    found = count_folder(crops, options=Options(target=0.05), cache=cache, judge=_by_truth)
    assert found.method == "vetted pairs"
    assert found.low <= 12 <= found.high
    assert len(found.paths) == sum(1 + who % 9 for who in range(12))
    assert [Path(file).name for file, _ in found.errors] == ["broken.png"]
    out = save_count(found, tmp_path / "run")
    with open(out / "cluster_labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == found.names
    linked = sorted((out / "clusters").rglob("*.png"))
    assert len(linked) == len(rows)
    for row in rows:
        place = next(p for p in linked if p.resolve() == (crops / row["file"]).resolve())
        assert int(place.parent.name.split("_")[0]) == int(row["cluster"])
    record = json.loads((out / "run.json").read_text())
    assert record["result"]["count"] == round(found.count)
    assert record["result"]["interval"][0] <= 12 <= record["result"]["interval"][1]
    assert record["seed"] == 0
    assert "broken.png" in (out / "errors.csv").read_text()
    assert cv2.imread(str(out / "curve.png")).shape[1] > 600
    assert cv2.imread(str(out / "clusters.png")) is not None
    with open(out / "curve.csv", newline="") as file:
        counts = [int(row["clusters"]) for row in csv.DictReader(file)]
    assert counts == found.curve.counts.tolist()
    save_count(found, out, folders="copies")
    assert not any(p.is_symlink() for p in (out / "clusters").rglob("*.png"))


def test_without_answers_count_interval_and_clusters_are_of_one_decision(crops, cache):
    found = count_folder(crops, cache=cache)
    assert found.method == "decision"
    assert found.pairs == 0
    assert found.low <= found.count <= found.high
    assert found.count == found.labels.max() + 1
    assert any("clusters at a cosine distance of 0." in line for line in found.evidence())
    assert any("answer some pairs" in line for line in found.evidence())


def test_the_answers_hold_clusters_together_and_apart(crops, cache):
    book = AnswerBook([])

    def keep(names):
        nonlocal book
        book = AnswerBook(names)
        return book

    found = count_folder(crops, cache=cache, options=Options(target=0), book=keep, judge=_by_truth_of_some(80))
    must, apart = book.links()
    assert must
    assert apart
    assert all(found.labels[a] == found.labels[b] for a, b in must)
    assert all(found.labels[a] != found.labels[b] for a, b in apart)


def _by_truth_of_some(budget):
    return lambda book, paths: truth_judge(read_values("folders", book.names), budget=budget, book=book)


def test_a_foreign_folder_named_clusters_is_not_emptied(crops, cache, tmp_path):
    found = count_folder(crops, cache=cache)
    (tmp_path / "clusters").mkdir()
    (tmp_path / "clusters" / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="another --out"):
        save_count(found, tmp_path)
    assert (tmp_path / "clusters" / "mine.txt").exists()


@pytest.mark.slow
def test_an_interrupted_asking_goes_on_and_ends_the_same(crops, cache, tmp_path):
    whole = count_folder(crops, cache=cache, options=Options(target=0.2), judge=_by_truth)
    file = tmp_path / "answers.csv"
    kept = lambda names: AnswerBook(names, file)  # noqa: E731
    part = count_folder(crops, cache=cache, options=Options(target=0.2), book=kept, judge=_by_truth_of_some(15))
    assert part.pairs == 15
    assert part.method == "decision"
    rest = count_folder(crops, cache=cache, options=Options(target=0.2), book=kept, judge=_by_truth)
    assert (rest.count, rest.low, rest.high, rest.pairs) == (whole.count, whole.low, whole.high, whole.pairs)
    np.testing.assert_array_equal(rest.labels, whole.labels)
