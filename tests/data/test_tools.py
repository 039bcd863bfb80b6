"""Labels as other tools write them: each is read rightly, or refused in one line. One row of a table per habit."""

from __future__ import annotations

import json

import numpy as np
import pytest

from packed_scenes.data import InputError, read_boxes, read_yolo, write_image
from packed_scenes.data.yolo import parse_yolo

SIZE = (400, 300)
BOX = [10, 10, 50, 50]


def given(content, tmp_path, *, picture="a.jpg", suffix=".json", encoding="utf-8"):
    file = tmp_path / f"labels{suffix}"
    text = content if isinstance(content, str) else json.dumps(content)
    file.write_bytes(text.encode(encoding))
    return read_boxes(file).assign([picture]).for_image(picture, size=SIZE)[0]


def coco(image=None, **annotation):
    entry = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 40, 40], "iscrowd": 0} | annotation
    return {"images": [{"id": 1, "file_name": "a.jpg"} | (image or {})], "annotations": [entry], "categories": []}


RESULT = {"image_id": 42, "category_id": 0, "bbox": [10, 10, 40, 40], "score": 0.5, "file_name": "a.jpg"}


@pytest.mark.parametrize(
    ("content", "class_id"),
    [
        (coco(category_id=0), 0),
        (coco(category_id="7"), 7),
        (coco(category_id="cola"), 0),
        (coco({"id": "p"}, image_id="p", category_id="b1-2", id="q"), 0),
        (coco({"width": "400", "height": "300"}), 1),
        (coco({"file_name": None, "coco_url": "http://images.cocodataset.org/val2017/a.jpg"}), 1),  # LVIS
        (coco({"file_name": "a_jpg.rf.Ab3dEfGh1jKlMnOpQrSt.jpg"}), 1),
        ([RESULT], 0),
        ([RESULT | {"category_id": "cola"}], 0),
    ],
)
def test_coco(content, class_id, tmp_path):
    made = given(content, tmp_path)
    assert made.xyxy.tolist() == [BOX]
    assert made.class_id.tolist() == [class_id]


def test_corners_in_place_of_sizes_are_doubted(tmp_path):
    content = coco(bbox=[200, 100, 240, 150])
    content["annotations"] = [content["annotations"][0] | {"id": n, "bbox": [200 + n, 150, 240, 190]} for n in range(5)]
    (tmp_path / "c.json").write_text(json.dumps(content))
    _, warnings = read_boxes(tmp_path / "c.json").for_image("a.jpg", size=SIZE)
    assert "5 boxes reach beyond the picture" in warnings[0]
    assert "which is most of them" in warnings[0]


def test_coco_in_fractions_is_refused(tmp_path):
    with pytest.raises(InputError, match="COCO's are pixels"):
        given(coco(bbox=[0.1, 0.1, 0.2, 0.2]), tmp_path)


POINTS = ".1 .1 .2 .1 .2 .2 .1 .2"
MIDDLE, CORNER = [160, 120, 240, 180], [40, 30, 80, 60]


@pytest.mark.parametrize(
    ("line", "box", "score"),
    [
        ("0 .5 .5 .2 .2", MIDDLE, 1),
        ("0 .5 .5 .2 .2 .25", MIDDLE, 0.25),
        ("0 .5 .5 .2 .2 12", MIDDLE, 1),  # track
        ("0 .5 .5 .2 .2 .25 1", MIDDLE, 0.25),  # score and track
        ("0 .5 .5 .2 .2 .25 12", MIDDLE, 0.25),
        (f"0 {POINTS}", CORNER, 1),
        (f"0 {POINTS} .25", CORNER, 0.25),
        ("0 .5 .5 .2 .2" + " .5 .5 2" * 17, MIDDLE, 1),  # key points
        ("0 .5 .5 .2 .2" + " .45 .55 1 0 0 0" * 2, MIDDLE, 1),
        ("0\t.5\t.5\t.2\t.2", MIDDLE, 1),
    ],
)
def test_yolo_lines(line, box, score):
    made, warnings = parse_yolo(line + "\r\n", file="a.txt", size=SIZE)
    assert made.xyxy.round(3).tolist() == [box]
    assert made.score.tolist() == [score]
    assert not warnings


def test_key_points_of_a_data_set(tmp_path):
    write_image(tmp_path / "images" / "a.png", np.zeros((300, 400, 3), np.uint8))
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 .5 .5 .2 .2 .1 .9 .1 .9 .1 .9 .1 .9\n")
    (tmp_path / "d.yaml").write_text("val: images\nkpt_shape: [4, 2]\nnames: [x]\n")
    assert read_yolo(tmp_path / "d.yaml")[0].truth.xyxy.round(3).tolist() == [MIDDLE]


HEADER = "image,x1,y1,x2,y2"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("filename,width,height,class,xmin,ymin,xmax,ymax\na_jpg.rf.0a1b2c.jpg,400,300,cola,10,10,50,50\n", "utf-8"),
        ("a.jpg,10,10,50,50,object,400,300\n", "utf-8"),  # SKU-110K
        ("b.jpg,,,,,\na.jpg,10,10,50,50,cola\n", "utf-8"),
        ("b.jpg\na.jpg,10,10,50,50,cola\n", "utf-8"),
        ('"sep=,"\n' + HEADER + "\na.jpg,10,10,50,50\n", "utf-8"),
        ("sep=;\n" + HEADER.replace(",", ";") + "\na.jpg;10,0;10;50;50\n", "utf-8"),
        (HEADER.replace(",", "\t") + "\na.jpg\t10,0\t10\t50\t50\n", "utf-16"),
        (f'"{HEADER}"\r\n"a.jpg,10,10,50,50"\r\n', "utf-8"),
        ("\n" + HEADER + " ,note,note\n,,,,,,\na.jpg,10,10,50,50,a,b", "utf-8-sig"),
        ("image,x,y,w,h,width,height\na.jpg,10,10,40,40,400,300\n", "utf-8"),
    ],
)
def test_tables(text, encoding, tmp_path):
    made = given(text, tmp_path, suffix=".csv", encoding=encoding)
    assert made.xyxy.tolist() == [BOX]
    assert made.score.tolist() == [1]


def test_a_picture_that_is_called_by_a_number(tmp_path):
    made = given("0001,10,10,50,50,object,400,300\n", tmp_path, suffix=".csv", picture="0001.jpg")
    assert made.xyxy.tolist() == [BOX]


@pytest.mark.parametrize("name", ["score", "confidence"])
def test_a_score_that_is_left_out_is_one(name, tmp_path):
    made = given(f"{HEADER},{name}\na.jpg,10,10,50,50,\na.jpg,60,10,90,50,.5\n", tmp_path, suffix=".csv")
    assert made.score.tolist() == [1, 0.5]


def test_a_spreadsheet_is_no_table(tmp_path):
    with pytest.raises(InputError, match="spreadsheet or an archive, no text"):
        given("PK\x03\x04", tmp_path, suffix=".xlsx")


VOC = "<annotation><size><width>400</width><height>300</height></size>{}</annotation>"
CORNERS = "<bndbox><xmin>10</xmin><ymin>10</ymin><xmax>50</xmax><ymax>50</ymax></bndbox>"
PART = "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox></part>"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
@pytest.mark.parametrize(
    "inner",
    [
        f"<name>Müsli</name><truncated>1</truncated><difficult>1</difficult>{CORNERS}{PART}",
        f"{PART}<name>Müsli</name>{CORNERS}",
        "<name>Müsli</name><robndbox><cx>30</cx><cy>30</cy><w>40</w><h>40</h><angle>1.5707963</angle></robndbox>",
    ],
)
def test_pascal_voc(inner, encoding, tmp_path):
    said = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{said}"?>\n' + VOC.format(f"<object>{inner}</object>")
    file = tmp_path / "a.xml"
    file.write_bytes(text.encode(encoding))
    found = read_boxes(file)
    assert found.scenes["a"].xyxy.round(3).tolist() == [BOX]
    assert found.names == ("Müsli",)


def test_a_frame_of_a_cvat_video_without_an_object(tmp_path):
    shape = '<box frame="{}" outside="{}" xtl="10" ytl="10" xbr="50" ybr="50"/>'
    meta = "<task><size>4</size><original_size><width>400</width><height>300</height></original_size></task>"
    track = f'<track id="0" label="cola">{shape.format(0, 0)}{shape.format(1, 1)}</track>'
    text = f'<?xml version="1.0" encoding="utf-8"?>\n<annotations><meta>{meta}</meta>{track}</annotations>'
    found = [given(text, tmp_path, suffix=".xml", picture=f"clip_{n:06d}.png") for n in range(4)]
    assert [o.xyxy.tolist() for o in found] == [[BOX], [], [], []]
    with pytest.raises(InputError, match="has no boxes for the picture"):
        given(text, tmp_path, suffix=".xml", picture="clip_000004.png")


def region(key, to_name, x):
    value = {"x": x, "y": 10, "width": 10, "height": 10, "rotation": 0, "rectanglelabels": ["cola"]}
    return {"id": key, "type": "rectanglelabels", "from_name": "label", "to_name": to_name, "original_width": 400,
            "original_height": 300, "value": value}  # fmt: skip


def test_two_pictures_of_one_label_studio_task(tmp_path):
    task = {"data": {"left": "b.jpg", "right": "a.jpg"},
            "annotations": [{"result": [region("1", "left", 10), region("2", "right", 20)]}]}  # fmt: skip
    assert [given([task], tmp_path, picture=p).xyxy[0, 0] for p in ("b.jpg", "a.jpg")] == [40, 80]
    for part in task["annotations"][0]["result"]:
        del part["original_width"]
    with pytest.raises(InputError, match="original_width must be a number"):
        given([task], tmp_path, picture="b.jpg")
