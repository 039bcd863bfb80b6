import dataclasses
import json

import numpy as np
import pytest

from packed_scenes.data import InputError, Objects, read_image
from packed_scenes.detect import Detector
from packed_scenes.detect.matching import match_boxes
from packed_scenes.detect.networks import Card
from tests.detect.fakes import Rectangles, picture
from tests.real import SHARED, needs


def detector(**options: object) -> Detector:
    return Detector(Rectangles(), confidence=0.3, **options)  # type: ignore[arg-type]


def in_order(boxes: np.ndarray) -> np.ndarray:
    return boxes[np.lexsort((boxes[:, 0].round(-1), boxes[:, 1].round(-1)))]


@pytest.mark.parametrize(("size", "gap"), [(20, 6), (60, 20), (150, 40)])
def test_objects_of_any_size_are_found_at_the_networks_best_size(size: int, gap: int) -> None:
    image, boxes = picture(1300, 900, size=size, gap=gap)
    objects, info = detector().detect_with_info(image)
    assert np.abs(in_order(objects.xyxy) - in_order(boxes)).max() < 1.5 * max(1, 1 / info.scale)
    assert info.object_px == pytest.approx(size, rel=0.1)
    assert size * info.scale == pytest.approx(40, rel=0.15)
    json.dumps(info.to_json())


def test_objects_come_best_first_with_stable_ids() -> None:
    image, _ = picture(400, 300, size=40, gap=20)
    image[20:110, 20:110] = 255
    objects = detector().detect(image)
    assert objects.object_id.tolist() == [str(i) for i in range(len(objects))]
    assert (np.diff(objects.score) <= 0).all()
    assert np.abs(objects.xyxy[0] - [20, 20, 120, 120]).max() < 3
    again = detector().detect(image)
    assert again == objects


@pytest.mark.parametrize("tile", [256, 384])
def test_tiles_give_what_the_whole_picture_gives(tile: int) -> None:
    image, boxes = picture(1100, 700, size=37, gap=9)
    whole, _ = detector(image_size=1100, tile=0).detect_with_info(image)
    tiled, info = detector(image_size=1100, tile=tile).detect_with_info(image)
    assert info.tiles > 4
    assert info.tile_size == tile
    assert len(tiled) == len(whole) == len(boxes)
    assert np.abs(in_order(tiled.xyxy) - in_order(whole.xyxy)).max() < 0.01


def test_more_objects_than_the_cap_is_a_warning() -> None:
    image, boxes = picture(900, 600, size=20, gap=8)
    objects, info = detector(max_objects=50, image_size=900).detect_with_info(image)
    assert len(objects) == 50 < len(boxes)
    assert any("more than 50 objects" in w for w in info.warnings)
    whole, info = detector(image_size=900).detect_with_info(image)
    assert not info.warnings
    exact, info = detector(max_objects=len(boxes), image_size=900).detect_with_info(image)
    assert not info.warnings
    assert np.array_equal(exact.xyxy, whole.xyxy)
    assert np.array_equal(objects.xyxy, whole.xyxy[:50])


def test_over_a_thousand_objects_are_kept() -> None:
    image, boxes = picture(1500, 1200, size=18, gap=9)
    assert len(boxes) > 2000
    assert len(detector(image_size=1500).detect(image)) == len(boxes)


def test_classes_are_chosen_before_anything_else() -> None:
    image, boxes = picture(600, 400, size=40, gap=15)
    image[:200] = np.where(image[:200] == 255, 80, image[:200])
    dim = detector(classes=(1,)).detect(image)
    assert set(dim.class_id.tolist()) == {1}
    assert 0 < len(dim) < len(boxes)


def test_an_empty_picture_gives_no_objects_and_says_so() -> None:
    objects, info = detector().detect_with_info(np.zeros((300, 400, 3), np.uint8))
    assert len(objects) == 0
    assert any("default input size" in w for w in info.warnings)


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 900, 3), (700, 2, 3)])
def test_slivers_do_no_harm(shape: tuple[int, int, int]) -> None:
    assert len(detector().detect(np.zeros(shape, np.uint8))) == 0


def test_fixed_input_sizes_are_kept_to() -> None:
    network = Rectangles(Card(names=("light", "dim"), fixed=(320, 320)))
    image, boxes = picture(800, 500, size=60, gap=20)
    objects = Detector(network, confidence=0.3).detect(image)
    assert set(network.sizes) == {(320, 320)}
    assert np.abs(in_order(objects.xyxy) - in_order(boxes)).max() < 4


@pytest.mark.parametrize("image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_picture_is_refused(image: np.ndarray) -> None:
    with pytest.raises(InputError, match="image must be uint8"):
        detector().detect(image)


@pytest.mark.parametrize(
    "options",
    [
        {"confidence": 1.5},
        {"image_size": 8},
        {"image_size": "big"},
        {"tile": 20},
        {"max_objects": 0},
        {"classes": ["cat"]},
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Detector.load(**options)  # type: ignore[arg-type]


@needs("packed_products")
def test_shelf_photo() -> None:
    image = read_image(SHARED / "packed_products" / "test" / "shelf.jpeg")
    given = json.loads((SHARED / "packed_products" / "test" / "shelf.json").read_text())
    truth = Objects.from_boxes([[b[k] for k in ("x1", "y1", "x2", "y2")] for b in given.values()])
    found, info = Detector.load().detect_with_info(image)
    matched = match_boxes(found, truth).truth
    assert (matched >= 0).sum() >= 59
    assert info.input_size[1] < 1400


@needs("packed_products")
def test_the_shipped_network_agrees_in_tiles() -> None:
    """A network without global attention: a tile sees what the whole picture shows, but for padding at its edges."""
    image = read_image(SHARED / "packed_products" / "test" / "shelf.jpeg")
    loaded = dataclasses.replace(Detector.load(image_size=1024), confidence=0.2)
    whole = loaded.detect(image)
    tiled, info = dataclasses.replace(loaded, tile=640).detect_with_info(image)
    assert info.tiles >= 4
    for one, other in ((whole, tiled), (tiled, whole)):  # no sure box is lost, added, cut or joined
        sure = one.select(one.score >= 0.6)
        assert (match_boxes(sure, other, iou_threshold=0.75).truth >= 0).mean() >= 0.96
