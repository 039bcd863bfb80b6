"""COCO labels: what each field means, round trips, pycocotools as the second opinion, and wrong files."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from packed_scenes.data import InputError, LabelledScene, Objects, read_coco, write_coco
from packed_scenes.data.coco import coco_boxes, to_coco
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
    assert [s.name for s in (first, second, empty)] == ["a", "sub__a", "empty"]
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
    with pytest.raises(InputError, match="else: is no folder"):
        read_coco(file, images=tmp_path / "else")
    (tmp_path / "else").mkdir()
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
    twice = to_coco([scene, LabelledScene(tmp_path / "b" / "a.jpg", "b", Objects.empty(), categories=("x",))])
    assert [i["file_name"] for i in twice["images"]] == ["a.jpg", "b/a.jpg"]
    with pytest.raises(InputError, match="different categories"):
        to_coco([scene, LabelledScene(tmp_path / "b.jpg", "b", Objects.empty(), categories=("y",))])


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
        (change("categories", to=5), "categories must be a list, got 5"),
        (change("images", 0, to=5), r"1 left out: id must be a number or text, got None \(image 0\)"),
        (change("images", 0, "file_name", to="a\0.jpg"), "unsafe or empty picture name"),
        (change("images", 0, "file_name", to=None), "unsafe or empty picture name None"),
        (change("images", 0, "width", to=-5), "width must be a whole number from 1"),
        (change("images", 0, "width", to="nine"), "width must be a number, got 'nine'"),
        (append("images", {"id": 1, "file_name": "z.jpg"}), r"the image id 1 appears twice \(image 3\)"),
        (
            append("images", {"id": 8, "file_name": "a.jpg"}),
            "1 pictures are listed more than once; their entries were put together",
        ),
        (append("categories", {"id": 4, "name": "x"}), "category 2: the id 4 appears twice"),
        (change("annotations", 0, to=None), r"image_id must be .* \(annotation 0\)"),
        (
            change("annotations", 0, "image_id", to=99),
            r"1 left out: image_id 99 is not among the images \(annotation 0\)",
        ),
        (change("annotations", 0, "category_id", to=99), "category_id 99 is not among the categories"),
        (change("annotations", 0, "bbox", to=[1, 2, 3]), r"bbox must be \[x, y, width, height\]"),
        (change("annotations", 0, "bbox", to=[1, 2, "3", 4]), "bbox must be a number, got '3'"),
        (change("annotations", 0, "bbox", to=[1, 2, NAN, 4]), "bbox must be finite, got nan"),
        (change("annotations", 1, "bbox", to=[1, 2, -3, 4]), r"1 left out: the box is reversed \(annotation 1\)"),
        (change("annotations", 1, "bbox", to=[1, 2, 0, 4]), "the box is empty"),
        (
            change("annotations", 1, "bbox", to=[100, 2, 3, 4]),
            r"the box lies outside the picture \(100 x 80\)",
        ),
        (change("annotations", 1, "bbox", to=[-9, 2, 3, 4]), "the box lies outside"),
        (change("annotations", 1, "id", to=1), r"ids that appear twice were numbered \(first: annotation 1, '1'\)"),
        (change("annotations", 1, "iscrowd", to="no"), "iscrowd must be 0 or 1, got 'no'"),
        (change("annotations", 1, "identity_uncertain", to=2), "identity_uncertain must be 0 or 1"),
        (change("annotations", 1, "score", to=7), "the score is not within 0 and 1"),
    ],
)
def test_one_clear_line_for_each_way_to_be_wrong(wrong: Callable[[Any], None], message: str, tmp_path: Path) -> None:
    content = copy.deepcopy(GOOD)
    wrong(content)
    file = written(tmp_path, content)
    try:
        told = [line for scene in read_coco(file) for line in scene.warnings]
    except InputError as error:  # the file as a whole is wrong
        told = [str(error)]
    assert any(re.search(message, line) and line.startswith(f"{file}: ") for line in told), told


def test_nothing_good_is_an_error(tmp_path: Path) -> None:
    content = copy.deepcopy(GOOD)
    for entry in content["annotations"]:
        entry["bbox"] = [1, 2, 0, 4]
    with pytest.raises(InputError, match=r"annotation 0: the box is empty \(x1, y1, x2, y2 = 1, 2, 1, 6\)\. Remove it"):
        read_coco(written(tmp_path, content))


def test_pictures_are_found_by_the_end_of_their_path_and_never_outside(tmp_path: Path) -> None:
    content = copy.deepcopy(GOOD)
    names = ["/data/upload/1/0a1b2c3d-a.jpg", "../../media/b.jpg", "C:\\photos\\x\\c.jpg"]
    for entry, name in zip(content["images"], names, strict=False):
        entry["file_name"] = name
    for name in ("0a1b2c3d-a.jpg", "b.jpg", "x/c.jpg", "y/c.jpg"):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / name).touch()
    found = [s.image.relative_to(tmp_path / "images").as_posix() for s in read_coco(written(tmp_path, content))]
    assert found == ["0a1b2c3d-a.jpg", "b.jpg", "x/c.jpg"][: len(found)]
    content["images"][0]["file_name"] = "/etc/passwd"
    assert read_coco(written(tmp_path, content))[0].image == tmp_path / "images" / "passwd"


def test_class_ids_are_those_of_the_categories(tmp_path: Path) -> None:
    boxes = [
        {"id": i, "image_id": 1, "category_id": key, "bbox": [9 * i, 1, 5, 5]} for i, key in enumerate(("7", 3.0, 9))
    ]
    content = {"images": [{"id": "1", "file_name": "a.jpg"}], "annotations": boxes,
               "categories": [{"id": k, "name": f"n{k}"} for k in (3, 7, 9)]}  # fmt: skip
    (scene,) = read_coco(written(tmp_path, content))
    assert scene.truth.class_id.tolist() == [1, 0, 2]
    assert scene.truth.cluster is not None
    assert scene.truth.cluster.tolist() == [1, 0, 2]


def test_rotated_boxes_and_outlines_become_upright_boxes(tmp_path: Path) -> None:
    notes = [
        {"id": 1, "bbox": [10, 25, 60, 10], "attributes": {"occluded": False, "rotation": 90.0}},
        {"id": 2, "bbox": [10, 25, 60, 10], "attributes": {"rotation": 360}},
        {"id": 3, "bbox": [], "segmentation": [[1, 2, 5, 2, 5, 9]]},
        {"id": 4, "segmentation": {"counts": [0, 2, 2, 2, 2], "size": [4, 2]}},
    ]
    content = {"images": [{"id": 1, "file_name": "a.jpg"}], "categories": [{"id": 1, "name": "x"}],
               "annotations": [{"image_id": 1, "category_id": 1, **note} for note in notes]}  # fmt: skip
    (scene,) = read_coco(written(tmp_path, content))
    assert scene.truth.xyxy.tolist() == [[35, 0, 45, 60], [10, 25, 70, 35], [1, 2, 5, 9], [0, 0, 2, 2]]
    assert "1 rotated boxes became the upright boxes around them (first: annotation 0)" in scene.warnings[0]


def test_a_category_below_zero_costs_its_entry_and_renames_no_other() -> None:
    pictures = [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 100}]
    entries = [{"id": i, "image_id": 1, "category_id": c, "bbox": [20 * i, 1, 9, 9]} for i, c in ((1, -1), (2, 7))]
    found = coco_boxes({"images": pictures, "annotations": entries, "categories": []}, "c.json")
    assert found.names == ()
    assert found.scenes["a.jpg"].class_id.tolist() == [7]
    assert "category_id must be a whole number" in found.warnings[0]
