"""Given boxes in every form: round trips, lookup by picture, and one clear line for each way to be wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from packed_scenes.data import InputError, Objects, read_boxes, write_boxes
from tests.data.strategies import objects
from tests.real import SHARED, needs

quick = settings(max_examples=40, deadline=None)


def written(folder: Path, name: str, content: Any) -> Path:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


@needs("packed_products/test/shelf.json")
def test_the_63_boxes_of_the_authors_photo() -> None:
    content = json.loads((SHARED / "packed_products/test/shelf.json").read_text())
    found, warnings = read_boxes(SHARED / "packed_products/test/shelf.json").for_image("shelf.jpeg", size=(2464, 3280))
    assert warnings == []
    assert found.object_id.tolist() == list(content)
    np.testing.assert_array_equal(found.xyxy, [[b[k] for k in ("x1", "y1", "x2", "y2")] for b in content.values()])


@quick
@given(objects(complete=True))
def test_csv_round_trip(tmp_path_factory: pytest.TempPathFactory, made: Objects) -> None:
    file = tmp_path_factory.mktemp("boxes") / "a.csv"
    write_boxes(file, made)
    found = read_boxes(file).scenes[""]
    np.testing.assert_allclose(found.xyxy, made.xyxy, atol=1e-3)
    np.testing.assert_allclose(found.score, made.score, atol=1e-6)
    for name in ("object_id", "class_id", "cluster", "congregation"):
        if len(made):
            np.testing.assert_array_equal(getattr(found, name), getattr(made, name))


@quick
@given(objects(complete=False))
def test_json_and_yolo_round_trips(tmp_path_factory: pytest.TempPathFactory, made: Objects) -> None:
    folder = tmp_path_factory.mktemp("boxes")
    write_boxes(folder / "a.json", made)
    found = read_boxes(folder / "a.json").scenes[""]
    assert found.object_id.tolist() == made.object_id.tolist()
    np.testing.assert_allclose(found.xyxy, made.xyxy, atol=1e-3)
    if len(made):  # an empty YOLO file is zero bytes
        write_boxes(folder / "a.txt", made, size=(1000, 1000))
        found = read_boxes(folder / "a.txt", size=(1000, 1000)).scenes[""]
        np.testing.assert_allclose(found.xyxy, made.xyxy, atol=1e-3)
        np.testing.assert_array_equal(found.class_id, made.class_id)
        np.testing.assert_allclose(found.score, made.score, atol=1e-6)


def test_csv_of_many_pictures(tmp_path: Path) -> None:
    one, two = Objects.from_boxes([[1, 2, 3, 4]]), Objects.from_boxes([[5, 6, 7, 8], [6, 6, 7, 8]])
    write_boxes(tmp_path / "a.csv", {"x/one.jpg": one, "two.jpg": two})
    found = read_boxes(tmp_path / "a.csv")
    assert found.scenes == {"x/one.jpg": one, "two.jpg": two}
    assert len(found) == 3
    for image in ("x/one.jpg", "/photos/x/one.jpg", "one.jpg", "one", "one.png", "C:\\photos\\one.jpg"):
        assert found.for_image(image)[0] == one
    with pytest.raises(InputError, match=r"a\.csv: has no boxes for the picture 'three\.jpg'; it has 2 pictures"):
        found.for_image("three.jpg")
    with pytest.raises(InputError, match=r"only CSV.*\.csv name"):
        write_boxes(tmp_path / "a.json", {"one.jpg": one})


def test_same_file_name_in_two_folders_needs_the_path(tmp_path: Path) -> None:
    one, two = Objects.from_boxes([[1, 2, 3, 4]]), Objects.from_boxes([[5, 6, 7, 8]])
    write_boxes(tmp_path / "a.csv", {"x/a.jpg": one, "y/a.jpg": two})
    found = read_boxes(tmp_path / "a.csv")
    assert found.for_image("y/a.jpg")[0] == two
    with pytest.raises(InputError, match=r"not clear which boxes 'a\.jpg' has: fits 'x/a\.jpg' and 'y/a\.jpg' equally"):
        found.for_image("a.jpg")


@pytest.mark.parametrize(
    "header", ["x1,y1,x2,y2", "x0,y0,x1,y1", "xmin,ymin,xmax,ymax", "Left, Top, Right, Bottom", "y2,x2,y1,x1"]
)
def test_csv_headers_of_the_field(header: str, tmp_path: Path) -> None:
    row = "8,7,6,5" if header.startswith("y2") else "5,6,7,8"
    assert read_boxes(written(tmp_path, "a.csv", f"{header}\n{row}\n")).scenes[""].xyxy.tolist() == [[5, 6, 7, 8]]


def test_csv_with_extents_other_columns_byte_order_mark_and_blank_lines(tmp_path: Path) -> None:
    text = '\ufeffname,x,y,width,height\r\n"a, b",5,6,2,2\r\n\r\nc,1,1,1,1\r\n'
    found = read_boxes(written(tmp_path, "a.csv", text)).scenes[""]
    assert found.xyxy.tolist() == [[5, 6, 7, 8], [1, 1, 2, 2]]


def test_coco_labels_and_results(tmp_path: Path) -> None:
    coco = {
        "images": [{"id": 7, "file_name": "a.jpg", "width": 100, "height": 100}],
        "annotations": [
            {"id": 3, "image_id": 7, "category_id": 5, "bbox": [1, 2, 3, 4]},
            {"id": 4, "image_id": 7, "category_id": 5, "bbox": [1, 2, 30, 40], "iscrowd": 1},
        ],
    }
    found = read_boxes(written(tmp_path, "a.json", coco)).for_image("a.jpg")[0]
    assert found.xyxy.tolist() == [[1, 2, 4, 6]]
    assert found.object_id.tolist() == ["3"]
    assert found.class_id.tolist() == [5]
    results = [{"image_id": 7, "category_id": 5, "bbox": [1, 2, 3, 4], "score": 0.25}]
    scenes = read_boxes(written(tmp_path, "b.json", results)).scenes
    assert scenes["7"].score.tolist() == [0.25]


def test_clipping_is_told(tmp_path: Path) -> None:
    file = written(
        tmp_path, "a.json", {"a": {"x1": -5, "y1": 2, "x2": 40, "y2": 60.5}, "b": {"x1": 1, "y1": 1, "x2": 2, "y2": 2}}
    )
    assert read_boxes(file).scenes[""].xyxy[0].tolist() == [0, 2, 40, 60.5]
    assert (
        read_boxes(file)
        .warnings[0]
        .endswith("1 boxes reach beyond the picture and were clipped (first: entry 0 ('a'))")
    )
    assert read_boxes(file, size=(30, 60)).scenes[""].xyxy[0].tolist() == [0, 2, 30, 60]
    objects, warnings = read_boxes(file).for_image("x.png", size=(30, 60))
    assert objects.xyxy[0].tolist() == [0, 2, 30, 60]
    assert "picture (30 x 60) and were clipped (first: object 'a')" in warnings[0]
    with pytest.raises(InputError, match=r"object 'a': the box lies outside the picture \(1 x 1\)"):
        read_boxes(file).for_image("x.png", size=(1, 1))


def test_no_boxes_is_told(tmp_path: Path) -> None:
    for name, text in (("a.json", "{}"), ("a.csv", "x1,y1,x2,y2\n")):
        found = read_boxes(written(tmp_path, name, text))
        assert len(found) == 0
        assert found.warnings == (f"{tmp_path / name}: holds no boxes",)


def box(**changes: Any) -> dict[str, Any]:
    return {"a": {"x1": 1, "y1": 2, "x2": 3, "y2": 4} | changes}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (box(x1=9), r"entry 0 \('a'\): the box is reversed \(x1, y1, x2, y2 = 9, 2, 3, 4\)\. Give x1 < x2"),
        (box(x1=3), "the box is empty"),
        (box(x1="1"), r"entry 0 \('a'\): x1 must be a number, got '1'"),
        (box(x1=True), "must be a number, got True"),
        (box(x1=None), "must be a number, got None"),
        (box(x1=[1]), "must be a number, got list"),
        (box(x1=float("nan")), "x1 must be finite, got nan"),
        (box(x2=float("inf")), "x2 must be finite"),
        (box(x2=10**400), "x2 must be finite"),
        (box(x2=1e9), "absurdly large"),
        (box(x1=-9, x2=-3), "lies outside the picture"),
        ({"a": {"x1": 1, "y1": 2, "x2": 3}}, "needs x1, y1, x2 and y2"),
        ({"a": [1, 2, 3, 4]}, "needs x1, y1, x2 and y2"),
        ({"": box()["a"]}, "an id must be 1 to 200 printable characters"),
        ({"x" * 201: box()["a"]}, "an id must be 1 to 200"),
        ({"a\nb": box()["a"]}, "an id must be 1 to 200"),
        ('{"\\ud800": {"x1": 1, "y1": 2, "x2": 3, "y2": 4}}', "an id must be 1 to 200"),
        ('{"a": {"x1": 1}, "a": {"x1": 1}}', "the key 'a' appears twice"),
        ("[1, 2]", "is no box file that is known"),
        ('{"a": ', "is no valid JSON .Expecting value, line 1, column 7"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "a number is too long"),
        ("x1,y1,x2\n1,2,3\n", "lacks the columns x1, y1, x2, y2 .found: 'x1', 'y1', 'x2'"),
        ("x1,y1,x2,y2\n1,2,3\n", "line 2: has 3 cells, the header has 4"),
        ("x1,y1,x2,y2\n1,2,nan,4\n", "line 2: x2 must be a finite number"),
        ("x1,y1,x2,y2\n1,2,,4\n", "line 2: x2 must be a finite number, got ''"),
        ("x1,y1,x2,y2\n5,2,3,4\n", "line 2: the box is reversed"),
        ("x1,y1,x2,y2,score\n1,2,3,4,5\n", "line 2: score must be within 0 and 1"),
        ("x1,y1,x2,y2,cluster\n1,2,3,4,-2\n", "line 2: cluster must be a whole number from -1"),
        ("x1,y1,x2,y2,class_id\n1,2,3,4,.5\n", "line 2: class_id must be a whole number from 0"),
        ("x1,y1,x2,y2,x1\n1,2,3,4,5\n", "the column 'x1' appears twice"),
        ("image,x1,y1,x2,y2\n,1,2,3,4\n", "line 2: unsafe or empty picture name ''"),
        ('x1,y1,x2,y2\n1,2,3,"4\n', "is no valid CSV"),
        ("just some text", "is no box file that is known"),
        ("", "the file is empty"),
        ([{"bbox": [1, 2, 3]}], "result 0: image_id must be"),
    ],
)
def test_one_clear_line_for_each_way_to_be_wrong(content: Any, message: str, tmp_path: Path) -> None:
    file = written(tmp_path, "boxes.any", content)
    with pytest.raises(InputError, match=message) as caught:
        read_boxes(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert caught.value.remedy
    assert len(str(caught.value)) < 500


def test_no_text_and_wrong_suffix(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xff\xfe{\0}\0")  # UTF-16 that says so
    assert len(read_boxes(tmp_path / "a.json")) == 0
    (tmp_path / "a.json").write_bytes(b"\xff{\0}\0")
    with pytest.raises(InputError, match=r"no UTF-8 text \(byte 0\)"):
        read_boxes(tmp_path / "a.json")
    with pytest.raises(InputError, match=r"Use \.json, \.csv or \.txt"):
        write_boxes(tmp_path / "a.xml", Objects.empty())
    with pytest.raises(InputError, match="need the picture's size"):
        write_boxes(tmp_path / "a.txt", Objects.empty())


def test_a_table_of_frames_fits_pictures_by_their_number(tmp_path: Path) -> None:
    table = tmp_path / "tracks.csv"
    table.write_text("file,person_id,frame,x0,y0,x1,y1\na.jpg,1,10,1,2,3,4\nb.jpg,2,10,5,6,7,8\nc.jpg,1,15,1,2,3,4\n")
    found = read_boxes(table)
    assert len(found.for_image("frames/000010.jpg")[0]) == 2
    assert found.name_of("clip_000015.png") == "15"
    with pytest.raises(InputError, match="no boxes"):
        found.name_of("000011.jpg")
