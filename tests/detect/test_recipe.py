"""The recipe of the detector that ships: its scenes, stacks, cutouts and held out pictures."""

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from packed_scenes.data import InputError
from packed_scenes.detect.training.recipe import Packed, cut_out, micrographs, prepare, scenes
from packed_scenes.detect.training.stacks import wall


@pytest.mark.slow
def test_recipe_makes_scenes_and_stacks_from_the_seed() -> None:
    made = list(itertools.islice(scenes(3), 3))
    again = list(itertools.islice(scenes(3), 3))
    for (image, boxes), (same, _) in zip(made, again, strict=True):
        assert image.dtype == np.uint8
        assert np.array_equal(image, same)
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        assert (boxes[:, 2:] <= [image.shape[1], image.shape[0]]).all()


@pytest.mark.slow
def test_recipe_fills_its_pool_once(tmp_path: Path) -> None:
    *counts, made = prepare(tmp_path, seed=1, count=2, root=None, held_out=1)
    assert counts == [2]
    assert isinstance(made, Packed)
    assert len(made.validation) == 1
    assert len(made.source.draw(np.random.default_rng(0)).image)
    *counts, _ = prepare(tmp_path, seed=1, count=2, root=None, held_out=0)
    assert counts == []


def test_micrographs_hold_out_their_test_part(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    rows = ["image,split,class,x1n,y1n,x2n,y2n"]
    for number, split in enumerate(["train", "test", "val", ""]):
        cv2.imwrite(str(tmp_path / "images" / f"{number}.png"), np.zeros((50, 100, 3), np.uint8))
        rows.append(f"{number}.png,{split},cell,0.1,0.2,0.5,0.6")
    (tmp_path / "boxes.csv").write_text("\n".join(rows))
    train, test = list(micrographs(tmp_path)), list(micrographs(tmp_path, held_out=True))
    assert (len(train), len(test)) in ((3, 1), (2, 2))
    assert np.allclose(test[0][1], [[10, 10, 50, 30]])
    with pytest.raises(InputError, match=r"boxes\.csv: no such file"):
        next(micrographs(tmp_path / "images"))


def test_cutouts_leave_the_white_ground() -> None:
    image = np.full((300, 200, 3), 255, np.uint8)
    assert cut_out(image) is None
    image[50:250, 60:140] = (200, 40, 40)
    thing = cut_out(image)
    assert thing is not None
    assert thing.picture.shape == (200, 80, 4)
    assert thing.render(100).shape == (100, 40, 4)


def test_stacks_are_flush_and_boxed_exactly() -> None:
    item = np.zeros((100, 60, 4), np.uint8)
    item[...] = (250, 250, 250, 255)
    stacked = 0
    for seed in range(6):
        image, boxes = wall([[item]], np.random.default_rng(seed))
        assert image.shape == (896, 896, 3)
        assert (boxes[:, 2:] - boxes[:, :2]).min() >= 5
        stacked += int((np.abs(boxes[:, None, 1] - boxes[None, :, 3]) < 3).any(0).sum())
    assert stacked > 20
