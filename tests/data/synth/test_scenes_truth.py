"""The truth of a scene is what its pixels show."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.data.synth.canvas import Canvas, Sprite, premultiply, visible_boxes
from packed_scenes.data.synth.congregations import congregations
from packed_scenes.data.synth.pool import STRIDE
from packed_scenes.data.synth.scenes import Labelled, SceneStream, finish
from packed_scenes.data.synth.spec import Layout, SceneSpec
from packed_scenes.data.synth.view import View, choose_view


@pytest.fixture(scope="module")
def scenes() -> list[Labelled]:
    """Some scenes of every layout, with and without bad photography."""
    made = []
    for layout in (Layout.SHELF, Layout.CROWD, Layout.SCATTER):
        stream = SceneStream(3, spec=SceneSpec(layout=layout, size=(300, 420), families=6, count=(5, 120)))
        made += [stream.labelled(i) for i in range(8)]
    return made


def plain(height: int, width: int, alpha: int = 255) -> Sprite:
    rgba = np.full((height, width, 4), (200, 90, 30, alpha), np.uint8)
    return Sprite.from_premultiplied(premultiply(rgba))


def straight(canvas: Canvas) -> View:
    return View(canvas.height, canvas.width, np.eye(3))


@pytest.mark.slow
def test_boxes_span_exactly_the_visible_pixels(scenes: list[Labelled]) -> None:
    assert sum(len(s.scene.truth) for s in scenes if s.scene.truth) > 300
    for labelled in scenes:
        truth = labelled.scene.truth
        assert truth is not None
        assert labelled.ids.max(initial=0) == len(truth)
        for row, box in enumerate(truth.xyxy):
            y, x = np.nonzero(labelled.ids == row + 1)
            assert box.tolist() == [x.min(), y.min(), x.max() + 1, y.max() + 1]


def test_sizes_names_and_limits(scenes: list[Labelled]) -> None:
    for labelled in scenes:
        truth = labelled.scene.truth
        assert truth is not None
        assert labelled.scene.image.shape == (300, 420, 3)
        assert labelled.ids.shape == (300, 420)
        assert truth.size.min(initial=99) >= 4
        assert truth.xyxy.min(initial=0) >= 0
        assert (truth.xyxy[:, [2, 3]] <= (420, 300)).all()
        assert labelled.ignore.shape[1] == 4
    assert len({s.scene.name for s in scenes}) == 8


def test_identities_and_congregations_are_consistent(scenes: list[Labelled]) -> None:
    for labelled in scenes:
        truth = labelled.scene.truth
        assert truth is not None
        assert truth.cluster is not None
        assert truth.congregation is not None
        assert (truth.cluster >= 0).all()
        for identity in np.unique(truth.cluster):
            groups = truth.congregation[truth.cluster == identity]
            assert set(groups) == set(range(groups.max() + 1))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-8, 38), st.integers(-8, 28), st.integers(1, 25), st.integers(1, 25)), max_size=12)
)
def test_visible_boxes_match_a_naive_count(rectangles: list[tuple[int, int, int, int]]) -> None:
    canvas = Canvas(30, 40)
    naive = np.zeros((30, 40), int)
    pasted = 0
    for x, y, w, h in rectangles:
        canvas.paste(plain(h, w), x, y, 5)
        if x + w > 0 and y + h > 0 and x < 40 and y < 30:
            pasted += 1
            naive[max(y, 0) : max(y + h, 0), max(x, 0) : max(x + w, 0)] = pasted
    assert np.array_equal(canvas.ids, naive)
    boxes, pixels = visible_boxes(canvas.ids, len(canvas.identity))
    assert len(boxes) == pasted
    for k in range(pasted):
        y, x = np.nonzero(naive == k + 1)
        expected = [x.min(), y.min(), x.max() + 1, y.max() + 1] if len(x) else [0, 0, 0, 0]
        assert boxes[k].tolist() == expected
        assert pixels[k] == len(x)


def test_hidden_cut_and_thin_objects_are_left_out() -> None:
    canvas = Canvas(100, 100)
    canvas.paste(plain(40, 40), 10, 10, 1)
    canvas.paste(plain(40, 32), 18, 10, 2)  # hides 80 % of it
    canvas.paste(plain(30, 40), -32, 60, 3)  # the border cuts 80 %
    canvas.paste(plain(30, 3), 50, 60, 4)
    canvas.paste(plain(30, 30), 60, 60, 5)
    canvas.paste(plain(10, 30), 60, 60)  # a sign hides a third: the visible box starts below it
    done = finish(canvas, straight(canvas), SceneSpec(size=(100, 100), photometry=0.0, jpeg=0.0), _random(), "x")
    truth = done.scene.truth
    assert truth is not None
    assert truth.cluster is not None
    assert truth.cluster.tolist() == [2, 5]
    assert truth.xyxy.tolist() == [[18, 10, 50, 50], [60, 70, 90, 90]]
    assert sorted(done.ignore.tolist()) == [[0, 60, 8, 90], [10, 10, 18, 50]]
    assert done.scene.image[15, 30].tolist() == [200, 90, 30]


def test_scattered_slivers_are_left_out_but_sparse_things_stay() -> None:
    canvas = Canvas(100, 100)
    canvas.paste(plain(40, 40), 10, 10, 1)
    canvas.paste(plain(28, 36), 12, 16)  # hides all but a frame: 37 % is left, all over the box
    thin = np.zeros((40, 40, 4), np.uint8)
    thin[np.eye(40, dtype=bool) | np.eye(40, k=1, dtype=bool)] = 255
    canvas.paste(Sprite.from_premultiplied(premultiply(thin)), 55, 55, 2)  # a thin diagonal thing, wholly seen
    spec = SceneSpec(size=(100, 100), photometry=0.0, jpeg=0.0, visible=0.2)
    done = finish(canvas, straight(canvas), spec, _random(), "x")
    assert done.scene.truth is not None
    assert done.scene.truth.cluster is not None
    assert done.scene.truth.cluster.tolist() == [2]


def test_nothing_but_scenery_gives_an_empty_truth() -> None:
    canvas = Canvas(80, 90)
    canvas.paste(plain(40, 40), 10, 10)
    done = finish(canvas, straight(canvas), SceneSpec(size=(80, 90)), _random(), "x")
    assert done.scene.truth is not None
    assert len(done.scene.truth) == 0
    assert done.ignore.shape == (0, 4)


@pytest.mark.parametrize("seed", range(6))
def test_full_area_predicts_the_warped_area(seed: int) -> None:
    spec = SceneSpec(size=(400, 500), oblique=1.0)
    view = choose_view(spec, _random(seed), tilted=True)
    canvas = Canvas(view.height, view.width)
    for k, x in enumerate(range(view.width // 4, 3 * view.width // 4 - 40, 60)):
        canvas.paste(plain(50, 40), x, view.height // 2, k)
    _, ids = canvas.warp(view.matrix, 400, 500)
    _, pixels = visible_boxes(ids, len(canvas.identity))
    inside = pixels > 0.5 * canvas.full_area(view.matrix)
    assert inside.sum() >= 2
    np.testing.assert_allclose(pixels[inside], canvas.full_area(view.matrix)[inside], rtol=0.06)


def test_view_fills_the_picture() -> None:
    for seed in range(20):
        view = choose_view(SceneSpec(size=(200, 300), oblique=1.0), _random(seed), tilted=True)
        canvas = Canvas(view.height, view.width)
        canvas.rgb[:], canvas.ids[:] = 255, 1
        picture, ids = canvas.warp(view.matrix, 200, 300)
        assert picture.min() == 255
        assert ids.min() == 1


def test_translucent_pixels_belong_to_nobody() -> None:
    canvas = Canvas(20, 20)
    canvas.rgb[:] = 100
    canvas.paste(plain(10, 10, alpha=60), 0, 0, 1)
    assert canvas.ids.max() == 0
    assert 100 < canvas.rgb[5, 5, 0] < 200


boxes_of_few = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(1, 12), st.integers(1, 12), st.integers(0, 3)),
    max_size=16,
)


@settings(max_examples=80, deadline=None)
@given(boxes_of_few)
def test_congregations_match_a_naive_flood(entries: list[tuple[int, int, int, int, int]]) -> None:
    xyxy = np.array([(x, y, x + w, y + h) for x, y, w, h, _ in entries], np.float32).reshape(-1, 4)
    identity = np.array([e[4] for e in entries], np.int64)
    assert congregations(xyxy, identity).tolist() == _flood(xyxy, identity)


def test_congregations_of_a_row_with_a_gap() -> None:
    xyxy = np.array([(x, 0, x + 10, 20) for x in (0, 10, 22, 60, 71)], np.float32)
    assert congregations(xyxy, np.full(5, 3)).tolist() == [0, 0, 0, 1, 1]
    assert congregations(xyxy, np.arange(5) * STRIDE).tolist() == [0] * 5


def _flood(xyxy: npt.NDArray[np.float32], identity: npt.NDArray[np.int64], reach: float = 0.5) -> list[int]:
    out = [-1] * len(xyxy)
    for one in set(identity.tolist()):
        rows = [i for i in range(len(xyxy)) if identity[i] == one]
        rows.sort(key=lambda i: (xyxy[i, 1], xyxy[i, 0], i))
        typical = np.median([np.sqrt((xyxy[i, 2] - xyxy[i, 0]) * (xyxy[i, 3] - xyxy[i, 1])) for i in rows])
        group = 0
        for start in rows:
            if out[start] >= 0:
                continue
            todo = [start]
            while todo:
                i = todo.pop()
                out[i] = group
                for j in rows:
                    dx = max(xyxy[i, 0] - xyxy[j, 2], xyxy[j, 0] - xyxy[i, 2])
                    dy = max(xyxy[i, 1] - xyxy[j, 3], xyxy[j, 1] - xyxy[i, 3])
                    if out[j] < 0 and max(dx, dy) <= reach * typical:
                        todo.append(j)
            group += 1
    return out


def _random(seed: int = 0):  # type: ignore[no-untyped-def]
    from random import Random

    return Random(seed)
