"""Frames of videos written here, and files that are no videos."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from packed_scenes.data import InputError
from packed_scenes.data.video import read_video


def clip(file: Path, frames: int = 12) -> Path:
    """Write a clip whose frames are red with a green level of 20 times their number."""
    code = {".avi": "MJPG", ".mp4": "mp4v"}[file.suffix]
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*code), 10, (64, 48))
    if not writer.isOpened():
        pytest.skip(f"this OpenCV writes no {code}")
    for number in range(frames):
        writer.write(np.full((48, 64, 3), (0, 20 * number, 200), np.uint8))
    writer.release()
    return file


@pytest.mark.parametrize("name", ["a.avi", "a.mp4"])
def test_every_nth_frame(name: str, tmp_path: Path) -> None:
    file = clip(tmp_path / name)
    found = list(read_video(file, every=5))
    assert [number for number, _ in found] == [0, 5, 10]
    for number, frame in found:
        assert frame.shape == (48, 64, 3)
        assert frame.dtype == np.uint8
        np.testing.assert_allclose(frame.mean(axis=(0, 1)), [200, 20 * number, 0], atol=8)
    assert len(list(read_video(file))) == 12
    assert [number for number, _ in read_video(file, every=2, max_frames=2)] == [0, 2]


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    file = clip(tmp_path / "a.avi").rename(tmp_path / "a.jpg")
    assert len(list(read_video(file))) == 12


def test_a_cut_file_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    file = clip(tmp_path / "a.avi", frames=30)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    lines: list[str] = []
    found = list(read_video(file, warn=lines.append))
    assert 0 < len(found) < 30
    assert lines == [f"{file}: ends after {len(found)} of 30 frames"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\nhttp://127.0.0.1:9/x.ts\n", "no AVI, MP4 or Matroska"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "no AVI, MP4 or Matroska"),
        (b"RIFF\0\0\0\0AVI " + bytes(50), "cannot decode|not supported|holds no frame"),
        (b"\0\0\0\x18ftypisom" + bytes(50), "cannot decode|not supported|holds no frame"),
    ],
)
def test_no_video(content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        list(read_video(file))
    assert str(caught.value).startswith(str(file))
    assert caught.value.remedy


def test_missing_file_pattern_address_and_wrong_step(tmp_path: Path) -> None:
    for name in ("none.mp4", "frame_%04d.jpg"):
        with pytest.raises(InputError, match="no such file"):
            list(read_video(tmp_path / name))
    with pytest.raises(InputError, match="no such file"):
        list(read_video("http://127.0.0.1:9/a.mp4"))
    with pytest.raises(InputError, match="every must be at least 1"):
        list(read_video(clip(tmp_path / "a.avi"), every=0))
