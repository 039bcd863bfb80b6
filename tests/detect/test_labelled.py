"""Labelled pictures as training material: classes, splits, and one bad picture among good ones."""

from __future__ import annotations

import json

import numpy as np
import pytest

from packed_scenes.data import InputError, write_image
from packed_scenes.detect.training.dataset import ROBOFLOW, read_labelled, to_pool


def coco(folder, count=4, *, file="c.json", categories=(3, 7, 9)):
    """COCO labels with one object of each category a picture."""
    images, notes = [], []
    for i in range(count):
        write_image(folder / f"{i}.png", np.full((60, 80, 3), 9 * i, np.uint8))
        images.append({"id": i + 1, "file_name": f"{i}.png", "width": 80, "height": 60})
        notes += [
            {"id": 3 * i + j, "image_id": i + 1, "category_id": key, "bbox": [5 + 20 * j, 10, 15, 20]}
            for j, key in enumerate(categories)
        ]
    names = [{"id": key, "name": f"n{key}"} for key in categories]
    (folder / file).write_text(json.dumps({"images": images, "annotations": notes, "categories": names}))
    return folder / file


def yolo(folder, *splits):
    for split in splits:
        for i in range(3):
            write_image(folder / split / "images" / f"{split}{i}.png", np.full((60, 80, 3), 9, np.uint8))
            (folder / split / "labels").mkdir(exist_ok=True)
            (folder / split / "labels" / f"{split}{i}.txt").write_text("0 .5 .5 .3 .3\n")
    (folder / "data.yaml").write_text("train: train/images\nval: val/images\nnames: [x]\n")
    return folder / "data.yaml"


def test_classes_are_kept(tmp_path):
    found = read_labelled(coco(tmp_path), keep_classes=True)
    assert found.names == ("n3", "n7", "n9")
    pool = to_pool(found.train, agnostic=found.agnostic)
    assert [classes.tolist() for classes in pool.classes] == [[0, 1, 2]] * len(found.train)


def test_a_fault_in_the_validation_split_never_changes_what_is_validated_on(tmp_path):
    file = yolo(tmp_path, "train", "val")
    (tmp_path / "val" / "labels" / "val1.txt").write_text("0 .5 .5 0 .3\n")
    found = read_labelled(file)
    assert [s.name for s in found.train] == ["train0", "train1", "train2"]
    assert [s.name for s in found.validation] == ["val0", "val1", "val2"]
    assert any("val1.txt" in line for line in found.warnings)
    file.write_text("train: train/images\nval: nowhere/images\nnames: [x]\n")
    with pytest.raises(InputError, match="names a folder that is not there"):
        read_labelled(file)
    file.write_text("train: train/images\nval:\nnames: [x]\n")  # no split is named: some are held out
    assert len(read_labelled(file).validation) == 1


def test_a_bad_picture_costs_itself(tmp_path):
    file = coco(tmp_path)
    (tmp_path / "2.png").write_text("no picture")
    errors = []
    found = read_labelled(file)
    pool = to_pool((*found.train, *found.validation), agnostic=True, errors=errors)
    assert (len(pool), len(errors)) == (3, 1)
    assert "2.png" in errors[0][0]
    for i in range(4):
        (tmp_path / f"{i}.png").write_text("no picture")
    with pytest.raises(InputError, match="no picture that can be read"):
        to_pool(found.train, agnostic=True)


def test_the_coco_export_of_roboflow(tmp_path):
    for split in ("train", "valid"):
        (tmp_path / split).mkdir()
        coco(tmp_path / split, file=ROBOFLOW)
    found = read_labelled(tmp_path)
    assert {s.image.parent.name for s in found.validation} == {"valid"}
    assert len(found.train) == 4
