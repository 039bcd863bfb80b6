"""What goes into a run and what comes out: given boxes, names, folders, earlier runs, and other tools' forms."""

from __future__ import annotations

import json
import os
import pickle
import threading
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from packed_scenes import analyze
from packed_scenes.aggregate import assign_colors
from packed_scenes.data import InputError, Objects, read_boxes, read_image, write_image
from packed_scenes.exporting import Form
from packed_scenes.frames import video_names
from packed_scenes.runfolder import appearance, remove_scenes
from packed_scenes.settings import Settings
from packed_scenes.sources import sources

BOXES = [[2, 2, 20, 30], [22, 2, 40, 30], [42, 2, 60, 30]]


@pytest.fixture
def photo(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("cam1/0001.jpg", "cam2/0001.jpg"):
        write_image(tmp_path / "in" / name, rng.integers(0, 255, (60, 80, 3), dtype=np.uint8))
    return tmp_path / "in" / "cam1" / "0001.jpg"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "image,x1,y1,x2,y2\n"),
        ("a.csv", "x1,y1,x2,y2\n"),
        ("a.json", "{}"),
        (
            "a.json",
            '{"images":[{"id":1,"file_name":"0001.jpg","width":80,"height":60}],"annotations":[],"categories":[]}',
        ),
    ],
)
def test_boxes_without_an_object_are_an_answer(photo, tmp_path, name, text):
    (tmp_path / name).write_text(text)
    result = analyze(photo, boxes=tmp_path / name)  # the detector would find nothing here either, but would be loaded
    assert [len(scene.objects) for scene in result.scenes] == [0]
    assert "detector" not in result.weights
    assert any("holds no boxes" in line for line in result.warnings)
    assert len(analyze(photo, boxes=Objects.empty()).scenes[0].objects) == 0


def test_boxes_go_to_the_picture_that_they_were_made_for(photo, tmp_path):
    file = tmp_path / "b.csv"
    file.write_text("image,x1,y1,x2,y2\ncam1/0001.jpg,2,2,20,30\n")
    result = analyze(tmp_path / "in", boxes=file)
    assert [(s.name, len(s.objects)) for s in result.scenes] == [("cam1_0001", 1)]
    assert "has no boxes for the picture" in result.errors[0][1]
    file.write_text("image,x1,y1,x2,y2\ncam1/0001.jpg,2,2,20,30\ncam2/0001.jpg,9,9,30,30\n")
    assert [s.objects.xyxy[0, 0] for s in analyze(tmp_path / "in", boxes=file).scenes] == [2, 9]


@pytest.mark.parametrize(
    "boxes", [np.array(BOXES), BOXES, Objects.from_boxes(BOXES), {"scene": BOXES}, {"": np.array(BOXES, np.int64)}]
)
def test_boxes_in_every_form_of_python(boxes):
    picture = np.full((60, 80, 3), 90, np.uint8)
    for given in (picture, Image.fromarray(picture)):
        assert len(analyze(given, boxes=boxes).scenes[0].objects) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: analyze([]), "there is no picture"),
        (lambda: analyze(""), "an empty name is no file"),
        (lambda: analyze(None), "pictures must be files"),
        (lambda: analyze([5]), "a picture must be a file"),
        (lambda: analyze(np.zeros((6, 8), np.uint8)), r"image must be uint8 \(H, W, 3\)"),
        (lambda: analyze(np.zeros((6, 8, 3), np.uint8), boxes="none.json"), "no such file"),
        (lambda: analyze(np.zeros((6, 8, 3), np.uint8), boxes=7), "boxes"),
        (lambda: analyze(np.zeros((6, 8, 3), np.uint8), boxes=[[0.1, 0.1, 0.5, 0.5]]), "boxes are pixels"),
        (lambda: Settings(threshold="0.3"), "threshold must be a number, got '0.3'"),
        (lambda: Settings(confidence="0.5"), "confidence must be a number"),
        (lambda: Settings(seed=-1), "seed must be 0 or more"),
        (lambda: Settings(classes=7), "classes must be names of classes"),
        (lambda: analyze(b"a.jpg"), "pictures must be files"),
        (lambda: analyze(np.zeros((6, 8, 3), np.uint8), preset="none"), "unknown preset 'none'"),
        (lambda: Settings(max_objects=2.5), "max_objects must be a whole number"),
    ],
)
def test_wrong_values_are_said_in_one_line(call, message):
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize("kind", ["RGB", "RGBA", "L", "P", "LA", "I;16", "turned"])
def test_a_pillow_image_is_read_as_its_file_is(kind, tmp_path):
    colours = np.random.default_rng(0).integers(0, 255, (60, 80, 4), dtype=np.uint8)
    image = Image.fromarray(colours)
    exif = Image.Exif()
    if kind == "I;16":
        image = Image.fromarray(colours[..., 0].astype(np.uint16) * 16)  # 12 bits
    elif kind == "turned":
        image, exif[274] = image.convert("RGB"), 6
    else:
        image = image.convert(kind)
    image.save(tmp_path / "a.tiff" if kind == "LA" else tmp_path / "a.png", exif=exif)
    (file,) = tmp_path.iterdir()
    with Image.open(file) as opened:
        if kind == "turned":
            opened.load()  # PNG may say its orientation last
        found = sources([opened])[0].scene().image
    np.testing.assert_array_equal(found, read_image(file))
    assert found.shape == ((80, 60, 3) if kind == "turned" else (60, 80, 3))


def test_results_travel_and_presets_bring_their_choices(photo):
    result = analyze(photo, boxes=np.array(BOXES))
    back = pickle.loads(pickle.dumps(result))
    assert repr(back) == repr(result)
    np.testing.assert_array_equal(back.overlay(), result.overlay())
    made = analyze(photo, boxes=np.array(BOXES), preset="crowd").settings
    assert (made.once, made.congregate, made.preset) == (True, "height", "crowd")


def test_single_classes_and_numpy_numbers():
    assert Settings(classes="person").classes == ("person",)
    assert Settings(threshold=np.float32(0.3)).threshold == pytest.approx(0.3)


def test_frames_of_videos_with_one_name_are_named_apart(tmp_path):
    videos = [tmp_path / "a" / "clip.mp4", tmp_path / "b" / "clip.mp4", tmp_path / "a" / "clip.MOV", tmp_path / "x.mp4"]
    names = video_names([*videos, videos[0]])
    assert [names[v] for v in videos] == ["a_clip", "b_clip", "a_clip_2", "x"]


def test_scenes_of_an_earlier_run_go(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "objects.csv").touch()
    (tmp_path / "c" / "mine.txt").touch()
    (tmp_path / "run.json").write_text(json.dumps({"scenes": {"a": {}, "b": {}, "c": {}, "../x": {}}}))
    remove_scenes(tmp_path, but={"a"})
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()) == [
        "a/objects.csv", "c/mine.txt", "run.json",
    ]  # fmt: skip


def test_a_run_below_the_photos_is_no_input_of_the_next(photo, tmp_path):
    for _ in range(2):
        result = analyze(tmp_path / "in", boxes={"cam1/0001.jpg": BOXES, "cam2/0001.jpg": BOXES})
        assert len(result.scenes) == 2
        result.save(tmp_path / "in" / "out")


def test_exports_come_back_and_results_say_what_they_hold(photo, tmp_path):
    result = analyze(tmp_path / "in", boxes={"cam1/0001.jpg": BOXES, "cam2/0001.jpg": BOXES[:1]})
    assert "4 objects in 2 scenes" in repr(result)
    assert result._repr_html_().count("<img") == 2
    for form in (Form.COCO, Form.CVAT, Form.LABEL_STUDIO):
        found = read_boxes(result.export(form, tmp_path / "out")).assign([s.source.where for s in result.scenes])
        for scene in result.scenes:
            boxes, _ = found.for_image(scene.source.where, size=(80, 60))
            np.testing.assert_allclose(boxes.xyxy, scene.objects.xyxy, atol=0.01)
    yolo = result.export(Form.YOLO, tmp_path / "out").parent
    for form, place in ((Form.VOC, result.export(Form.VOC, tmp_path / "out")), (Form.YOLO, yolo / "labels")):
        found = read_boxes(place / "Annotations" if form is Form.VOC else place)
        assert sorted(map(len, found.scenes.values())) == [1, 3]
    with pytest.raises(InputError, match="unknown export form"):
        result.export("xls", tmp_path)


def test_exports_open_in_their_own_libraries(photo, tmp_path):
    coco = pytest.importorskip("pycocotools.coco")
    sv = pytest.importorskip("supervision")
    result = analyze(photo, boxes=np.array(BOXES))
    assert len(coco.COCO(str(result.export(Form.COCO, tmp_path))).anns) == 3
    yolo = result.export(Form.YOLO, tmp_path)
    assert len(sv.DetectionDataset.from_yolo(yolo.parent / "images", yolo.parent / "labels", yolo)) == 1
    voc = result.export(Form.VOC, tmp_path)
    assert len(sv.DetectionDataset.from_pascal_voc(voc / "JPEGImages", voc / "Annotations")) == 1
    table = result.export(Form.SUPERVISION, tmp_path)
    assert len(table.read_text().splitlines()) == 4
    (back,) = read_boxes(table).scenes.values()
    np.testing.assert_allclose(back.xyxy, result.scenes[0].objects.xyxy)


def test_exports_of_odd_names_come_back(tmp_path):
    """Names that file systems allow: in Unicode's other form, of no text at all, like formulas, pages and addresses."""
    odd = [
        "c1/0001.png",
        "c2/0001.png",
        "same.png",
        "same.bmp",
        "Cafe\u0301.png",
        "#hash?.png",
        "=cmd.png",
        "&amp;<b>.png",
        "new\nline.png",
        "x\x01y.png",
        "100% \u00fc.png",
        "a;b,c.png",
        "a.b.c.png",
        "a.b.d.png",
    ]
    odd.append(os.fsdecode(b"bad\xff.png"))
    boxes = {}
    for number, name in enumerate(odd):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(tmp_path / "plain.png", np.full((60, 80, 3), 100, np.uint8))
        (tmp_path / "plain.png").replace(path)
        boxes[str(path)] = np.array([[number, 5, 40 + number, 30]])
    result = analyze(tmp_path / "in", boxes=boxes)
    assert len(result.scenes) == len(odd)
    for form in (Form.COCO, Form.CVAT, Form.LABEL_STUDIO, Form.SUPERVISION):
        if form is Form.SUPERVISION:
            pytest.importorskip("supervision")
        found = read_boxes(result.export(form, tmp_path / "out")).assign([s.source.where for s in result.scenes])
        for scene in result.scenes:
            back, _ = found.for_image(scene.source.where, size=(80, 60))
            np.testing.assert_allclose(back.xyxy, scene.objects.xyxy, atol=0.01)
    names = {image["file_name"] for image in json.loads((tmp_path / "out" / "coco.json").read_text())["images"]}
    assert {"c1/0001.png", "same.png", "#hash?.png"} <= names
    for form in (Form.VOC, Form.YOLO):
        result.export(form, tmp_path / "out")
        result.export(form, tmp_path / "in")  # copies are no photos of the next run
    assert len(sources(tmp_path / "in")) == len(odd)
    for place in ("voc/Annotations", "yolo/labels"):
        assert len(list((tmp_path / "out" / place).iterdir())) == len(odd)


def test_a_detector_serves_threads_and_travels():
    from packed_scenes.detect import Detector

    detector = Detector.load(image_size=160)
    picture = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    expected, found = detector.detect(picture), []
    threads = [threading.Thread(target=lambda: found.append(detector.detect(picture))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 3
    assert pickle.loads(pickle.dumps(detector)).detect(Image.fromarray(picture)) == expected
    with pytest.raises(InputError, match="must be an array or a Pillow image"):
        detector.detect([1, 2])


def test_a_trained_embedder_is_known(tmp_path):
    from packed_scenes.refining.outputs import trained_round

    assert trained_round(tmp_path) == 0
    (tmp_path / "embedder.safetensors").touch()
    for told, expected in (({"data": {"round": 2}}, 2), ({"data": {"round": 0}}, 0), ({}, 0), ([], 0)):
        (tmp_path / "embedder.json").write_text(json.dumps(told))
        assert trained_round(tmp_path) == expected


@pytest.mark.slow
def test_clusters_of_one_name_are_exported_as_one(photo, tmp_path):
    found = analyze(photo, boxes=np.array(BOXES), embedder="colour")
    parts = [replace(s, objects=s.objects.replace(cluster=[2, 0, 1], congregation=None)) for s in found.scenes]
    named = replace(found, scenes=tuple(parts), names={0: "Tea", 2: "Tea"})
    told = json.loads(named.export("coco", tmp_path).read_text())
    title = {c["id"]: c["name"] for c in told["categories"]}
    assert [title[a["category_id"]] for a in told["annotations"]] == ["Tea", "Tea", "1"]
    assert list(named.table()["name"]) == ["Tea", "Tea", ""]
    assert "name" not in found.table()
    scene, colors = named.scenes[0], assign_colors([parts[0].objects])
    looks = [appearance(scene, colors, names) for names in (None, {0: "Tea"}, {0: "Coffee"}, {7: "Tea"})]
    assert len(set(looks)) == 3  # a name that comes or changes has the photo drawn again, one that is elsewhere not
