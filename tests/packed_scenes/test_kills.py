"""What makes a folder in several steps, killed at each of them: done again it ends as if nothing had happened."""

import os
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from packed_scenes.catalogue import Catalogue
from packed_scenes.crops import FolderKind, sort_into_folders
from packed_scenes.data.files import write_csv, write_text
from packed_scenes.embed.descriptors.cache import Cache
from packed_scenes.web.project import decisions
from packed_scenes.web.project.adding import Caps, Incoming, add_photos
from packed_scenes.web.project.folder import ProjectFolder, export_zip, import_zip, is_project
from packed_scenes.web.project.project import Project
from tests.kills import killed_everywhere
from tests.packed_scenes.catalogue.made import EMBEDDING, entry
from tests.packed_scenes.conftest import paint
from tests.packed_scenes.workbench import CARD, FIRST, SECOND, png, stub_models

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
    copied = partial(sort_into_folders, crops, np.array((0, 0, 1, -1)), kind=FolderKind.COPIES)
    assert killed_everywhere(lambda folder: copied(folder / "clusters"), earlier, tmp_path / "copied") > 5


def test_sorted_crops_that_are_there_already_are_left_alone(tmp_path):
    crops = [tmp_path / "crops" / f"{k}.png" for k in range(3)]
    for crop in crops:
        write_text(crop, crop.name)
    told = []
    out = sort_into_folders(crops, np.array([0, 0, 1]), tmp_path / "out", progress=lambda *at: told.append(at))
    assert told == [(3, 3)]
    first = out.stat().st_ino
    assert sort_into_folders(crops, np.array([0, 0, 1]), out).stat().st_ino == first
    next(out.glob("*/0.png")).unlink()
    second = sort_into_folders(crops, np.array([0, 0, 1]), out).stat().st_ino
    assert second != first
    assert sort_into_folders(crops, np.array([0, 1, 1]), out).stat().st_ino != second
    assert sorted(p.relative_to(out).as_posix() for p in out.glob("*/*")) == ["0_x1/0.png", "1_x2/1.png", "1_x2/2.png"]


@pytest.fixture(autouse=True)
def rooms(tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "again").mkdir()
    (tmp_path / "copied").mkdir()


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


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_adding_to_a_catalogue(tmp_path, monkeypatch):
    """At every statement; rows, numbers and counters are then those of a run that was not killed."""
    monkeypatch.setattr("packed_scenes.catalogue.edits.now", lambda: "2026-01-01T00:00:00")

    def add(folder):
        scenes = [entry("a", [1, 2, 1], picture=True), entry("b", [2], picture=True)]
        Catalogue.create(folder / "shop").add(scenes, embedding=EMBEDDING)

    assert killed_everywhere(add, empty, tmp_path / "new") > 50


class Frozen(datetime):
    """A clock that stands, so that two logs are the same."""

    @classmethod
    def now(cls, tz=None):
        return cls(2026, 1, 1, tzinfo=tz)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_project_of_the_app(tmp_path, monkeypatch):
    """Made, two photos added, an answer given: log, rows and photos byte for byte, whatever was killed where."""
    for module in ("history", "folder"):
        monkeypatch.setattr(f"packed_scenes.web.project.{module}.datetime", Frozen)
    photos = [png(paint(rows)) for rows in (FIRST, SECOND)]

    def work(folder):
        path = folder / "work"
        held = ProjectFolder(path) if is_project(path) else ProjectFolder.create(path, name="work", settings={})
        project = Project(held, roots=[], card=CARD)
        files = [Incoming(f"{n}.png", lambda content=content: content) for n, content in enumerate(photos)]
        add_photos(project, files, stub_models(), caps=Caps(), report=lambda *_: None)
        decisions.say_pairs(project, project.view().rows[:2].tolist(), decisions.DIFFERENT)
        held.close()

    assert killed_everywhere(work, empty, tmp_path / "new") > 20
