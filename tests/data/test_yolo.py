"""YOLO labels: lines, data sets, round trips, wrong files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from packed_scenes.data import InputError, LabelledScene, Objects, read_yolo, write_image, write_yolo
from packed_scenes.data.yolo import format_yolo, is_yolo, parse_yolo
from tests.data.strategies import objects

SIZE = (200, 100)


def test_lines_scores_and_polygons() -> None:
    found, warnings = parse_yolo("0 .5 .5 .5 .5\n\n2 .5 .5 .1 .2 .25\n1 .1 .2 .3 .2 .2 .6\n", file="a.txt", size=SIZE)
    np.testing.assert_allclose(found.xyxy, [[50, 25, 150, 75], [90, 40, 110, 60], [20, 20, 60, 60]], rtol=1e-6)
    assert found.class_id.tolist() == [0, 2, 1]
    np.testing.assert_allclose(found.score, [1, 0.25, 1])
    assert warnings == []
    assert len(parse_yolo("", file="a.txt", size=SIZE)[0]) == 0


def test_rounding_beyond_the_edge_is_clipped_in_silence_and_more_is_told() -> None:
    found, warnings = parse_yolo("0 .5 .5 1.001 1\n", file="a.txt", size=SIZE)
    assert found.xyxy.tolist() == [[0, 0, 200, 100]]
    assert warnings == []
    assert "1 boxes reach beyond" in parse_yolo("0 .5 .5 1.2 1\n", file="a.txt", size=SIZE)[1][0]


@settings(max_examples=40, deadline=None)
@given(objects(complete=False))
def test_round_trip(made: Objects) -> None:
    text = format_yolo(made, size=(1000, 1000), scores=True)
    found, _ = parse_yolo(text, file="a.txt", size=(1000, 1000))
    np.testing.assert_allclose(found.xyxy, made.xyxy, atol=1e-3)
    np.testing.assert_array_equal(found.class_id, made.class_id)
    assert is_yolo(text) == bool(len(made))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 .5 .5 .1\n", "line 1: must be 'class x y width height"),
        ("0 .5 .5 .1 x\n", "line 1: must be"),
        ("0 .5 .5 .1 nan\n", "line 1: must be"),
        ("0 .1 .1 .1 .1 .1 .1 .1\n", "line 1: must be"),
        (".5 .5 .5 .1 .1\n", "line 1: the class must be a whole number"),
        ("-1 .5 .5 .1 .1\n", "the class must be a whole number from 0"),
        ("9 .5 .5 .1 .1\n", "the class must be a whole number from 0 to 2"),
        ("0 50 50 10 10\n", "line 1: must hold fractions of the picture's size.*Divide x"),
        ("0 .5 .5 -.1 .1\n", "line 1: the box is reversed"),
        ("0 .5 .5 0 .1\n", "line 1: the box is empty"),
        ("0 1.4 .5 .1 .1\n", "line 1: the box lies outside"),
        ("0 .5 .5 .1 .1 1.4\n", "line 1: the score is not within"),
    ],
)
def test_wrong_lines(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parse_yolo(text, file="a.txt", size=SIZE, classes=3)
    assert str(caught.value).startswith("a.txt: ")
    assert caught.value.remedy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        write_image(tmp_path / "images" / f"{name}.png", np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
    return tmp_path


def test_data_set_round_trip(folder: Path) -> None:
    truth = Objects.from_boxes([[10, 20, 30, 40], [0, 0, 200, 100]], cluster=[1, 0])
    names = ("cola: 1 l", "tea # green")
    scenes = [
        LabelledScene(folder / "images" / "a.png", "a", truth, size=SIZE, categories=names),
        LabelledScene(folder / "images" / "b.png", "b", Objects.empty(), size=SIZE, categories=names),
    ]
    write_yolo(folder / "set.yaml", scenes)
    first, second = read_yolo(folder / "set.yaml")
    np.testing.assert_allclose(first.truth.xyxy, truth.xyxy, atol=1e-4)
    np.testing.assert_array_equal(first.truth.cluster, [1, 0])
    assert first.categories == names
    assert first.size == SIZE
    assert len(second.truth) == 0
    assert first.load().name == "a"


def test_a_picture_without_labels_and_a_list_of_pictures(folder: Path) -> None:
    (folder / "list.txt").write_text("images/b.png\n\nimages/a.png\n")
    (folder / "set.yaml").write_text("val: list.txt\ntest: [images]\nnames: [x]\n")
    assert [s.name for s in read_yolo(folder / "set.yaml")] == ["b", "a"]
    assert [s.name for s in read_yolo(folder / "set.yaml", split="test")] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("names: [x]\ntrain: images\n", r"has no split 'val' \(there: train\)"),
        ("val: images\n", "names must list the classes"),
        ("val: images\nnames: {a: b}\n", "names must list the classes"),
        ("val: images\nnames: [{a: b}]\n", "class 0: an id must be"),
        ("val: nowhere\nnames: [x]\n", "names a folder that is not there"),
        (f"val: {'é' * 300}\nnames: [x]\n", "names a folder that is not there"),
        ('val: "a\\0b"\nnames: [x]\n', "names a folder that is not there"),
        ("- a\n- b\n", "is no data set description"),
        ("a: [\n", "is no valid YAML"),
        ("a: !!python/object/apply:os.system [id]\n", "is no valid YAML"),
        ("a: &a [" + "[" * 5000 + "\n", "is no valid YAML"),
    ],
)
def test_wrong_data_sets(text: str, message: str, folder: Path) -> None:
    (folder / "set.yaml").write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_yolo(folder / "set.yaml")
    assert caught.value.remedy


def test_yaml_that_would_swell_does_not(folder: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    (folder / "set.yaml").write_text("\n".join([*lines, "val: images", "names: *a11"]))
    with pytest.raises(InputError, match="class 0: an id must be"):
        read_yolo(folder / "set.yaml")


def test_writing_refuses_noise_and_pictures_elsewhere(folder: Path) -> None:
    noise = Objects.from_boxes([[1, 1, 2, 2]], cluster=[-1])
    with pytest.raises(InputError, match="no noise class"):
        write_yolo(folder / "set.yaml", [LabelledScene(folder / "images" / "a.png", "a", noise, size=SIZE)])
    with pytest.raises(InputError, match="the picture is not in"):
        write_yolo(folder / "set.yaml", [LabelledScene(folder / "a.png", "a", Objects.empty(), size=SIZE)])
