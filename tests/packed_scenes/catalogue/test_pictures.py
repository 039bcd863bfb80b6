"""Thumbnails and the camera's clock."""

import cv2
import numpy as np
import pytest
from PIL import Image

from packed_scenes.catalogue import pictures
from packed_scenes.data import InputError


def test_a_thumbnail_shrinks_and_never_enlarges():
    image = np.full((300, 900, 3), (200, 30, 60), np.uint8)
    small = cv2.imdecode(np.frombuffer(pictures.thumbnail(image, side=128), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert small.shape == (43, 128, 3)
    assert np.abs(small.astype(int) - image[0, 0]).max() < 4
    assert cv2.imdecode(np.frombuffer(pictures.thumbnail(image[:9, :20], side=128), np.uint8), 1).shape == (9, 20, 3)


def test_crops_follow_the_boxes():
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 30:] = 255
    left, right = pictures.crops(image, np.array([[-5, 0, 20, 40], [40, 0, 90, 40]], np.float32))
    assert cv2.imdecode(np.frombuffer(left, np.uint8), 1).mean() < 5
    assert cv2.imdecode(np.frombuffer(right, np.uint8), 1).mean() > 250
    with pytest.raises(InputError, match="outside"):
        pictures.crops(image, np.array([[70, 0, 90, 40]], np.float32))


def test_when_a_photo_was_taken(tmp_path):
    picture = Image.fromarray(np.zeros((8, 8, 3), np.uint8))
    picture.save(tmp_path / "plain.jpg")
    assert pictures.taken(tmp_path / "plain.jpg") is None
    assert pictures.taken(tmp_path / "absent.jpg") is None
    assert pictures.taken(None) is None
    for name, text, expected in (
        ("good", "2025:11:03 09:08:07", "2025-11-03T09:08:07"),
        ("unset", "0000:00:00 00:00:00", None),
        ("odd", "once", None),
    ):
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9003] = text
        picture.save(tmp_path / f"{name}.jpg", exif=exif)
        assert pictures.taken(tmp_path / f"{name}.jpg") == expected
