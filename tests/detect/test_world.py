"""The recipe that trains on real pictures: loader, split, damage, ignored regions, lifted objects, made-up scenes."""

import csv
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from packed_scenes.data import InputError
from packed_scenes.detect import Detector, network
from packed_scenes.detect.training.augment import Augmentation, crop, mosaic
from packed_scenes.detect.training.composites import SIDE, Composites, boxes_seen, lift
from packed_scenes.detect.training.ignoring import anchor_weights
from packed_scenes.detect.training.job import Job
from packed_scenes.detect.training.loop import Batch, Plan, Trainer, make_batch
from packed_scenes.detect.training.pictures import REAL_SETS, Photo, RealSet, part, read_photos, sheared, trains
from packed_scenes.detect.training.pool import Example, Pool
from packed_scenes.detect.training.world import Turned, prepare_world, turn, with_found
from tests.detect.fakes import Rectangles, picture

BOTTLES = REAL_SETS[0]


def write_set(folder: Path, names: list[str], rows: dict[str, list[tuple[int, int, int, int, str]]]) -> None:
    (folder / "images").mkdir(parents=True)
    for name in names:
        image = np.full((120, 160, 3), 90, np.uint8)
        for x1, y1, x2, y2, _ in rows[name]:
            image[y1:y2, x1:x2] = 220
        cv2.imwrite(str(folder / "images" / name), image)
    with open(folder / "labels.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "x1", "y1", "x2", "y2", "label"])
        table.writerows([name, *row] for name in names for row in rows[name])


def test_every_photo_is_in_one_part_and_recordings_stay_together() -> None:
    names = [f"b{number:03d}.jpg" for number in range(400)]
    parts = [part(name, BOTTLES) for name in names]
    assert parts == [part(name, BOTTLES) for name in names]
    assert 0.12 < parts.count("test") / 400 < 0.28
    assert {"train", "validation", "test"} == set(parts)
    cars = next(real for real in REAL_SETS if real.folder == "cars_aerial")
    assert len({part(f"DJI_0762-{number:05d}.jpg", cars) for number in range(30)}) == 1


def test_photos_are_read_with_what_is_to_be_passed_over(tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(12)]
    rows = {name: [(10, 10, 40, 50, "cup"), (60, 10, 90, 50, "cup"), (100, 60, 150, 110, "table")] for name in names}
    write_set(tmp_path / "things", names, rows)
    real = RealSet("things", 1, "none", repeats=True, below=True)
    photos = [p for wanted in ("train", "validation", "test") for p in read_photos(tmp_path, real, wanted=wanted)]
    assert sorted(p.name for p in photos) == sorted(names)
    assert len(photos[0].xyxy) == 2
    assert photos[0].ignore.tolist() == [[100, 60, 150, 110], [0, 114, 160, 120]]
    assert trains(photos[0])
    with pytest.raises(InputError, match=r"labels\.csv: no such file"):
        next(read_photos(tmp_path, replace(real, folder="things/images"), wanted="train"))
    (tmp_path / "things" / "labels.csv").write_text("file,x1,y1,x2,y2\n0.png,1,2,3,x\n")
    with pytest.raises(InputError, match="line 2"):
        next(read_photos(tmp_path, real, wanted="train"))


def test_black_wedges_inside_a_box_tell_a_sheared_one_and_a_black_object_does_not() -> None:
    image = np.full((200, 300, 3), 160, np.uint8)
    wedge = np.array([[40, 40], [60, 40], [40, 150]])
    cv2.fillPoly(image, [wedge], (0, 0, 0))
    image[60:140, 215:245] = 0  # a black bottle, with its surroundings inside the box
    boxes = np.array([[40, 40, 120, 150], [200, 40, 260, 150]], np.float32)
    assert sheared(image, boxes).tolist() == [True, False]
    assert not trains(Photo("x", image, boxes[1:], boxes[:1], damaged=True))


@given(st.integers(0, 3), st.integers(0, 60), st.integers(0, 40))
def test_turning_moves_boxes_with_their_pixels(quarters: int, x: int, y: int) -> None:
    image = np.zeros((60, 80, 3), np.uint8)
    image[y : y + 10, x : x + 7] = 255
    boxes = np.array([[x, y, x + 7, y + 10]], np.float32)
    turned = turn(Example(image, boxes, np.zeros(1, np.int64), boxes), quarters)
    x1, y1, x2, y2 = turned.xyxy[0].astype(int)
    assert (turned.image[y1:y2, x1:x2] == 255).all()
    assert (turned.image > 0).sum() == (image > 0).sum() == 3 * (y2 - y1) * (x2 - x1)
    assert np.array_equal(turned.ignore, turned.xyxy)


def test_crops_and_mosaics_carry_ignored_regions_and_lie_around_objects() -> None:
    image = np.zeros((400, 600, 3), np.uint8)
    boxes = np.array([[280, 180, 320, 220]], np.float32)
    example = Example(image, boxes, np.zeros(1, np.int64), np.array([[0, 0, 600, 400]], np.float32))
    options = Augmentation(object_px=(40, 41), wide_px=(40, 41), squeeze=(1, 1.0001), focus=1.0)
    for seed in range(20):
        cut = crop(example, 128, np.random.default_rng(seed), options)
        assert len(cut.ignore) == 1
        assert len(cut.xyxy) == 1
    four = mosaic([cut, cut, cut, cut])
    assert four.image.shape == (256, 256, 3)
    assert np.allclose(four.xyxy[3], cut.xyxy[0] + 128)
    assert len(four.ignore) == 4


def test_anchors_inside_ignored_regions_weigh_nothing() -> None:
    ignore = np.array([[32, 0, 64, 32], [0, 0, 64, 64]], np.float32)
    weights = anchor_weights(ignore, np.array([0, 1]), shape=(2, 64, 64, 3), strides=(8, 32))
    assert weights.shape == (2, 64 + 4)
    assert weights[0, :64].reshape(8, 8)[:4, 4:].sum() == 0
    assert weights[0, :64].sum() == 48
    assert weights[0, 64:].tolist() == [1, 0, 1, 1]
    assert weights[1].sum() == 0


@pytest.mark.slow
def test_ignored_regions_add_nothing_to_the_loss_but_boxes_in_them_do() -> None:
    torch.manual_seed(0)
    trainer = Trainer(network.build(), Plan(lr=1e-9, steps=10, warmup=1))
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (1, 64, 64, 3), dtype=np.uint8)
    everywhere, at = np.array([[0, 0, 64, 64]], np.float32), np.zeros(1, np.int64)
    box = np.array([[0.5, 0.5, 0.5, 0.5]], np.float32)
    none = np.zeros((0, 4), np.float32)
    empty = Batch(images, at[:0], at[:0], none)
    assert trainer._train(empty)["class"] > 0
    assert trainer._train(replace(empty, ignore=everywhere, ignored_picture=at))["class"] == 0
    full = Batch(images, at, at, box, everywhere, at)
    assert 0 < trainer._train(full)["class"] < trainer._train(replace(full, ignore=none))["class"]


def test_what_is_found_beside_the_boxes_is_an_object_or_passed_over() -> None:
    image, boxes = picture(400, 300, size=40, gap=20)
    image[:62, :62] = 10
    image[22:28, 22:28] = 255  # in place of the first: score near .5
    photo = Photo("x", image, boxes[2:], np.zeros((0, 4), np.float32))
    more = with_found(photo, Detector(Rectangles(), confidence=0.3, image_size=400))
    assert len(more.xyxy) == len(boxes) - 1
    assert len(more.ignore) == 1


def test_objects_are_lifted_from_their_boxes() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(60, 90, (160, 200, 3), dtype=np.uint8)
    cv2.ellipse(image, (100, 80), (40, 30), 0, 0, 360, (230, 40, 30), -1)
    thing = lift(image, np.array([60, 50, 140, 110], np.float32))
    assert thing is not None
    assert thing.shape[2] == 4
    assert 0.6 < (thing[..., 3] > 127).mean() < 0.9  # an ellipse fills 79 % of its box
    assert lift(image, np.array([0, 0, 6, 6], np.float32)) is None


def test_composed_scenes_box_what_is_seen_and_follow_the_seed() -> None:
    thing = np.dstack([np.full((40, 30, 3), 250, np.uint8), np.full((40, 30), 255, np.uint8)])
    ground = (np.zeros((300, 400, 3), np.uint8), np.array([[0, 0, 400, 300]], np.float32))
    source = Composites([[thing]], [ground])
    one, same = (source.draw(np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one.image, same.image)
    assert one.image.shape == (SIDE, SIDE, 3)
    drawn = [source.draw(np.random.default_rng(seed)) for seed in range(10)]
    for example in drawn:
        assert (example.xyxy[:, 2:] > example.xyxy[:, :2]).all()
        assert (example.xyxy >= 0).all()
        assert (example.xyxy <= SIDE).all()
        for x1, y1, x2, y2 in example.xyxy.astype(int)[:20]:
            assert example.image[y1:y2, x1:x2].max() > 150
    assert sum(len(e.xyxy) for e in drawn) > 40


def test_composed_objects_count_by_what_is_seen_of_them() -> None:
    seen = np.zeros((20, 30), np.uint16)
    assert boxes_seen(seen, [9, 9]).shape == (0, 4)  # all fell outside the canvas
    assert boxes_seen(seen, []).shape == (0, 4)
    seen[2:6, 3:10] = 1
    seen[2:6, 9] = 3
    assert boxes_seen(seen, [28, 5, 100]).tolist() == [[3, 2, 9, 6]]  # the second is hidden, the third cut


@pytest.mark.slow
def test_world_mixes_what_is_there(tmp_path: Path) -> None:
    names = [f"b{number:03d}.jpg" for number in range(8)]
    rows = {name: [(10, 10, 40, 50, "Bottle"), (60, 10, 90, 50, "Bottle")] for name in names}
    write_set(tmp_path / "data" / "bottles", names, rows)
    fake = Detector(Rectangles(), confidence=0.3, image_size=160)
    *_, made = prepare_world(tmp_path / "pool", seed=1, count=1, root=tmp_path / "data", detector=fake)
    assert not isinstance(made, int)
    assert len(made.source) > 4
    batch = make_batch(made.source, Plan(sizes=(64,), pixels=4 * 64 * 64, augmentation=Augmentation(mosaic=0.5)), 3)
    assert batch.images.shape == (4, 64, 64, 3)
    pool = Pool()
    pool.add(np.zeros((20, 30, 3), np.uint8), [[1, 2, 3, 4]], ignore=[[0, 0, 9, 9]])
    assert pool[0].ignore.tolist() == [[0, 0, 9, 9]]
    assert len(Turned(pool)) == 1


def test_world_starts_from_the_shipped_weights_and_needs_pictures(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs real pictures"):
        Job(recipe="world")
    (tmp_path / "bottles").mkdir()
    job = Job(recipe="world", real=tmp_path, device="cpu")
    assert not job.fresh
    assert job.plan.pixels < Plan().pixels
    assert list(job._real()) == ["bottles"]
