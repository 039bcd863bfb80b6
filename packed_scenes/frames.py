"""Frames of a video, or of a folder that holds one: taking every n-th."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import sha256_file, write_json
from packed_scenes.data.folders import VIDEO_SUFFIXES, list_images
from packed_scenes.data.naming import distinct, same_name
from packed_scenes.data.text import load_json


def is_video(path: str | Path) -> bool:
    """Whether a file name is one of a video."""
    return Path(path).suffix.lower() in VIDEO_SUFFIXES


def extract_frames(
    video: str | Path,
    folder: Path,
    *,
    name: str | None = None,
    every: int = 1,
    warn: Callable[[str], None] | None = None,
) -> list[Path]:
    """Write every n-th frame as ``NAME_000120.png``; frames that an earlier call has written are kept.

    Args:
        video: the file.
        folder: where the frames go; they stay, since overlays are drawn from them.
        name: before the frames' numbers; default: the file's name without its suffix.
        every: take frames 0, n, 2n …
        warn: receives a line if the video ends early.

    Returns:
        The files, in order.

    Memory: one frame.

    Raises:
        InputError: if the video cannot be read, or ``every`` is below 1.
    """
    from packed_scenes.data.images import write_image
    from packed_scenes.data.video import read_video

    path = Path(video)
    about = {"sha256": sha256_file(path), "every": every}
    name = name or path.stem
    list_file = folder / f"{name}.json"
    try:
        found = load_json(list_file.read_text("utf-8"))
        names = [folder / name for name in found.pop("frames")]
        if found == about and all(name.is_file() for name in names):
            return names
    except (OSError, ValueError, KeyError, AttributeError):
        pass
    names = []
    for number, frame in read_video(path, every=every, warn=warn):
        names.append(folder / f"{name}_{number:06d}.png")
        write_image(names[-1], frame)
    write_json(list_file, {**about, "frames": [name.name for name in names]})
    return names


def video_names(videos: Sequence[Path]) -> dict[Path, str]:
    """What the frames of each video are called: the file's name, with its folder in front where it repeats."""
    videos = list(dict.fromkeys(videos))
    times = Counter(same_name(video.stem) for video in videos)
    wanted = [v.stem if times[same_name(v.stem)] == 1 else f"{v.absolute().parent.name}_{v.stem}" for v in videos]
    return dict(zip(videos, distinct(wanted), strict=True))


def choose_frames(
    pictures: Sequence[str | Path], folder: Path, *, every: int = 1, warn: Callable[[str], None] | None = None
) -> list[str | Path]:
    """Put the frames of videos in their place, and take every n-th picture of folders; the rest stays as it is.

    Args:
        pictures: files, folders, URLs.
        folder: where the frames of videos are written.
        every: take frames (and pictures of a folder) 0, n, 2n …
        warn: receives lines about videos that end early.

    Raises:
        InputError: if a video cannot be read, a folder holds no picture, or ``every`` is below 1.
    """
    if every < 1:
        raise InputError(f"every must be at least 1, got {every}", remedy="Use 1 for all frames.")
    found: list[str | Path] = []
    names = video_names([Path(p) for p in pictures if not (isinstance(p, str) and "://" in p) and is_video(p)])
    for item in pictures:
        if not (isinstance(item, str) and "://" in item):
            if is_video(item):
                found += extract_frames(item, folder, name=names[Path(item)], every=every, warn=warn)
                continue
            if every > 1 and Path(item).is_dir():
                found += list_images([item])[::every]
                continue
        found.append(item)
    return found
