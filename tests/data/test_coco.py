"""COCO labels: what each field means, round trips, pycocotools as the second opinion, and wrong files."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from packed_scenes.data import InputError, LabelledScene, Objects, read_coco, write_coco
from packed_scenes.data.coco import to_coco, write_coco_results
from tests.data.strategies import objects
from tests.real import SHARED, needs

GOOD: dict[str, Any] = {
    "images": [
        {"id": 1, "file_name": "a.jpg", "width": 100, "height": 80},
        {"id": "two", "file_name": "sub\\a.jpg"},
        {"id": 3, "file_name": "empty.jpg", "width": 10, "height": 10},
    ],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 9, "bbox": [1, 2, 30, 40]},
        {"id": 2, "image_id": 1, "category_id": 4, "bbox": [50, 2, 30, 40.5], "identity_uncertain": 1},
        {"id": 3, "image_id": 1, "category_id": 4, "bbox": [0, 50, 100, 30], "iscrowd": 1},
        {"id": 4, "image_id": "two", "category_id": 4, "bbox": [0, 0, 9, 9], "ignore": 1},
        {"id": 5, "image_id": "two", "category_id": 4, "bbox": [5, 5, 900, 9], "object_id": "mine"},
    ],
    "categories": [{"id": 9, "name": "cola"}, {"id": 4, "name": "tea"}],
}


def written(folder: Path, content: Any) -> Path:
    file = folder / "labels.json"
    file.write_text(json.dumps(content))
    return file


def test_what_each_field_means(tmp_path: Path) -> None:
    first, second, empty = read_coco(written(tmp_path, GOOD))
    assert first.image == tmp_path / "a.jpg"
    assert second.image == tmp_path / "sub" / "a.jpg"
    assert [s.name for s in (first, second, empty)] == ["a.jpg", "sub__a.jpg", "empty"]
    assert first.size == (100, 80)
    assert second.size is None
    assert first.truth.xyxy.tolist() == [[1, 2, 31, 42], [50, 2, 80, 42.5]]
    assert first.truth.cluster is not None
    assert first.truth.cluster.tolist() == [0, 1]
    assert first.categories == ("cola", "tea")
    assert first.identity_uncertain is not None
    assert first.identity_uncertain.tolist() == [False, True]
    assert first.ignore.tolist() == [[0, 50, 100, 80]]
    assert second.truth.object_id.tolist() == ["mine"]
    assert len(empty.truth) == 0
    assert empty.truth.cluster is not None


def test_pictures_beside_the_file_or_in_its_images_folder_or_elsewhere(tmp_path: Path) -> None:
    file = written(tmp_path, GOOD)
    assert read_coco(file, images=tmp_path / "else")[0].image == tmp_path / "else" / "a.jpg"
    (tmp_path / "images").mkdir()
    assert read_coco(file)[0].image == tmp_path / "images" / "a.jpg"


@needs("shelf_scenes/annotations.json")
def test_real_labels_agree_with_pycocotools() -> None:
    coco = pytest.importorskip("pycocotools.coco")
    file = SHARED / "shelf_scenes/annotations.json"
    reference = coco.COCO(str(file))
    scenes = read_coco(file)
    assert len(scenes) == 13
    assert sum(len(s.truth) for s in scenes) == 346
    for scene, image_id in zip(scenes, reference.getImgIds(), strict=True):
        expected = reference.loadAnns(reference.getAnnIds(imgIds=[image_id], iscrowd=False))
        boxes = np.array(
            [[a["bbox"][0], a["bbox"][1], a["bbox"][0] + a["bbox"][2], a["bbox"][1] + a["bbox"][3]] for a in expected]
        )
        np.testing.assert_allclose(scene.truth.xyxy, boxes)
        names = [scene.categories[c] for c in scene.truth.cluster]  # type: ignore[union-attr]
        assert names == [reference.cats[a["category_id"]]["name"] for a in expected]
        assert scene.warnings == ()


@settings(max_examples=30, deadline=None)
@given(objects(complete=True))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, made: Objects) -> None:
    folder = tmp_path_factory.mktemp("coco")
    made = made.select(made.cluster >= 0) if made.cluster is not None else made
    scene = LabelledScene(
        folder / "a.jpg",
        "a",
        made,
        size=(1000, 1000),
        ignore=np.array([[0, 0, 5, 6.5]], np.float32),
        identity_uncertain=np.arange(len(made)) % 2 == 0,
        categories=("w", "x", "y", "z"),
    )
    write_coco(folder / "a.json", [scene])
    (found,) = read_coco(folder / "a.json")
    np.testing.assert_allclose(found.truth.xyxy, made.xyxy, atol=2e-3)
    np.testing.assert_array_equal(found.truth.cluster, made.cluster)
    np.testing.assert_array_equal(found.identity_uncertain, scene.identity_uncertain)
    np.testing.assert_array_equal(found.ignore, scene.ignore)
    assert found.truth.object_id.tolist() == made.object_id.tolist()
    assert found.categories == scene.categories
    assert found.size == scene.size


def test_clusters_become_categories_and_noise_one_of_its_own(tmp_path: Path) -> None:
    made = Objects.from_boxes([[0, 0, 1, 1], [1, 1, 2, 2]], cluster=[2, -1])
    coco = to_coco([LabelledScene(tmp_path / "a.jpg", "a", made)])
    assert [c["name"] for c in coco["categories"]] == ["0", "1", "2", "noise"]
    assert [a["category_id"] for a in coco["annotations"]] == [3, 4]
    assert to_coco([]) == {"images": [], "annotations": [], "categories": []}


def test_writing_refuses_what_one_file_cannot_hold(tmp_path: Path) -> None:
    scene = LabelledScene(tmp_path / "a.jpg", "a", Objects.empty(), categories=("x",))
    with pytest.raises(InputError, match=r"two scenes have the picture name 'a\.jpg'"):
        to_coco([scene, LabelledScene(tmp_path / "b" / "a.jpg", "b", Objects.empty(), categories=("x",))])
    with pytest.raises(InputError, match="different categories"):
        to_coco([scene, LabelledScene(tmp_path / "b.jpg", "b", Objects.empty(), categories=("y",))])


def test_results_for_a_scorer(tmp_path: Path) -> None:
    found = Objects.from_boxes([[1, 2, 4, 6]], score=[0.5], class_id=[3])
    write_coco_results(tmp_path / "r.json", {7: found})
    expected = {"image_id": 7, "category_id": 3, "bbox": [1.0, 2.0, 3.0, 4.0], "score": 0.5}
    assert json.loads((tmp_path / "r.json").read_text()) == [expected]
    write_coco_results(tmp_path / "r.json", {7: found}, category_id=1)
    assert json.loads((tmp_path / "r.json").read_text())[0]["category_id"] == 1


def change(*path: Any, to: Any = None) -> Callable[[dict[str, Any]], None]:
    def apply(content: Any) -> None:
        for step in path[:-1]:
            content = content[step]
        content[path[-1]] = to

    return apply


def append(name: str, entry: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content[name].append(entry)


NAN = float("nan")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (change("images", to={}), "is no COCO label file"),
        (change("annotations", to={}), "annotations must be a list, got dict"),
        (change("categories", to=None), "categories must be a list, got None"),
        (change("images", 0, to=5), "image 0: id must be a number or text, got None"),
        (change("images", 0, "file_name", to="../a.jpg"), "image 0: unsafe or empty picture name '../a.jpg'"),
        (change("images", 0, "file_name", to="/etc/passwd"), "unsafe or empty picture name '/etc/passwd'"),
        (change("images", 0, "file_name", to="C:/a.jpg"), "unsafe or empty picture name"),
        (change("images", 0, "file_name", to="a\0.jpg"), "unsafe or empty picture name"),
        (change("images", 0, "file_name", to=None), "unsafe or empty picture name None"),
        (change("images", 0, "width", to=-5), "image 0: width must be a whole number from 1"),
        (change("images", 0, "width", to="9"), "width must be a number, got '9'"),
        (append("images", {"id": 1, "file_name": "z.jpg"}), "image 3: the image id 1 appears twice"),
        (append("images", {"id": 8, "file_name": "a.jpg"}), "the picture 'a.jpg' appears twice"),
        (append("categories", {"id": 4, "name": "x"}), "category 2: the id 4 appears twice"),
        (change("annotations", 0, to=None), "annotation 0: image_id must be"),
        (change("annotations", 0, "image_id", to=99), "annotation 0: image_id 99 is not among the images"),
        (change("annotations", 0, "category_id", to=99), "annotation 0: category_id 99 is not among the categories"),
        (change("annotations", 0, "bbox", to=[1, 2, 3]), r"annotation 0: bbox must be \[x, y, width, height\]"),
        (change("annotations", 0, "bbox", to=[1, 2, "3", 4]), "annotation 0: bbox must be a number, got '3'"),
        (change("annotations", 0, "bbox", to=[1, 2, NAN, 4]), "annotation 0: bbox must be finite, got nan"),
        (change("annotations", 1, "bbox", to=[1, 2, -3, 4]), "annotation 1: the box is reversed"),
        (change("annotations", 1, "bbox", to=[1, 2, 0, 4]), "annotation 1: the box is empty"),
        (
            change("annotations", 1, "bbox", to=[100, 2, 3, 4]),
            r"annotation 1: the box lies outside the picture \(100 x 80\)",
        ),
        (change("annotations", 1, "bbox", to=[-9, 2, 3, 4]), "annotation 1: the box lies outside"),
        (change("annotations", 1, "id", to=1), "annotation 1: the id '1' appears twice .first: annotation 0"),
        (change("annotations", 1, "iscrowd", to="no"), "annotation 1: iscrowd must be 0 or 1, got 'no'"),
        (change("annotations", 1, "identity_uncertain", to=2), "identity_uncertain must be 0 or 1"),
        (change("annotations", 1, "score", to=7), "annotation 1: the score is not within 0 and 1"),
    ],
)
def test_one_clear_line_for_each_way_to_be_wrong(wrong: Callable[[Any], None], message: str, tmp_path: Path) -> None:
    content = copy.deepcopy(GOOD)
    wrong(content)
    file = written(tmp_path, content)
    with pytest.raises(InputError, match=message) as caught:
        read_coco(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert caught.value.remedy
