"""Small pictures for a catalogue: a thumbnail of every object, a preview of every scene; when a photo was taken."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

CROP_SIDE = 128  # px, longer side: 3 kB a crop on shelf photos, 1.3 GB for 416,314 of them
PREVIEW_SIDE = 960  # px, longer side: about 120 kB a scene
QUALITY = 82
_DATE_TAKEN, _DATE_CHANGED, _EXIF_FOLDER = 0x9003, 0x0132, 0x8769

Image = npt.NDArray[np.uint8]


def thumbnail(image: Image, *, side: int) -> bytes:
    """Return the picture as JPEG, shrunk (never enlarged) so that its longer side is at most ``side`` pixels."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return encoded.tobytes()


def crops(image: Image, xyxy: npt.NDArray[np.float32]) -> list[bytes]:
    """Return a thumbnail of every box, in order.

    Args:
        image: (H, W, 3) uint8 RGB.
        xyxy: (N, 4) pixels, origin top-left, x2 and y2 exclusive; clipped to the picture.

    Raises:
        InputError: if a box lies wholly outside the picture.
    """
    from packed_scenes.embed.crops import pixel_boxes

    boxes = pixel_boxes(xyxy, width=image.shape[1], height=image.shape[0])
    return [thumbnail(image[y1:y2, x1:x2], side=CROP_SIDE) for x1, y1, x2, y2 in boxes.tolist()]


def taken(path: Path | None) -> str | None:
    """Return when the camera took a photo (EXIF, its own clock), ISO 8601 without a zone; None if it does not say."""
    from PIL import Image as Pillow

    from packed_scenes.data.images import FORMATS

    if path is None:
        return None
    try:
        with Pillow.open(path, formats=FORMATS) as image:
            exif = image.getexif()
            text = exif.get_ifd(_EXIF_FOLDER).get(_DATE_TAKEN) or exif.get(_DATE_CHANGED)
        return datetime.strptime(str(text).strip("\0 "), "%Y:%m:%d %H:%M:%S").isoformat()
    except Exception:  # untrusted metadata: whatever is wrong with it, it counts as absent
        return None
