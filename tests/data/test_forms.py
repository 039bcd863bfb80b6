"""Labels as the tools of the field export them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from packed_scenes.data import InputError, Objects, read_boxes, read_yolo, write_image
from packed_scenes.data.convert import from_label_studio
from packed_scenes.data.xml_write import format_cvat, format_voc


def corners(found):
    return {name: objects.xyxy.round(3).tolist() for name, objects in found.scenes.items()}


def test_sku110k_without_a_header_and_with_an_empty_picture(tmp_path):
    file = tmp_path / "annotations_train.csv"
    file.write_text("train_0.jpg,208,537,422,814,object,3024,3024\ntrain_0.jpg,9,9,9,20,object,3024,3024\n"
                    "train_1.jpg,,,,,,10,20\n")  # fmt: skip
    found = read_boxes(file)
    assert corners(found) == {"train_0.jpg": [[208, 537, 422, 814]], "train_1.jpg": []}
    assert found.sizes["train_0.jpg"] == (3024, 3024)
    assert "1 left out: the box is empty (line 2)" in found.warnings[0]
    with pytest.raises(InputError, match="its labels say 3024 x 3024"):
        found.for_image("train_0.jpg", size=(300, 300))


def test_class_names_sizes_semicolons_and_fractions(tmp_path):
    file = tmp_path / "b.csv"
    file.write_text(
        "filename;width;height;class;xmin;ymin;xmax;ymax\r\na.jpg;80;60;tea;1,5;2;10;20\r\na.jpg;80;60;cola;1;2;9;9\r\n"
    )
    found = read_boxes(file)
    assert corners(found) == {"a.jpg": [[1.5, 2, 10, 20], [1, 2, 9, 9]]}
    assert (found.names, found.scenes["a.jpg"].class_id.tolist(), found.sizes) == (
        ("cola", "tea"), [1, 0], {"a.jpg": (80, 60)},
    )  # fmt: skip
    file.write_text("ImageID,XMin,XMax,YMin,YMax\na,0.1,0.5,0.2,0.4\n".replace("ImageID", "image"))
    assert read_boxes(file).for_image("a.jpg", size=(100, 50))[0].xyxy.tolist() == [[10, 10, 50, 20]]


def test_a_folder_of_yolo_files(tmp_path):
    for name, text in (("a", "0 .5 .5 .5 .5\n0 .5 .5 0 .5\n"), ("sub/b", ""), ("bad", "hello there my dear friend\n")):
        (tmp_path / "labels" / f"{name}.txt").parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "labels" / f"{name}.txt").write_text(text)
    (tmp_path / "labels" / "classes.txt").write_text("cola\n")
    found = read_boxes(tmp_path / "labels").assign(["/p/a.jpg", "/p/sub/b.png"])
    assert found.names == ("cola",)
    assert found.for_image("/p/a.jpg", size=(40, 20))[0].xyxy.tolist() == [[10, 5, 30, 15]]
    assert len(found.for_image("/p/sub/b.png", size=(40, 20))[0]) == 0
    assert any("bad" in line for line in found.warnings)


def test_pascal_voc_files_and_a_folder_of_them(tmp_path):
    made = Objects.from_boxes([[1, 2, 30, 40], [5, 5, 9, 9]])
    for name, labels in (("a", ["tea", "cola"]), ("b", ["cola", "milk"])):
        (tmp_path / f"{name}.xml").write_text(format_voc("old name.jpg", made, labels, size=(80, 60)))
    one = read_boxes(tmp_path / "a.xml")
    assert corners(one) == {"a": made.xyxy.tolist()}
    assert one.sizes == {"a": (80, 60)}
    all_ = read_boxes(tmp_path)
    assert all_.names == ("cola", "milk", "tea")
    assert [all_.scenes[n].class_id.tolist() for n in "ab"] == [[2, 0], [0, 1]]
    assert len(all_.for_image("b.jpg", size=(80, 60))[0]) == 2
    (tmp_path / "c.xml").write_text('<!DOCTYPE a [<!ENTITY b "c">]><annotation/>')
    with pytest.raises(InputError, match="declares XML entities"):
        read_boxes(tmp_path / "c.xml")


def test_cvat_images_tracks_and_rotation(tmp_path):
    file = tmp_path / "annotations.xml"
    file.write_text(format_cvat([("cam1/a.jpg", Objects.from_boxes([[1, 2, 3, 4]]), ["tea"], (80, 60))]))
    assert corners(read_boxes(file)) == {"cam1/a.jpg": [[1, 2, 3, 4]]}
    file.write_text(
        '<?xml version="1.0" encoding="utf-8"?><annotations><image id="0" name="a.jpg" width="80" height="60">'
        '<box label="x" xtl="10" ytl="25" xbr="70" ybr="35" rotation="90"/>'
        '<polygon label="y" points="1,2;5,2;5,9"/><points label="z" points="1,1"/></image>'
        '<track id="7" label="x"><box frame="3" outside="0" xtl="1" ytl="1" xbr="5" ybr="5"/>'
        '<box frame="4" outside="1" xtl="1" ytl="1" xbr="5" ybr="5"/></track></annotations>'
    )
    found = read_boxes(file)
    assert corners(found) == {"a.jpg": [[35, 0, 45, 60], [1, 2, 5, 9]], "3": [[1, 1, 5, 5]]}
    assert found.scenes["3"].object_id.tolist() == ["7"]
    assert "1 shapes of the kind 'points' are no boxes" in found.warnings[-1]


def region(**changes):
    value = {"x": 10, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["cola"]}
    made = {"id": "r1", "type": "rectanglelabels", "to_name": "image", "original_width": 400, "original_height": 300}
    return made | {"image_rotation": 0, "value": value | changes.pop("value", {})} | changes


def task(*annotations, data=None):
    return {"data": data or {"image": "/data/upload/1/a.jpg"}, "annotations": list(annotations)}


GOOD = {"result": [region()], "was_cancelled": False}
BOX = [[40, 30, 120, 90]]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (task(GOOD), BOX),
        (task({"result": [], "was_cancelled": True}, GOOD), BOX),
        (task({"result": []}) | {"predictions": [GOOD]}, []),  # a person found nothing
        ({"data": {"image": "/data/upload/1/a.jpg"}, "completions": [GOOD]}, BOX),
        (task({"result": [region(type="rectangle", value={"rectanglelabels": None}),
                          {"id": "r1", "type": "labels", "value": {"labels": ["cola"]}}]}), BOX),
        (task(GOOD, data={"store": "Berlin", "photo": "/data/upload/1/a.jpg"}), BOX),
        (task({"result": [region(value={"rotation": 360})]}), BOX),
        (task({"result": [region(value={"rotation": 90})]}), [[0, 30, 40, 110]]),
        (task({"result": [region(), region(id="z", value={"width": 0})]}), BOX),
        (task({"result": [region(), {"id": "k", "type": "keypointlabels", "value": {"x": 1, "y": 1}}]}), BOX),
        (task({"result": [region(type="ellipselabels", value={"radiusX": 5, "radiusY": 10})]}), [[20, 0, 60, 60]]),
        ({"image": "/data/upload/1/a.jpg", "label": [{**region(), **region()["value"]}]}, BOX),
    ],
)  # fmt: skip
def test_label_studio(given, expected, tmp_path):
    ((name, (objects, labels)),) = from_label_studio([given]).items()
    assert name == "/data/upload/1/a.jpg"
    np.testing.assert_allclose(objects.xyxy, np.array(expected, np.float32).reshape(-1, 4), atol=1e-3)
    assert labels == ["cola"] * len(expected)
    (tmp_path / "tasks.json").write_text(json.dumps([given]))
    found = read_boxes(tmp_path / "tasks.json")
    assert len(found.for_image("a.jpg", size=(400, 300))[0]) == len(expected)


def test_a_picture_turned_in_label_studio_is_refused():
    with pytest.raises(InputError, match="the picture was turned by 90 degrees in the editor"):
        from_label_studio([task({"result": [region(image_rotation=90)]})])


def test_roboflow_yolo_as_it_is_exported(tmp_path):
    for split in ("train", "valid"):
        for i in range(2):
            write_image(tmp_path / split / "images" / f"{i}.png", np.zeros((60, 80, 3), np.uint8))
            (tmp_path / split / "labels").mkdir(exist_ok=True)
            (tmp_path / split / "labels" / f"{i}.txt").write_text("0 .5 .5 .5 .5\n")
    (tmp_path / "train" / "images" / "z.png").write_text("no picture")
    (tmp_path / "data.yaml").write_text("train: ../train/images\nvalid: ../valid/images\nnc: 1\n")
    train = read_yolo(tmp_path / "data.yaml", split="train")
    assert len(train) == 2
    assert "1 left out" in train[0].warnings[0]
    assert "z.png" in train[0].warnings[0]
    assert [s.image.parts[-3] for s in read_yolo(tmp_path / "data.yaml")] == ["valid", "valid"]


def test_a_file_without_boxes_is_an_answer(tmp_path):
    for name, text in (("a.csv", "image,x1,y1,x2,y2\n"), ("b.json", "{}"), ("c.csv", "x1,y1,x2,y2\n")):
        (tmp_path / name).write_text(text)
        found = read_boxes(tmp_path / name)
        assert found
        assert len(found) == 0


def test_tables_of_other_libraries(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text(
        "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\nabc,x,/m/1,1,.1,.2,.3,.4\nb,x,/m/1,1,.1,.2,.3,.4\n"
    )
    found = read_boxes(file)  # Open Images
    assert set(found.scenes) == {"abc", "b"}
    assert found.for_image("abc.jpg", size=(100, 200))[0].xyxy.round(2).tolist() == [[10, 60, 20, 80]]
    file.write_text("x_min,y_min,x_max,y_max,class_id,confidence,tracker_id,image\n1,2,30,40,0,0.5,,a.jpg\n")
    found = read_boxes(file)  # supervision
    assert corners(found) == {"a.jpg": [[1, 2, 30, 40]]}
    assert found.scenes["a.jpg"].score.tolist() == [0.5]
    file.write_text("x1,y1,x2,y2,confidence\n1,2,30,40,-1\n")  # -1 = none, as in MOT's files
    assert read_boxes(file).scenes[""].score.tolist() == [1]


@pytest.mark.parametrize(
    ("content", "tool"),
    [
        ({"version": "5", "shapes": [], "imagePath": "a.jpg", "imageData": None}, "LabelMe"),
        ({"_via_img_metadata": {}}, "VGG Image Annotator"),
        ({"data_row": {"id": "1"}, "projects": {}}, "Labelbox"),
        ([{"image": "a.jpg", "annotations": []}], "Create ML"),
        ([{"name": "x", "class": 0, "confidence": 0.9, "box": {"x1": 1, "y1": 2, "x2": 3, "y2": 4}}], "ultralytics"),
    ],
)
def test_what_is_not_read_is_named(content, tool, tmp_path):
    (tmp_path / "x.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=f"is the JSON of {tool}"):
        read_boxes(tmp_path / "x.json")


def test_ids_that_are_called_like_keys_of_other_tools_are_boxes(tmp_path):
    box = {"x1": 1, "y1": 2, "x2": 30, "y2": 40}
    (tmp_path / "x.json").write_text(json.dumps({"image": box, "annotations": box}))
    assert len(read_boxes(tmp_path / "x.json").scenes[""]) == 2
