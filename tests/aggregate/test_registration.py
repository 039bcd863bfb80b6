from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.aggregate.registration import Registration, compare_photos, register
from packed_scenes.aggregate.rows import find_rows
from packed_scenes.aggregate.shelf import shelf_report
from packed_scenes.data import Objects

SIZE = (1000, 1400)


def stocked(seed: int, *, boards: int = 3, kinds: int = 12) -> Objects:
    """Boards of runs of equal products, singly or in stacks of two and three, that fill ``SIZE``."""
    rng = np.random.default_rng(seed)
    boxes, product = [], []
    for board in range(boards):
        base, x = 310.0 + 320 * board, 20.0
        while True:
            kind, levels = int(rng.integers(kinds)), int(rng.integers(1, 4))
            height, width = rng.uniform(190, 260) / levels, rng.uniform(60, 120)
            facings = int(rng.integers(1, 4))
            if x + facings * width > SIZE[1] - 20:
                break
            for _ in range(facings):
                for level in range(levels):
                    boxes.append((x, base - (level + 1) * height, x + width, base - level * height))
                    product.append(kind)
                x += width + rng.uniform(0, 6)
    return Objects.from_boxes(np.array(boxes), cluster=np.array(product))


def seen_again(
    objects: Objects, *, degrees: float = 0, scale: float = 1, shift: tuple[float, float] = (0, 0), bend: float = 0,
    loose: float = 0, seed: int = 0,
) -> Objects:  # fmt: skip
    """The same things from elsewhere; every edge off by ``loose`` of the object's side."""
    turn = np.deg2rad(degrees)
    middle = np.array([SIZE[1] / 2, SIZE[0] / 2])
    inner = scale * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2], matrix[2, 0] = inner, middle - inner @ middle + shift, bend
    xyxy = Registration(matrix).boxes(objects.xyxy.astype(np.float64))
    side = np.tile(xyxy[:, 2:] - xyxy[:, :2], 2)
    order = np.random.default_rng(seed).permutation(len(xyxy))
    return objects.replace(xyxy=xyxy + np.random.default_rng(seed).normal(0, loose, xyxy.shape) * side).select(order)


@settings(max_examples=40)
@given(
    st.integers(0, 2**32 - 1), st.floats(-3, 3), st.floats(0.8, 1.2), st.floats(-60, 60), st.floats(-60, 60),
    st.floats(-4e-5, 4e-5), st.floats(0, 0.02),
)  # fmt: skip
def test_the_same_shelf_from_elsewhere_has_the_same_boards_and_no_change(
    seed: int, degrees: float, scale: float, right: float, down: float, bend: float, loose: float
) -> None:
    objects = stocked(seed)
    again = seen_again(objects, degrees=degrees, scale=scale, shift=(right, down), bend=bend, loose=loose, seed=seed)
    rows = find_rows(objects), find_rows(again)
    assert rows[0].count == rows[1].count == 3
    there = {name: at for at, name in enumerate(again.object_id.tolist())}
    order = [there[name] for name in objects.object_id.tolist()]
    for part in ("row", "stack", "level"):
        assert getattr(rows[0], part).tolist() == getattr(rows[1], part)[order].tolist()
    found = compare_photos(shelf_report(objects), shelf_report(again), sizes=(SIZE, SIZE))
    assert found.moved == found.missing == found.extra == ()
    assert found.agreement == 1
    assert all(a.object_id == b.object_id for a, b in found.same)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_what_went_came_and_moved_is_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    objects = stocked(seed)
    top = np.flatnonzero(find_rows(objects).level == 0)
    gone, other = rng.choice(top, 2, replace=False).tolist()
    cluster = np.array(objects.cluster)
    cluster[other] = 99  # replaced by something else
    again = seen_again(objects.replace(cluster=cluster), degrees=2, scale=0.9, shift=(25, -15), loose=0.01)
    again = again.select(again.object_id != objects.object_id[gone])
    found = compare_photos(shelf_report(objects), shelf_report(again), sizes=(SIZE, SIZE))
    assert {s.object_id for s in found.extra} == {objects.object_id[other]}
    assert [s.product for s in found.extra] == ["99"]
    assert sorted(s.product for s in found.missing) == sorted(str(objects.cluster[at]) for at in (gone, other))
    assert found.moved == ()
    swapped = np.array(objects.cluster)
    a, b = 0, len(objects) - 1
    swapped[a], swapped[b] = 77, 88
    there = swapped.copy()
    there[a], there[b] = 88, 77
    moved = compare_photos(
        shelf_report(objects.replace(cluster=swapped)),
        shelf_report(seen_again(objects.replace(cluster=there), degrees=-2)),
    ).moved
    assert {(m.product, n.object_id) for m, n in moved} == {("77", objects.object_id[b]), ("88", objects.object_id[a])}


def test_what_the_other_photo_does_not_show_is_not_judged() -> None:
    objects = stocked(5)
    again = seen_again(objects, shift=(-500, 0))
    inside = again.select(again.center[:, 0] > 0)
    found = compare_photos(shelf_report(objects), shelf_report(inside), sizes=(SIZE, SIZE))
    assert found.moved == found.missing == found.extra == ()
    assert found.unseen == len(objects) - len(inside) > 0
    assert found.agreement == 1


@pytest.mark.slow
@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_a_stack_that_one_photo_shows_as_one_box_is_not_judged(seed: int, known: bool) -> None:
    rng = np.random.default_rng(seed)
    objects = stocked(seed)
    rows = find_rows(objects)
    key = rows.row * 1000 + rows.stack
    piles = [np.flatnonzero(key == k) for k in np.unique(key)]
    chosen = [pile for pile in piles if len(pile) > 1]
    chosen = [chosen[at] for at in rng.permutation(len(chosen))[:3]]
    inside = np.concatenate([np.zeros(0, np.int64), *chosen])
    rest = np.setdiff1d(np.arange(len(objects)), inside)
    boxes, cluster = objects.xyxy, np.array(objects.cluster)
    merged = [[*boxes[pile, :2].min(axis=0), *boxes[pile, 2:].max(axis=0)] for pile in chosen]
    product = [int(cluster[pile[0]]) if known else 50 + n for n, pile in enumerate(chosen)]
    coarse = Objects.from_boxes(
        np.concatenate([boxes[rest], np.array(merged).reshape(-1, 4)]), cluster=[*cluster[rest].tolist(), *product]
    )
    again = seen_again(coarse, degrees=1.5, scale=0.95, shift=(20, -10), loose=0.01, seed=seed)
    for before, after in ((objects, again), (again, objects)):
        found = compare_photos(shelf_report(before), shelf_report(after), sizes=(SIZE, SIZE))
        assert found.joined == len(inside)
        assert found.moved == found.missing == found.extra == ()
        assert len(found.same) == len(rest)


def test_without_a_registration_the_order_decides() -> None:
    rng = np.random.default_rng(0)
    assert register(rng.random((3, 2)), rng.random((3, 2)), np.ones(3)) is None
    assert register(rng.random((40, 2)) * 900, rng.random((40, 2)) * 900, np.full(40, 9.0)) is None
    pair = Objects.from_boxes([[0, 0, 9, 9], [20, 0, 29, 9]], cluster=[0, 1])
    found = compare_photos(shelf_report(pair), shelf_report(pair))
    assert len(found.same) == 2
    none = compare_photos(shelf_report(pair), shelf_report(Objects.empty().replace(cluster=np.zeros(0, np.int64))))
    assert len(none.missing) == 2


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(-20, 20), st.floats(0.4, 2.5))
def test_registration_survives_wrong_pairs(seed: int, degrees: float, scale: float) -> None:
    rng = np.random.default_rng(seed)
    before = rng.random((60, 2)) * 1000
    turn = np.deg2rad(degrees)
    inner = scale * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    after = before @ inner.T + (30, -50)
    wrong = after.copy()
    wrong[:25] = rng.random((25, 2)) * 1000
    found = register(before, wrong, np.full(60, 40.0))
    assert found is not None
    np.testing.assert_allclose(found.points(before), after, atol=20)
    np.testing.assert_allclose(found.inverse().points(found.points(before)), before, atol=1e-6)


@pytest.mark.parametrize("count", [0, 1])
def test_few_objects(count: int) -> None:
    objects = Objects.from_boxes(np.array([[0, 0, 10, 10]], float)[:count], cluster=[0] * count)
    assert compare_photos(shelf_report(objects), shelf_report(objects)).agreement == 1
