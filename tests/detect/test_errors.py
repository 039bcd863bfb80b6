import numpy as np

from packed_scenes.data import Objects
from packed_scenes.detect.errors import Kind, count_errors, draw_errors, find_errors

TRUTH = Objects.from_boxes([[0, 0, 40, 40], [50, 0, 90, 40], [90, 0, 130, 40], [200, 0, 240, 40], [300, 0, 340, 40]])
FOUND = Objects.from_boxes(
    [[0, 0, 40, 38], [0, 0, 40, 30], [50, 0, 130, 40], [200, 0, 240, 15], [320, 20, 360, 60], [400, 0, 440, 40],
     [500, 0, 520, 20]],
    score=[0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3],
)  # fmt: skip
IGNORE = np.array([[490, 0, 530, 30]], np.float32)


def test_every_kind_by_hand() -> None:
    errors = find_errors(FOUND, TRUTH, ignore=IGNORE)
    assert errors.found.tolist() == ["hit", "double", "hit", "part", "loose", "background", "ignored"]
    assert errors.truth.tolist() == ["hit", "merged", "hit", "miss", "miss"]


def test_a_merge_is_named_with_the_objects_it_hides() -> None:
    truth = Objects.from_boxes([[0, 0, 10, 10], [10, 0, 20, 10], [20, 0, 30, 10]])
    errors = find_errors(Objects.from_boxes([[0, 0, 30, 10]]), truth)
    assert (errors.found.tolist(), errors.truth.tolist()) == ([Kind.MERGE], [Kind.MERGED] * 3)


def test_counts_by_size_add_up() -> None:
    counts = count_errors([(FOUND, TRUTH, IGNORE), (Objects.empty(), TRUTH, None)])
    assert counts["all"] == {
        "hit": 2,
        "double": 1,
        "part": 1,
        "loose": 1,
        "background": 1,
        "ignored": 1,
        "merged": 1,
        "miss": 7,
    }
    for kind, amount in counts["all"].items():
        assert sum(part.get(kind, 0) for name, part in counts.items() if name != "all") == amount


def test_picture_has_a_legend_and_leaves_the_image_alone() -> None:
    image = np.zeros((100, 600, 3), np.uint8)
    drawn = draw_errors(image, FOUND, TRUTH, ignore=IGNORE)
    assert drawn.shape == (130, 600, 3)
    assert not image.any()
    assert drawn[:100].any()
