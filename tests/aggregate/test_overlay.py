from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings

from packed_scenes.aggregate import aggregate, assign_colors, draw_overlay
from packed_scenes.aggregate.overlay import FILL, fill
from packed_scenes.data import InputError, Objects, read_image
from tests.aggregate.scenes import boxes_of, packed
from tests.real import SHARED, needs

GOLDEN = Path(__file__).parent / "golden_overlay.png"


def golden_scene() -> tuple[np.ndarray, Objects]:
    """A small shelf: two shelves of plain goods, one product on both, noise, and a hole in a ring of equal goods."""
    image = np.full((240, 420, 3), 90, np.uint8)
    image[110:122] = image[228:240] = 160
    rows = [(10 + 34 * n, 30, 40 + 34 * n, 110) for n in range(6)] + [
        (10 + 34 * n, 150, 40 + 34 * n, 228) for n in range(5)
    ]
    ring = [
        (240 + 50 * c, 126 + 34 * r, 288 + 50 * c, 158 + 34 * r) for r in range(3) for c in range(3) if (r, c) != (1, 1)
    ]
    boxes = [*rows, *ring, (260, 20, 300, 110), (330, 40, 400, 110)]
    cluster = [0, 0, 0, 1, 1, 0, 1, 1, 2, 2, 3, *[4] * 8, -1, 5]
    hues = [
        (220, 220, 200),
        (60, 90, 140),
        (200, 120, 60),
        (120, 160, 110),
        (240, 210, 120),
        (130, 60, 60),
        (30, 30, 30),
    ]
    for (x1, y1, x2, y2), c in zip(boxes, cluster, strict=True):
        image[y1:y2, x1:x2] = hues[c]
    return image, boxes_of(*boxes, cluster=cluster)


def test_looks_as_it_did_when_a_person_looked_at_it() -> None:
    image, objects = golden_scene()
    grouped, found = aggregate(objects, image.shape[:2])
    drawn = draw_overlay(image, grouped, found, legend=True)
    expected = cv2.imread(str(GOLDEN))[..., ::-1]
    assert drawn.shape == expected.shape
    difference = np.abs(drawn.astype(int) - expected).max(axis=2)
    assert np.mean(difference > 24) < 0.01  # fonts and anti-aliasing may differ by version


@settings(max_examples=25, deadline=None)
@given(packed(clusters=5))
def test_draws_anything_and_leaves_its_input_alone(objects: Objects) -> None:
    image = np.full((200, 300, 3), 128, np.uint8)  # smaller than where the boxes are
    before = image.copy()
    grouped, found = aggregate(objects, image.shape[:2])
    drawn = draw_overlay(image, grouped, found, show="boxes")
    assert drawn.shape == image.shape
    assert np.array_equal(image, before)
    assert np.array_equal(drawn, draw_overlay(image, grouped, found, show="boxes"))
    assert draw_overlay(image, grouped, found, legend=True).shape[1] > 300


@pytest.mark.parametrize("shape", [(1, 1), (7, 400), (60, 40), (3000, 200)])
def test_pictures_of_any_size(shape: tuple[int, int]) -> None:
    image = np.zeros((*shape, 3), np.uint8)
    objects = boxes_of((0, 0, shape[1], shape[0]), (0, 0, 0.5, 0.5), cluster=[0, -1])
    grouped, found = aggregate(objects, shape)
    assert draw_overlay(image, grouped, found, legend=True).shape[0] == shape[0]


def test_fill_covers_the_pixels_of_the_box_and_not_the_hole() -> None:
    image = np.zeros((20, 20, 3), np.uint8)
    outer = np.array([(4, 4), (4, 16), (16, 16), (16, 4)], float)
    fill(image, [outer, np.array([(8, 8), (8, 12), (12, 12), (12, 8)], float)], (200, 100, 50), opacity=0.5)
    expected = np.zeros_like(image)
    expected[4:16, 4:16] = (100, 50, 25)
    expected[8:12, 8:12] = 0
    inner = np.zeros((20, 20), bool)
    inner[4:16, 4:16] = True
    inner[8:12, 8:12] = False
    assert (image[inner] == (100, 50, 25)).all()
    assert np.count_nonzero((image != expected).any(axis=2)) <= 32  # cv2 may add the far edge's own pixels


def test_noise_is_dashed_and_not_filled() -> None:
    image = np.full((200, 200, 3), 50, np.uint8)
    grouped, found = aggregate(boxes_of((40, 40, 160, 160), cluster=[-1]), (200, 200))
    drawn = draw_overlay(image, grouped, found)
    assert (drawn[60:140, 60:140] == 50).all()
    edge = (drawn[38:43] != 50).any(axis=(0, 2))[40:160]
    assert 0.2 < edge.mean() < 0.95


def test_colours_of_the_run_are_used() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    grouped, found = aggregate(boxes_of((10, 10, 90, 90), cluster=[3]), (100, 100))
    drawn = draw_overlay(image, grouped, found, colors={3: (250, 20, 40)})
    assert (drawn == (250, 20, 40)).all(axis=2).any()
    assert not drawn[40:60, 40:60].any(), "the inside of a single object keeps its colours"
    tinted = draw_overlay(image, grouped, found, colors={3: (250, 20, 40)}, show="places")
    assert (tinted[50, 50] == np.rint(np.array((250, 20, 40)) * FILL)).all()


def test_what_is_shown() -> None:
    image = np.full((200, 300, 3), 90, np.uint8)
    grouped, found = aggregate(boxes_of((20, 60, 80, 160), (84, 60, 144, 160), cluster=[0, 0]), (200, 300))
    both, boxes, places = (draw_overlay(image, grouped, found, show=show) for show in ("both", "boxes", "places"))
    between = (slice(90, 140), slice(79, 85))  # the inner edges of the two boxes
    assert (boxes[between] != 90).any()
    assert (both[between] != 90).any()
    assert len(np.unique(places[between].reshape(-1, 3), axis=0)) == 1
    with pytest.raises(InputError, match="unknown show 'all'"):
        draw_overlay(image, grouped, found, show="all")


def test_names_stand_instead_of_numbers() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    grouped, found = aggregate(boxes_of((10, 30, 190, 90), cluster=[3]), (100, 200))
    plain, named = (draw_overlay(image, grouped, found, names=names) for names in ({}, {3: "Green tea"}))
    assert (named != plain).any(axis=2).sum() > 100


def test_wrong_picture() -> None:
    with pytest.raises(InputError, match="uint8"):
        draw_overlay(np.zeros((5, 5), np.uint8), Objects.empty(), [])


@needs("shelf_scenes")
def test_real_scene_with_true_identities() -> None:
    import json

    truth = json.loads((SHARED / "shelf_scenes" / "annotations.json").read_text())
    entry = truth["images"][0]
    rows = [a for a in truth["annotations"] if a["image_id"] == entry["id"] and not a["iscrowd"]]
    box = np.array([a["bbox"] for a in rows], float)
    box[:, 2:] += box[:, :2]
    objects = Objects.from_boxes(box, cluster=[a["category_id"] for a in rows])
    image = read_image(SHARED / "shelf_scenes" / "images" / entry["file_name"])
    grouped, found = aggregate(objects, image.shape[:2])
    colors = assign_colors([grouped])
    drawn = draw_overlay(image, grouped, found, colors=colors)
    for c in found:
        x1, y1, x2, y2 = (int(v) for v in c.bbox)
        assert (drawn[y1:y2, x1:x2] != image[y1:y2, x1:x2]).any()
    assert len({colors[c.cluster] for c in found}) == len({c.cluster for c in found})
