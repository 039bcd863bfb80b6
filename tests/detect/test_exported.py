"""Detectors of others: YOLOX, torchvision, mmdetection and SSD heads, class names."""

import json
from pathlib import Path

import numpy as np
import pytest

from packed_scenes.data import InputError, Objects, read_image
from packed_scenes.detect import Detector
from packed_scenes.detect.class_names import COCO, COCO_91, parse_class_names
from packed_scenes.detect.exported import load_exported
from packed_scenes.detect.heads import read_ssd, read_yolox, yolox_grid
from packed_scenes.detect.matching import match_boxes
from tests.netfiles import constant_onnx
from tests.real import SHARED, needs

IMAGE = np.zeros((1, 64, 96, 3), np.uint8)
BOXES = np.array([[4, 8, 20, 40], [30, 10, 60, 50], [5, 5, 5, 9]], np.float32)  # the last one is empty
SCORES = np.array([0.9, 0.4, 0.8], np.float32)


def yolox_rows(sides: tuple[int, int], *, raw: bool, seed: int = 0) -> np.ndarray:
    """(1, A, 7): two objects of two classes, the rest noise of low score; centre-size boxes in pixels or raw."""
    rng = np.random.default_rng(seed)
    grid, stride = yolox_grid(sides)
    rows = np.zeros((1, len(grid), 7), np.float32)
    rows[0, :, :2], rows[0, :, 2:4] = (grid + 0.5) * stride, rng.uniform(4, 40, (len(grid), 2))
    rows[0, :, 4:] = rng.uniform(0, 0.1, (len(grid), 3))
    for place, (box, score) in enumerate(zip(BOXES[:2], SCORES, strict=False)):
        rows[0, place, :4] = [*(box[:2] + box[2:]) / 2, *(box[2:] - box[:2])]
        rows[0, place, 4:] = [1, *((score, 0) if place == 0 else (0, score))]
    if raw:
        rows[0, :, :2] = rows[0, :, :2] / stride - grid
        rows[0, :, 2:4] = np.log(rows[0, :, 2:4] / stride)
    return rows


def naive_yolox(rows: np.ndarray, sides: tuple[int, int]) -> list[tuple[float, ...]]:
    """Box by box, as YOLOX' ``demo_postprocess`` and ``multiclass_nms`` do."""
    found, at = [], 0
    for stride in (8, 16, 32):
        for y in range(sides[0] // stride):
            for x in range(sides[1] // stride):
                dx, dy, w, h, obj, *classes = rows[0, at].tolist()
                cx, cy, bw, bh = (dx + x) * stride, (dy + y) * stride, np.exp(w) * stride, np.exp(h) * stride
                best = int(np.argmax(classes))
                if obj * classes[best] >= 0.3:
                    found.append((cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2, obj * classes[best], best))
                at += 1
    return found


@pytest.mark.parametrize("raw", [True, False])
def test_yolox_raw_or_decoded_is_seen_by_what_it_gives(tmp_path: Path, raw: bool) -> None:
    rows = yolox_rows((64, 96), raw=raw)
    found = read_yolox(rows, 0.3, (64, 96), decoded=not raw)[0]
    if raw:
        assert np.allclose(np.column_stack([*found[:2], found[2]]), naive_yolox(rows, (64, 96)), atol=1e-4)
    network = load_exported(constant_onnx(tmp_path / "x.onnx", (1, 3, 64, 96), {"output": rows}))
    boxes, score, class_id = network(IMAGE, 0.3)[0]
    assert np.allclose(boxes, BOXES[:2], atol=1e-4)
    assert np.allclose(score, SCORES[:2])
    assert class_id.tolist() == [0, 1]
    assert network.card.names == ("0", "1")
    assert network.card.fixed == (64, 96)  # a constant cannot be freed


@pytest.mark.parametrize(
    ("outputs", "shape"),
    [
        ({"boxes": BOXES, "labels": np.array([1, 3, 1]), "scores": SCORES}, (3, 64, 96)),
        ({"boxes": BOXES, "scores": SCORES, "labels": np.array([1, 3, 1])}, (1, 3, 64, 96)),
        ({"a": SCORES, "b": np.array([1, 3, 1]), "c": BOXES}, (1, 3, 64, 96)),
        ({"dets": np.column_stack([BOXES, SCORES])[None], "labels": np.array([[1, 3, 1]])}, (1, 3, 64, 96)),
    ],
)
def test_boxes_with_labels(tmp_path: Path, outputs: dict[str, np.ndarray], shape: tuple[int, ...]) -> None:
    network = load_exported(constant_onnx(tmp_path / "tv.onnx", shape, outputs), class_names=COCO_91)
    boxes, score, class_id = network(IMAGE, 0.3)[0]
    assert np.array_equal(boxes, BOXES[:2])
    assert np.array_equal(score, SCORES[:2])
    assert [network.card.names[k] for k in class_id] == ["person", "car"]


def test_ssd_rows_end_at_minus_one() -> None:
    rows = np.zeros((1, 1, 4, 7), np.float32)
    rows[0, 0, :, 0] = [0, 0, -1, 0]
    rows[0, 0, :, 1] = 1
    rows[0, 0, :, 2] = [0.9, 0.4, 0.9, 0.9]
    rows[0, 0, :, 3:] = [*(BOXES[:2] / [96, 64, 96, 64]), [0, 0, 1, 1], [0, 0, 1, 1]]
    boxes, score, class_id = read_ssd(rows, 0.3, (64, 96))
    assert np.allclose(boxes, BOXES[:2], atol=1e-4)
    assert score.tolist() == pytest.approx([0.9, 0.4])
    assert class_id.tolist() == [1, 1]


def test_ssd_as_openvino_ir_through_the_detector(tmp_path: Path) -> None:
    import openvino
    from openvino import opset13 as op

    rows = np.zeros((1, 1, 2, 7), np.float32)
    rows[0, 0, :, 1:3] = [[1, 0.9], [2, 0.8]]
    rows[0, 0, :, 3:] = BOXES[:2] / [96, 64, 96, 64]
    x = op.parameter([1, 3, 64, 96], openvino.Type.f32, name="x")
    mean = op.reduce_mean(x, op.constant(np.arange(4)), keep_dims=False)
    out = op.add(op.constant(rows), op.multiply(mean, op.constant(np.float32(0))))
    openvino.save_model(openvino.Model([out], [x], "ssd"), str(tmp_path / "ssd.xml"), compress_to_fp16=False)
    (tmp_path / "ssd.json").write_text(json.dumps({"names": ["background", "person", "car"]}))
    detector = Detector.load(tmp_path / "ssd.xml", classes=["person"])
    found = detector.detect(np.zeros((128, 192, 3), np.uint8))  # twice the input's size
    assert np.allclose(found.xyxy, [BOXES[0] * 2], atol=1e-3)
    assert found.class_id.tolist() == [1]


def test_what_is_no_detector_is_one_clear_line(tmp_path: Path) -> None:
    file = constant_onnx(tmp_path / "v.onnx", (1, 3, 64, 96), {"v": np.ones((1, 8), np.float32)})
    with pytest.raises(InputError, match=r"no detector that is known \(it gives v \[1, 8\]\)"):
        load_exported(file)
    rows = constant_onnx(tmp_path / "y.onnx", (1, 3, 64, 96), {"output": yolox_rows((64, 96), raw=True)})
    with pytest.raises(InputError, match="2 classes, and 80 names"):
        load_exported(rows, class_names=COCO)
    with pytest.raises(InputError, match=r"no class 'person'.*--class-names"):
        Detector.load(rows, classes=["person"])
    (tmp_path / "y.json").write_text('{"confidence": "high"}')
    with pytest.raises(InputError, match="confidence must be a number"):
        load_exported(rows)


def test_an_ultralytics_name_says_what_it_would_take() -> None:
    with pytest.raises(InputError, match=r"yolo11n.pt: .*--trust.*yolo export model=yolo11n.pt format=onnx"):
        Detector.load("yolo11n.pt")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("coco", COCO),
        ("a, b,c", ("a", "b", "c")),
        ("lines.txt", ("a", "b")),
        ("list.json", ("a", "b")),
        ("numbers.json", ("a", "N/A", "c")),
    ],
)
def test_class_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, names: tuple[str, ...]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lines.txt").write_text("a\nb\n")
    Path("list.json").write_text('["a", "b"]')
    Path("numbers.json").write_text('{"2": "c", "0": "a"}')
    assert parse_class_names(text) == names
    assert (len(COCO), len(COCO_91), COCO_91[1], COCO_91[90]) == (80, 91, "person", "toothbrush")


@pytest.mark.parametrize("text", ["", "a,,b", "missing.txt"])
def test_no_class_names(text: str) -> None:
    with pytest.raises(InputError):
        parse_class_names(text)


@pytest.mark.slow
@needs("pedestrians", "../models/yolox_nano.onnx")
def test_yolox_finds_the_people_of_a_frame_at_the_size_it_chooses() -> None:
    import csv

    with open(SHARED / "pedestrians" / "labels.csv", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if int(r["frame"]) == 125 and r["person_id"] != "0"]
    truth = np.array([[float(r[k]) for k in ("x0", "y0", "x1", "y1")] for r in rows], np.float32)
    detector = Detector.load(SHARED.parent / "models" / "yolox_nano.onnx", classes=["person"], device="cpu")
    found, info = detector.detect_with_info(read_image(SHARED / "pedestrians" / "frames" / "000125.jpg"))
    assert detector.network.card.fixed is None  # its 416 px were freed
    assert info.input_size == (960, 720)
    matched = match_boxes(found, Objects.from_boxes(truth)).truth  # the labels hold part of the people
    assert len(set(matched[matched >= 0])) >= len(truth) - 1
