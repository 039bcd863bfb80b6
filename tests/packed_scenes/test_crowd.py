"""Frames: videos taken apart, boxes followed, people counted once, groups of whoever stands together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes import analyze
from packed_scenes.data import InputError, Objects
from packed_scenes.data.boxes import read_boxes
from packed_scenes.frames import choose_frames, extract_frames
from packed_scenes.people_groups import group_people, person_outlines
from packed_scenes.settings import Settings
from packed_scenes.tracking import best_pairs, follow, frame_of, links_of
from tests.packed_scenes.conftest import paint, squares


def write_clip(path: Path, frames: list[Any]) -> Path:
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (width, height))
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def walk(start: tuple[float, float], step: tuple[float, float], count: int) -> np.ndarray:
    """Boxes of one person of 20 x 50 px over ``count`` frames."""
    corner = np.array(start) + np.arange(count)[:, None] * np.array(step)
    return np.concatenate([corner, corner + np.array([20, 50])], axis=1)


def test_a_clip_becomes_every_nth_frame_once(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.avi", [paint([[i % 4, None], [None, 1]]) for i in range(9)])
    found = extract_frames(clip, tmp_path / "frames", every=4)
    assert [p.name for p in found] == ["clip_000000.png", "clip_000004.png", "clip_000008.png"]
    before = found[0].stat().st_mtime_ns
    assert extract_frames(clip, tmp_path / "frames", every=4) == found
    assert found[0].stat().st_mtime_ns == before
    assert len(extract_frames(clip, tmp_path / "frames", every=3)) == 3
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(5):
        cv2.imwrite(str(folder / f"{i:03d}.png"), paint([[0]]))
    chosen = choose_frames([clip, folder, "s3://bucket/x"], tmp_path / "frames", every=2)
    assert [Path(str(p)).name for p in chosen][5:] == ["000.png", "002.png", "004.png", "x"]
    with pytest.raises(InputError, match="at least 1"):
        choose_frames([clip], tmp_path, every=0)


def test_identities_are_joint_over_a_clip(tmp_path: Path, observer: Any) -> None:
    frames = [paint([[0, None, 1], [None, None, None]]), paint([[None, 0, None], [1, None, None]])]
    clip = write_clip(tmp_path / "clip.avi", [frames[0]] * 3 + [frames[1]] * 3)
    boxes = {f"clip_{number:06d}": squares(frame) for number, frame in zip((0, 3), frames, strict=True)}
    result = analyze(choose_frames([clip], tmp_path / "f", every=3), boxes=boxes, observer=observer)
    assert [s.name for s in result.scenes] == ["clip_000000", "clip_000003"]
    assert result.clustering["n_clusters"] == 2


def test_names_of_frames() -> None:
    assert frame_of("clip_000120") == ("clip_", 120)
    assert frame_of("7") == ("", 7)
    assert frame_of("a/b/000010.jpg") == ("", 10)
    assert frame_of("shelf") is None


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000))
def test_best_pairs_are_mutual_and_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = (np.concatenate([c, c + rng.uniform(5, 30, (6, 2))], 1) for c in rng.uniform(0, 60, (2, 6, 2)))
    rows, others, overlap = best_pairs(a, b)
    assert len(set(rows)) == len(rows) == len(set(others))
    for i, j, value in zip(rows, others, overlap, strict=True):
        low, high = np.maximum(a[i, :2], b[j, :2]), np.minimum(a[i, 2:], b[j, 2:])
        common = np.prod(np.clip(high - low, 0, None))
        both = np.prod(a[i, 2:] - a[i, :2]) + np.prod(b[j, 2:] - b[j, :2]) - common
        assert value == pytest.approx(common / both)
    swapped = best_pairs(b, a)
    assert set(zip(rows, others, strict=True)) == set(zip(swapped[1], swapped[0], strict=True))


def test_people_are_followed_through_gaps_and_crossings() -> None:
    one, two = walk((0, 100), (3, 0), 30), walk((200, 105), (-3, 0), 30)
    frames = {}
    for i in range(30):
        here = [one[i], two[i]][:: 1 if i % 2 else -1]  # the order of the rows must not matter
        if 10 <= i < 14:
            here = [two[i]]  # the first is missed for four frames
        frames[f"{i:06d}"] = np.array(here)
    tracks, warnings = follow(frames)
    assert not warnings
    first = [tracks[f"{i:06d}"][0 if i % 2 else 1] for i in range(30) if not 10 <= i < 14]
    assert len(set(first)) == 1
    assert len(np.unique(np.concatenate(list(tracks.values())))) == 2


def test_frames_far_apart_are_not_followed() -> None:
    one = walk((0, 100), (15, 0), 12)
    tracks, warnings = follow({str(i): one[i : i + 1] for i in range(12)})
    assert "overlap" in warnings[0]
    assert (np.concatenate(list(tracks.values())) == -1).all()


def test_links_chain_a_track() -> None:
    links = links_of([np.array([4, -1]), np.array([7, 4]), np.array([4, -1])])
    assert links.tolist() == [[0, 3], [3, 4]]


def test_boxes_of_frames_between_are_followed(tmp_path: Path, observer: Any) -> None:
    """One red and one green square swap places; only given boxes of the frames between tell who is who."""
    steps = [
        paint([[0, None, None, None], [None, None, None, 0]]),
        paint([[None, None, None, 0], [0, None, None, None]]),
    ]
    for number, picture in ((0, steps[0]), (30, steps[1])):
        cv2.imwrite(str(tmp_path / f"{number:06d}.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    lines = ["frame,x1,y1,x2,y2"]
    for i in range(31):
        lines += [f"{i},{5 + 3 * i},5,{25 + 3 * i},25", f"{i},{95 - 3 * i},35,{115 - 3 * i},55"]
    table = tmp_path / "tracks.csv"
    table.write_text("\n".join(lines))
    observer.settings = Settings(once=True, linked=True)
    result = analyze([tmp_path / "000000.png", tmp_path / "000030.png"], boxes=read_boxes(table),
                     settings=observer.settings, observer=observer)  # fmt: skip
    assert result.clustering["n_clusters"] == 2  # all four look the same
    for row in (0, 1):
        assert result.scenes[0].objects.cluster[row] == result.scenes[1].objects.cluster[row]


def test_a_person_is_not_twice_in_a_picture(observer: Any) -> None:
    pictures = [paint([[0, 0, 1]]), paint([[1, 0, 0]])]
    observer.settings = Settings(once=True)
    result = analyze(pictures, settings=observer.settings, observer=observer)
    for scene in result.scenes:
        assert len(set(scene.objects.cluster.tolist())) == 3
    assert result.clustering["n_clusters"] == 3


def test_groups_are_scaled_by_height() -> None:
    near, far = walk((0, 100), (26, 0), 3), walk((200, 20), (13, 0), 2) * [1, 1, 1, 1]
    far[:, 2:] = far[:, :2] + [10, 25]
    lonely = np.array([[400.0, 100, 420, 150]])
    objects = Objects.from_boxes(np.concatenate([near, far, lonely]), cluster=np.arange(6))
    placed, groups = group_people(objects, (300, 500), reach=0.5)
    assert [g.label for g in groups] == ["g1", "g2"]
    assert [len(g.object_ids) for g in groups] == [3, 2]
    assert placed.congregation.tolist() == [1, 1, 1, 2, 2, -1]
    assert placed.cluster.tolist() == list(range(6))
    assert [p.label for p in person_outlines(placed)] == [str(i) for i in range(6)]


def test_a_run_on_a_crowd_is_written(tmp_path: Path, observer: Any) -> None:
    observer.settings = Settings(once=True, congregate="height", reach=1.0)
    result = analyze([paint([[0, 1, None, None, None, 2]])], settings=observer.settings, observer=observer)
    result.save(tmp_path)
    text = (tmp_path / "scene" / "objects.csv").read_text().splitlines()
    assert [line.rsplit(",", 1)[1] for line in text[1:]] == ["g1", "g1", ""]
    assert '"label": "g1"' in (tmp_path / "scene" / "congregations.json").read_text()
    assert result.overlay().std() > 0


def test_settings_are_checked() -> None:
    with pytest.raises(InputError, match="congregate"):
        Settings(congregate="width")
    with pytest.raises(InputError, match="cut"):
        Settings(cut="best")
