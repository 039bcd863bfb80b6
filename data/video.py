"""Frames of a video file, through OpenCV.

Only plain containers are opened (AVI, MP4/MOV, Matroska/WebM), recognised by their first bytes: the library behind
OpenCV would also follow playlists, address lists and ``%04d`` patterns, which name other files and hosts.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import check_file
from packed_scenes.data.images import MAX_PIXELS, Warn

_log = logging.getLogger(__name__)
_REMEDY = "Convert it to MP4 (H.264), for example with ffmpeg."


@dataclass(frozen=True)
class VideoInfo:
    """What the header says: size in pixels, frames per second, number of frames (0 = unknown)."""

    width: int
    height: int
    fps: float
    frames: int


def read_video(
    path: str | Path, *, every: int = 1, max_frames: int | None = None, warn: Warn | None = None
) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """Give (frame number, (H, W, 3) uint8 RGB) of every n-th frame, from frame 0 on; one frame is in memory at a time.

    Args:
        path: ``.avi``, ``.mp4``, ``.mov``, ``.mkv`` or ``.webm`` file.
        every: take frames 0, n, 2n …; the frames between are not converted.
        max_frames: at most so many frames.
        warn: receives a line if the file ends before its header says; default: the log.

    Raises:
        InputError: at the first frame, if the file is no readable video, is too large, or holds no frame.
    """
    if every < 1:
        raise InputError(f"every must be at least 1, got {every}", remedy="Use 1 for all frames.")
    import cv2

    capture = _capture(path)
    try:
        info = _info(capture)
        number = given = 0
        while max_frames is None or given < max_frames:
            if not capture.grab():
                break
            if number % every == 0:
                good, frame = capture.retrieve()
                if not good:
                    break
                given += 1
                yield number, np.ascontiguousarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
            number += 1
        if number == 0 and max_frames != 0:
            raise InputError("holds no frame that can be decoded", file=path, remedy=_REMEDY)
        if (max_frames is None or given < max_frames) and number < info.frames:
            (warn or _log.warning)(f"{path}: ends after {number} of {info.frames} frames")
    finally:
        capture.release()


def _capture(path: str | Path) -> Any:
    check_file(path, what="video")
    try:
        with open(path, "rb") as file:
            head = file.read(16)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=path, remedy="Check its permissions.") from error
    if not ((head[:4] == b"RIFF" and head[8:12] == b"AVI ") or head[4:8] == b"ftyp" or head[:4] == b"\x1a\x45\xdf\xa3"):
        raise InputError("is no AVI, MP4 or Matroska video", file=path, remedy=_REMEDY)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # its lines would bury ours
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    # An absolute path cannot be taken for an address or a pattern of numbered pictures in another folder.
    capture = cv2.VideoCapture(str(Path(path).resolve()), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        capture.release()
        raise InputError("cannot decode the video", file=path, remedy=_REMEDY)
    info = _info(capture)
    if info.width < 1 or info.height < 1 or info.width * info.height > MAX_PIXELS:
        capture.release()
        raise InputError(
            f"frames of {info.width} x {info.height} pixels are not supported",
            file=path,
            remedy="Scale the video down.",
        )
    return capture


def _info(capture: Any) -> VideoInfo:
    import cv2

    frames = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    return VideoInfo(
        width=int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
        height=int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        fps=float(capture.get(cv2.CAP_PROP_FPS)),
        frames=int(frames) if 0 < frames < 1e9 else 0,
    )
