"""What the walk over folders takes for pictures, and what it says about the rest."""

from __future__ import annotations

import json

import pytest

from packed_scenes.data import InputError
from packed_scenes.data.folders import is_run_folder, list_images


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def test_hidden_folders_bins_thumbnails_and_earlier_runs_are_no_input(tmp_path):
    touch(
        tmp_path, "a.jpg", "b.JFIF", "c.HEIC", "sub/d.avif", ".ipynb_checkpoints/a-1.jpg", ".Trash-1000/o.jpg",
        "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg", "__MACOSX/._a.jpg", "$RECYCLE.BIN/x.jpg", "._a.jpg",
        "count/clusters/.made-by-count", "count/clusters/1/a.jpg", "study/.sorted-by-study", "study/1/a.jpg",
        "half/.seen/a.parquet", "half/a/overlay.jpg", "one/objects.csv", "one/congregations.json", "one/overlay.jpg",
        "raw.cr2", "clip.mp4", "notes.txt",
    )  # fmt: skip
    (tmp_path / "out" / "a").mkdir(parents=True)
    touch(tmp_path, "out/clusters.png", "out/a/overlay.jpg")
    (tmp_path / "out" / "run.json").write_text(json.dumps({"made": "2026", "versions": {}}))
    (tmp_path / "link").symlink_to(tmp_path / "sub", target_is_directory=True)
    told = []
    found = [p.relative_to(tmp_path).as_posix() for p in list_images([tmp_path], warn=told.append)]
    assert found == ["a.jpg", "b.JFIF", "c.HEIC", "sub/d.avif"]
    assert len(told) == 1
    for said in ("1 .cr2 files", "1 videos", "1 links to folders", "5 folders of earlier runs"):
        assert said in told[0]
    assert is_run_folder(tmp_path / "out")


def test_a_run_into_the_photo_folder_itself(tmp_path):
    touch(
        tmp_path, "a.jpg", "clusters.png", "a/objects.csv", "a/congregations.json", "a/overlay.jpg", ".seen/a.parquet"
    )
    (tmp_path / "run.json").write_text(json.dumps({"made": "2026", "versions": {}}))
    assert list_images([tmp_path]) == [tmp_path / "a.jpg"]


def test_a_link_to_a_picture_that_is_there_counts_once(tmp_path):
    touch(tmp_path / "in", "a.jpg")
    touch(tmp_path, "b.jpg")
    for name, target in (("link.jpg", "a.jpg"), ("other.jpg", "../b.jpg"), ("gone.jpg", "none.jpg")):
        (tmp_path / "in" / name).symlink_to(target)
    told = []
    assert [p.name for p in list_images([tmp_path / "in"], warn=told.append)] == ["a.jpg", "gone.jpg", "other.jpg"]
    assert told == [f"{tmp_path / 'in'}: skipped: 1 links to files that are there"]


def test_another_ones_run_json_and_an_empty_name(tmp_path):
    touch(tmp_path, "trip/a.jpg")
    (tmp_path / "trip" / "run.json").write_text('{"kilometres": 5}')
    assert list_images([tmp_path]) == [tmp_path / "trip" / "a.jpg"]
    with pytest.raises(InputError, match="an empty name is no file"):
        list_images([""])
