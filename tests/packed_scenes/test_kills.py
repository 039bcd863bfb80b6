"""What makes a folder in several steps, killed at each of them: done again it ends as if nothing had happened."""

import os
from pathlib import Path

import numpy as np
import pytest

from packed_scenes.crops import sort_into_folders
from packed_scenes.data.files import write_csv, write_text
from packed_scenes.embed.descriptors.cache import Cache
from packed_scenes.web.project.folder import export_zip, import_zip
from tests.kills import killed_everywhere

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def empty(folder: Path) -> None:
    folder.mkdir()


@pytest.mark.slow
def test_sorted_crops(tmp_path):
    crops = [tmp_path / "crops" / f"{k}.png" for k in range(4)]
    for crop in crops:
        write_text(crop, crop.name)

    def sort(folder, labels=(0, 0, 1, -1)):
        sort_into_folders(crops, np.array(labels), folder / "clusters")

    def earlier(folder):
        empty(folder)
        sort(folder, labels=(0, 1, 2, 3))

    assert killed_everywhere(sort, empty, tmp_path / "new") > 5
    assert killed_everywhere(sort, earlier, tmp_path / "again") > 5


@pytest.fixture(autouse=True)
def rooms(tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "again").mkdir()


@pytest.mark.slow
def test_tables(tmp_path):
    def write(folder):
        write_csv(folder / "a.csv", [("file", "n"), ("=x", 1)])
        write_csv(folder / "b" / "c.csv", [("file",), ("y",)])

    assert killed_everywhere(write, empty, tmp_path / "new") > 4


@pytest.mark.slow
def test_descriptor_cache(tmp_path):
    rows = np.eye(5, 4, dtype=np.float32)
    contents = [bytes([k]) * 32 for k in range(5)]

    def fill(folder):
        cache = Cache(folder, {"name": "x"}, dimension=4, shard=2)
        cache.add(contents, rows)
        cache.flush()
        cache.gather(contents, folder / "all.npy")

    assert killed_everywhere(fill, empty, tmp_path / "new") > 6


@pytest.mark.slow
def test_import_of_a_project(tmp_path):
    for name in ("project.json", "log.jsonl", "photos/0123456789abcdef.png"):
        write_text(tmp_path / "project" / name, "{}")
    export_zip(tmp_path / "project", [], tmp_path / "p.zip")

    def take(folder):
        if not (folder / "taken").exists():
            import_zip(tmp_path / "p.zip", folder / "taken")

    assert killed_everywhere(take, empty, tmp_path / "new") > 4
