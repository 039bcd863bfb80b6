"""Small helpers of the pictures: figures without a screen, photos side by side, crops inside a plot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.files import atomic_write

Image = npt.NDArray[np.uint8]
GREY = "#555555"
WIDTH = 1600  # of a picture with two photos, px


@contextmanager
def figure(width: float, height: float) -> Iterator[Any]:
    """Yield a white figure of so many inches; closed afterwards."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    fig = plt.figure(figsize=(width, height), facecolor="white")
    try:
        yield fig
    finally:
        plt.close(fig)


def save_figure(fig: Any, path: Path) -> Path:
    """Write a figure as PNG, without the date, so that the same figure is the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as part:
        fig.savefig(part, dpi=110, bbox_inches="tight", format="png", metadata={"Software": None})
    return path


def save_photo(path: Path, image: Image) -> Path:
    """Write an RGB picture as JPEG of at most :data:`WIDTH` pixels across."""
    import cv2

    from packed_scenes.data.images import write_image

    shrink = min(1.0, WIDTH / image.shape[1])
    small = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) if shrink < 1 else image
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, small, quality=82)
    return path


def side_by_side(left: Image, right: Image, *, gap: int = 12) -> Image:
    """Join two pictures of one height with a white gap."""
    between = np.full((left.shape[0], gap, 3), 255, np.uint8)
    return np.hstack([left, between, right])


def crops_of(image: Image, boxes: npt.NDArray[np.floating[Any]]) -> list[Image]:
    """Cut boxes out of a picture."""
    height, width = image.shape[:2]
    whole = np.clip(boxes.round().astype(int), 0, [width, height, width, height])
    return [image[y1:y2, x1:x2] for x1, y1, x2, y2 in whole]


def tiles(ax: Any, crop: Image, at: Sequence[float], *, zoom: float) -> None:
    """Put a crop, at most ``zoom`` points high and wide, into a plot at data coordinates; may lie outside the axes."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    scale = zoom / max(crop.shape[:2]) * 0.9
    ax.add_artist(AnnotationBbox(OffsetImage(crop, zoom=scale), at, frameon=False, annotation_clip=False))
