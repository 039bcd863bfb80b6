"""Names of scenes: unique, safe as folder names, stable."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.data import InputError, Scene
from packed_scenes.data.images import write_image
from packed_scenes.data.naming import flat_names
from packed_scenes.sources import MAX_NAME, RESERVED, given_boxes, safe_name, sources

GREY = np.full((8, 8, 3), 120, np.uint8)


@pytest.mark.slow
@settings(deadline=None, max_examples=200)
@given(st.text(max_size=300))
def test_a_safe_name_is_one_folder_name(text):
    name = safe_name(text)
    assert name
    assert not name.startswith(".")
    assert "/" not in name
    assert "\\" not in name
    assert "\0" not in name
    assert len(name.encode()) <= MAX_NAME
    assert safe_name(name) == name


@pytest.mark.parametrize("name", ["CON", "nul.tar", "Com1", "lpt9 .x", "COM\xb9", "CONIN$", "aux."])
def test_no_name_is_a_device_of_windows(name):
    base = safe_name(name).partition(".")[0].rstrip().lower()
    assert base.endswith("_")
    assert safe_name(safe_name(name)) == safe_name(name)
    assert safe_name(f"x{name}").startswith("x")
    assert flat_names([f"{name}.png"])[0].partition(".")[0].rstrip().endswith("_")


def test_names_that_only_begin_like_a_device_stay():
    assert [safe_name(name) for name in ("console", "nullified", "com10", "a.nul")] == [
        "console", "nullified", "com10", "a.nul",
    ]  # fmt: skip


def test_equal_stems_get_their_folder_in_front(tmp_path):
    for folder in ("a", "b"):
        write_image(tmp_path / folder / "shelf.png", GREY)
    write_image(tmp_path / "other.png", GREY)
    assert sorted(s.name for s in sources(tmp_path)) == ["a_shelf", "b_shelf", "other"]


def test_names_never_collide_with_each_other_or_with_run_files(tmp_path):
    scenes = [Scene(GREY, name) for name in ("x", "x", "X", "run.json")]
    names = [s.name for s in sources(scenes)]
    assert len({n.casefold() for n in names}) == 4
    assert not RESERVED & set(names)


def test_a_file_named_twice_counts_once(tmp_path):
    write_image(tmp_path / "a.png", GREY)
    assert len(sources([tmp_path, tmp_path / "a.png"])) == 1


def test_missing_and_empty_paths_are_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.jpg"):
        sources(tmp_path / "gone.jpg")
    with pytest.raises(InputError, match="no picture in this folder"):
        sources(tmp_path)


def test_fingerprint_follows_the_content(tmp_path):
    write_image(tmp_path / "a.png", GREY)
    write_image(tmp_path / "b.png", GREY)
    first, second = sources(tmp_path)
    assert first.fingerprint() == second.fingerprint()
    write_image(tmp_path / "b.png", GREY + 1)
    assert first.fingerprint() != second.fingerprint()
    assert sources(GREY)[0].fingerprint() != sources(GREY + 1)[0].fingerprint()


def test_yolo_boxes_are_fractions_of_the_only_picture(tmp_path):
    write_image(tmp_path / "a.png", np.full((20, 40, 3), 120, np.uint8))
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    boxes, _ = given_boxes(tmp_path / "a.txt", sources(tmp_path / "a.png")).for_image("a.png", size=(40, 20))
    assert boxes.xyxy.tolist() == [[10, 5, 30, 15]]
    write_image(tmp_path / "b.png", GREY)
    with pytest.raises(InputError, match="these boxes name no picture"):
        given_boxes(tmp_path / "a.txt", sources(tmp_path))
