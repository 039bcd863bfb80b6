"""``synthesize.py``: files, labels, resume, and what a user sees when something is wrong."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from packed_scenes.data.coco import read_coco
from packed_scenes.data.errors import InputError
from packed_scenes.data.synth.export import JOURNAL, identity_name, write_scenes
from packed_scenes.data.synth.options import parse_range, parse_settings, parse_size, pick_goods
from packed_scenes.data.synth.people import write_people
from packed_scenes.data.synth.pool import SALT, STRIDE
from packed_scenes.data.synth.scenes import SceneStream, stream
from packed_scenes.data.yolo import read_yolo
from tests import commands


def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return commands.call("synthesize", *arguments)


def few(**options: object) -> SceneStream:
    return stream(2, size=(120, 160), families=3, count=(4, 20), **options)


def test_command_writes_scenes_and_says_so(tmp_path: Path) -> None:
    done = call(
        tmp_path / "out", "--count", "2", "--layout", "scatter", "--size", "120x160", "--objects", "5-20", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"count": 2, "labels": str(tmp_path / "out" / "annotations.json")}
    assert [s.load().image.shape for s in read_coco(tmp_path / "out" / "annotations.json")] == [(120, 160, 3)] * 2


@pytest.mark.parametrize(
    "wrong",
    [
        ["--layout", "heap"],
        ["--size", "big"],
        ["--objects", "9-3"],
        ["--format", "voc"],
        ["--goods", "/nowhere"],
        ["--count", "0"],
    ],
)
def test_bad_input_is_one_line_and_code_2(tmp_path: Path, wrong: list[str]) -> None:
    done = call(tmp_path / "out", *wrong)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().startswith("error: ") or "Usage" in done.stderr


def test_coco_holds_the_truth(tmp_path: Path) -> None:
    made = few()
    assert list(write_scenes(made, tmp_path, 3)) == [0, 1, 2]
    for index, scene in enumerate(read_coco(tmp_path / "annotations.json")):
        labelled = made.labelled(index)
        truth = labelled.scene.truth
        assert truth is not None
        assert truth.cluster is not None
        assert np.array_equal(scene.truth.xyxy, truth.xyxy)
        assert scene.truth.cluster is not None
        assert [scene.categories[c] for c in scene.truth.cluster] == [identity_name(int(c)) for c in truth.cluster]
        assert np.array_equal(scene.ignore, labelled.ignore)
        # JPEG changes values a little, never the picture
        assert np.abs(scene.load().image.astype(int) - labelled.scene.image).mean() < 8


def test_yolo_has_one_class(tmp_path: Path) -> None:
    made = few()
    list(write_scenes(made, tmp_path, 2, form="yolo"))
    for index, scene in enumerate(read_yolo(tmp_path / "data.yaml", split="train")):
        truth = made[index].truth
        assert truth is not None
        np.testing.assert_allclose(scene.truth.xyxy, truth.xyxy, atol=0.01)
        assert not scene.truth.class_id.any()


def test_an_interrupted_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    list(write_scenes(few(), whole, 4))
    started = write_scenes(few(), parts, 4)
    next(started)
    next(started)
    started.close()
    journal = parts / JOURNAL
    journal.write_text(journal.read_text() + '{"index": 2, "na')  # cut off by a power failure
    made: list[int] = []
    real = SceneStream.labelled
    monkeypatch.setattr(SceneStream, "labelled", lambda self, index: made.append(index) or real(self, index))
    assert list(write_scenes(few(), parts, 4)) == [0, 1, 2, 3]
    assert made == [2, 3]
    assert (parts / "annotations.json").read_bytes() == (whole / "annotations.json").read_bytes()
    for picture in (whole / "images").iterdir():
        assert (parts / "images" / picture.name).read_bytes() == picture.read_bytes()


def test_other_settings_need_another_folder(tmp_path: Path) -> None:
    list(write_scenes(few(), tmp_path, 1))
    with pytest.raises(InputError, match="other settings"):
        list(write_scenes(few(layout="crowd"), tmp_path, 1))
    with pytest.raises(InputError, match="other settings"):
        list(write_scenes(few(), tmp_path, 1, note="crops"))
    (tmp_path / JOURNAL).write_text("hello\n")
    with pytest.raises(InputError, match="journal"):
        list(write_scenes(few(), tmp_path, 1))
    (tmp_path / JOURNAL).unlink()
    with pytest.raises(InputError, match="another origin"):
        list(write_scenes(few(), tmp_path, 1))


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError):
        list(write_scenes(few(), tmp_path / "out", 1))


def test_options_as_typed() -> None:
    assert parse_size("640") == (640, 640)
    assert parse_size(" 1200 x 1600 ") == (1200, 1600)
    assert parse_range("5-50") == (5, 50)
    assert parse_range("7") == (7, 7)
    for text in ("", "x", "3x", "-4", "1x2x3", "1e3"):
        with pytest.raises(InputError):
            parse_size(text)
    with pytest.raises(InputError):
        parse_range("a-b")
    assert parse_settings(["oblique=0.2", "min_side=6"]) == {"oblique": 0.2, "min_side": 6}
    for text in ("oblique", "oblique=x", "size=3", "=1", "min_side=1.5"):
        with pytest.raises(InputError):
            parse_settings([text])
    assert pick_goods(None, drawn=0.0) is None
    with pytest.raises(InputError):
        pick_goods(None, drawn=2.0)


def test_identity_names_are_unique() -> None:
    assert identity_name(12 * STRIDE + 3) == "goods 12.3"
    assert identity_name((SALT + 4) * STRIDE) == "person 4.0"
    assert identity_name((13 * SALT + 4) * STRIDE + 1) == "coin 4.1"


def test_people_are_drawn_by_identity_and_camera_and_not_again(tmp_path: Path) -> None:
    out = tmp_path / "people"
    assert list(write_people(out, 3, views=2, seed=4)) == [3]
    names = sorted(path.name for path in out.glob("*.jpg"))
    assert [name.split("_")[0] for name in names] == ["00000", "00000", "00001", "00001", "00002", "00002"]
    before = {name: (out / name).read_bytes() for name in names}
    (out / names[1]).unlink()
    untouched = (out / names[0]).stat().st_mtime_ns
    assert list(write_people(out, 3, views=2, seed=4)) == [3]
    assert {path.name: path.read_bytes() for path in out.glob("*.jpg")} == before
    redrawn = (out / names[0]).stat().st_mtime_ns
    assert redrawn > untouched  # a hundred is drawn as one
    list(write_people(out, 3, views=2, seed=4))
    assert (out / names[0]).stat().st_mtime_ns == redrawn
    with pytest.raises(InputError, match="another seed"):
        list(write_people(out, 3, views=2, seed=5))
    (out / "people.json").write_text("{")
    with pytest.raises(InputError, match="another seed"):
        list(write_people(out, 3, views=2, seed=4))
    with pytest.raises(InputError, match="not empty"):
        list(write_people(tmp_path, 3, views=2))
    with pytest.raises(InputError, match="at least 1"):
        list(write_people(out, 0, views=2))


def test_the_command_draws_people(tmp_path: Path) -> None:
    done = call(tmp_path / "p", "--people", "2", "--count", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"people": 2, "crops": 4}
