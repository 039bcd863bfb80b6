"""Folders of classes with a damaged crop, and maps of very few crops."""

from __future__ import annotations

import numpy as np
import pytest

from packed_scenes.data import InputError, write_image
from packed_scenes.embed.folders import read_folder
from packed_scenes.embed.plots import plot_map


def test_a_damaged_crop_is_left_out_and_told(tmp_path):
    for name in ("a/1.png", "a/2.png", "b/1.png", ".ipynb_checkpoints/x.png", "@eaDir/x.png"):
        write_image(tmp_path / name, np.full((9, 9, 3), 7, np.uint8))
    (tmp_path / "a" / "bad.JFIF").write_text("no picture")
    (tmp_path / "b" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    crops = read_folder(tmp_path)
    assert crops.classes == ("a", "b")
    kept, errors = crops.readable()
    assert [p.name for p in kept.paths] == ["1.png", "2.png", "1.png"]
    assert [file.rpartition("/")[2] for file, _ in errors] == ["bad.JFIF", "gone.png"]
    (tmp_path / "b" / "1.png").unlink()
    with pytest.raises(InputError, match="2 of 4 crops cannot be read"):
        read_folder(tmp_path).readable()


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_map_of_few(count, tmp_path):
    vectors = np.eye(4, dtype=np.float32)[:count]
    plot_map(vectors, np.arange(count) % 2, ["a", "b"], tmp_path / "map.png")
    assert (tmp_path / "map.png").is_file()
