import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.data import InputError
from packed_scenes.detect.tiles import Candidates, layout, merge


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(64, 800), st.floats(0, 0.5))
def test_layout_covers_the_picture_and_overlaps(width: int, height: int, tile: int, share: float) -> None:
    overlap = int(share * tile)
    tiles = layout(width, height, tile, overlap)
    assert tiles[:, :2].min() == 0
    assert tiles[:, 2].max() == width
    assert tiles[:, 3].max() == height
    assert (tiles[:, 2:] - tiles[:, :2] <= tile).all()
    for axis in (0, 1):
        starts, ends = np.unique(tiles[:, axis]), np.unique(tiles[:, axis + 2])
        assert (ends[:-1] - starts[1:] >= overlap).all()


def test_overlap_must_be_smaller_than_the_tile() -> None:
    with pytest.raises(InputError, match="overlap"):
        layout(100, 100, 50, 50)


def through_tiles(boxes: np.ndarray, tiles: np.ndarray) -> Candidates:
    """What a perfect detector gives: each box, clipped to each tile that shows enough of it."""
    parts = []
    for number, tile in enumerate(tiles.astype(np.float32)):
        clipped = np.concatenate([np.maximum(boxes[:, :2], tile[:2]), np.minimum(boxes[:, 2:], tile[2:])], 1)
        side = clipped[:, 2:] - clipped[:, :2]
        seen = (side > 3).all(1) & (np.prod(side, axis=1) > 0.15 * np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))
        whole = np.prod(side[seen], axis=1) / np.prod(boxes[seen, 2:] - boxes[seen, :2], axis=1)
        count = int(seen.sum())
        score = (0.5 + 0.45 * whole).astype(np.float32)
        parts.append(
            Candidates(clipped[seen].astype(np.float32), score, np.zeros(count, np.int64), np.full(count, number))
        )
    return Candidates.concat(parts)


def rounded(boxes: np.ndarray) -> list[tuple[float, ...]]:
    return sorted(tuple(np.round(b, 2).tolist()) for b in boxes)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0, 1, 3]), st.sampled_from([(20, 30), (44, 60), (60, 20)]))
def test_shelves_of_touching_goods_come_out_whole(seed: int, gap: int, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    width, height = 700, 500
    x, y = np.meshgrid(
        np.arange(rng.integers(5), width - size[0], size[0] + gap), np.arange(0, height - size[1], size[1] + gap)
    )
    low = np.stack([x.ravel(), y.ravel()], 1)
    boxes = np.concatenate([low, low + size], 1).astype(np.float32)[rng.random(x.size) < 0.9]
    tiles = layout(width, height, 256, 70)
    merged = merge(through_tiles(boxes, tiles), tiles, width=width, height=height, iou_threshold=0.6)
    assert rounded(merged.xyxy) == rounded(boxes)


def test_an_object_longer_than_the_overlap_is_united() -> None:
    boxes = np.array([[100, 100, 380, 180], [100, 185, 380, 260], [20, 20, 60, 60]], np.float32)
    tiles = layout(460, 300, 256, 40)
    merged = merge(through_tiles(boxes, tiles), tiles, width=460, height=300, iou_threshold=0.6)
    assert rounded(merged.xyxy) == rounded(boxes)


def test_one_tile_changes_nothing() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10]], np.float32)
    found = Candidates(boxes, np.ones(2, np.float32), np.zeros(2, np.int64), np.zeros(2, np.int64))
    assert merge(found, np.array([[0, 0, 50, 50]]), width=50, height=50, iou_threshold=0.6) is found
