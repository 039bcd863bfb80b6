"""The corpus of wrong pictures through a whole run, a disk that fills in the middle, and vectors that are none."""

import errno
import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from packed_scenes import analyze, runfolder
from packed_scenes.data import InputError, Objects
from packed_scenes.data.images import write_image
from packed_scenes.observation import Observation
from tests.data.test_hostile import CORPUS, READ
from tests.packed_scenes.conftest import ColourObserver, paint


class Corner(ColourObserver):
    """One object per picture, whatever is in it."""

    def observe(self, scene, boxes=None):
        objects = Objects.from_boxes([[0, 0, 20, 20]], embedding=np.eye(1, 3, dtype=np.float32))
        return Observation(objects=objects, size=(scene.height, scene.width))


@pytest.mark.slow
def test_every_wrong_picture_is_one_line_and_every_other_a_scene(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name, (content, _) in CORPUS.items():
        (folder / name).write_bytes(content())
    result = analyze(folder, observer=Corner(), stage=tmp_path / "run" / ".seen")
    out = result.save(tmp_path / "run")
    bad = {name for name, (_, says) in CORPUS.items() if says != READ}
    errors = pd.read_csv(out / "errors.csv", dtype=str)
    assert sorted(errors["file"]) == sorted(str(folder / name) for name in bad)
    assert all("\n" not in reason for reason in errors["reason"])
    assert len(result.scenes) == len(CORPUS) - len(bad)
    assert len(list(out.rglob("overlay.jpg"))) == len(result.scenes)
    inside = {p.resolve() for p in out.rglob("*")}
    assert all(p.is_relative_to(out.resolve()) for p in inside)


def test_a_disk_that_is_full_for_one_scene_costs_that_scene(tmp_path, observer, monkeypatch):
    for name in ("a", "b", "c"):
        write_image(tmp_path / "in" / f"{name}.png", paint([[0, 1]]))
    result = analyze(tmp_path / "in", observer=observer)
    save = runfolder.save_overlay

    def full(scene, *rest, **more):
        if scene.name == "b":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(scene, *rest, **more)

    monkeypatch.setattr(runfolder, "save_overlay", full)
    out = result.save(tmp_path / "run")
    errors = pd.read_csv(out / "errors.csv")
    assert errors["file"].tolist() == [str(tmp_path / "in" / "b.png")]
    assert "No space left" in errors["reason"][0]
    assert sorted(p.parent.name for p in out.rglob("overlay.jpg")) == ["a", "c"]


def test_a_run_folder_that_cannot_be_written_is_one_line(tmp_path, observer, monkeypatch):
    write_image(tmp_path / "a.png", paint([[0, 1]]))
    result = analyze(tmp_path / "a.png", observer=observer)

    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("packed_scenes.data.files.begin_file", refuse)
    with pytest.raises(InputError, match=r"cannot write here \(Read-only file system\)\. Choose another --out"):
        result.save(tmp_path / "run")


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_vectors_that_are_no_directions_are_refused(tmp_path, bad):
    class Broken(ColourObserver):
        def observe(self, scene, boxes=None):
            seen = super().observe(scene, boxes)
            vectors = seen.objects.embedding.copy()
            vectors[1] = bad
            return replace(seen, objects=seen.objects.replace(embedding=vectors))

    with pytest.raises(InputError, match=r"finite|unit|row 1|zero"):
        analyze(paint([[0, 1, 2]]), observer=Broken())
