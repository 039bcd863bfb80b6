"""``Scene``, ``LabelledScene`` and the package's own exports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from packed_scenes import data
from packed_scenes.data import InputError, LabelledScene, Objects, Scene, write_image


def test_scene_knows_its_size_and_refuses_other_arrays() -> None:
    scene = Scene(np.zeros((3, 5, 3), np.uint8), "a")
    assert (scene.height, scene.width) == (3, 5)
    for wrong in (
        np.zeros((3, 5), np.uint8),
        np.zeros((3, 5, 4), np.uint8),
        np.zeros((3, 5, 3)),
        np.zeros((0, 5, 3), np.uint8),
    ):
        with pytest.raises(InputError, match="image must be uint8"):
            Scene(wrong, "a")
    with pytest.raises(InputError, match="name is empty"):
        Scene(np.zeros((3, 5, 3), np.uint8), "")


def test_labelled_scene_loads_the_picture_that_was_labelled(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((30, 40, 3), np.uint8))
    truth = Objects.from_boxes([[1, 2, 3, 4]], cluster=[0])
    scene = LabelledScene(tmp_path / "a.png", "a", truth, size=(40, 30)).load()
    assert scene.truth is truth
    assert scene.name == "a"
    assert Scene.from_file(tmp_path / "a.png").name == "a"
    with pytest.raises(InputError, match=r"a\.png: the picture is 40 x 30, its labels say 30 x 40"):
        LabelledScene(tmp_path / "a.png", "a", truth, size=(30, 40)).load()


def test_labelled_scene_checks_alignment() -> None:
    truth = Objects.from_boxes([[1, 2, 3, 4]])
    with pytest.raises(InputError, match="identity_uncertain"):
        LabelledScene(Path("a.png"), "a", truth, identity_uncertain=np.zeros(2, bool))
    with pytest.raises(InputError, match="ignore"):
        LabelledScene(Path("a.png"), "a", truth, ignore=np.zeros((2, 3), np.float32))


def test_exports_are_there_and_load_nothing_heavy() -> None:
    assert all(getattr(data, name) is not None for name in data.__all__)
    assert dir(data) == data.__all__
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = data.nonsense
    code = "import sys; from packed_scenes.data import Objects, read_boxes, read_coco, read_image; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "pandas", "cv2", "matplotlib", "sklearn", "yaml"} & set(loaded)
