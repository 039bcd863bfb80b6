"""``Objects``: rows stay together through every operation, and nothing invalid gets in."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.data import InputError, Objects
from tests.data.strategies import objects

COLUMNS = ("xyxy", "score", "class_id", "object_id", "embedding", "cluster", "probability", "congregation")
BOX = [[0.0, 0.0, 1.0, 1.0]]
TWO = [[0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 2.0, 2.0]]
quick = settings(max_examples=60, deadline=None)


def rows(made: Objects) -> dict[str, tuple[Any, ...]]:
    """Every row as a tuple of plain values, by id: what must survive."""
    present = [n for n in COLUMNS if getattr(made, n) is not None]
    return {
        str(made.object_id[i]): tuple(np.asarray(getattr(made, n)[i]).tolist() for n in present)
        for i in range(len(made))
    }


@quick
@given(objects(), st.data())
def test_rows_stay_together_under_permutation_and_selection(made: Objects, data: st.DataObject) -> None:
    order = np.array(data.draw(st.permutations(range(len(made)))), np.int64)
    shuffled = made.select(order)
    assert rows(shuffled) == rows(made)
    assert shuffled.object_id.tolist() == made.object_id[order].tolist()
    assert shuffled.select(np.argsort(order)) == made
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(made), max_size=len(made))), bool)
    kept = made.select(mask)
    assert rows(kept) == {k: v for k, v in rows(made).items() if k in set(made.object_id[mask])}
    assert made.select(np.flatnonzero(mask)) == kept


@quick
@given(objects(complete=True, prefix="a"), objects(complete=True, prefix="b"))
def test_concat_keeps_every_row_and_select_undoes_it(left: Objects, right: Objects) -> None:
    joined = Objects.concat([left, right])
    assert rows(joined) == rows(left) | rows(right)
    if len(left) and len(right):
        assert joined.select(slice(0, len(left))) == left
        assert joined.select(slice(len(left), None)) == right


@quick
@given(objects())
def test_pandas_round_trip_is_exact(made: Objects) -> None:
    assert Objects.from_pandas(made.to_pandas()) == made
    order = np.random.default_rng(0).permutation(len(made))
    assert rows(Objects.from_pandas(made.to_pandas().iloc[order])) == rows(made)


def test_pandas_with_boxes_alone_and_without() -> None:
    frame = Objects.from_boxes([[1, 2, 3, 4]]).to_pandas()[["x1", "y1", "x2", "y2"]]
    assert Objects.from_pandas(frame) == Objects.from_boxes([[1, 2, 3, 4]])
    with pytest.raises(InputError, match="box columns missing: x2; found x1, y1, y2"):
        Objects.from_pandas(frame.drop(columns="x2"))


def test_empty() -> None:
    empty = Objects.empty()
    assert len(empty) == 0
    assert empty.xyxy.shape == (0, 4)
    assert Objects.concat([]) == empty == Objects.from_boxes([])
    assert Objects.concat([empty, Objects.from_boxes([[0, 0, 1, 1]], cluster=[3])]).cluster is not None


def test_defaults_and_geometry() -> None:
    made = Objects.from_boxes([[0, 0, 4, 2], [10, 20, 11, 30]])
    assert made.object_id.tolist() == ["0", "1"]
    assert made.score.tolist() == [1, 1]
    np.testing.assert_array_equal(made.size, [[4, 2], [1, 10]])
    np.testing.assert_array_equal(made.center, [[2, 1], [10.5, 25]])
    assert made.center.dtype == made.size.dtype == np.float32


@quick
@given(objects(complete=True), st.sampled_from(COLUMNS), st.data())
def test_equal_are_those_whose_columns_are_all_equal(made: Objects, name: str, data: st.DataObject) -> None:
    if name in COLUMNS[4:]:
        without = made.replace(**{name: None})
        assert made != without != made
        assert without == made.replace(**{name: None})
    if len(made):
        row = data.draw(st.integers(0, len(made) - 1))
        value = getattr(made, name)[row]
        column = getattr(made, name).tolist()
        if name == "object_id":
            column[row] = "other"
        elif name in ("score", "probability"):
            column[row] = 0.5 if value != 0.5 else 1
        else:
            column[row] = -value if name == "embedding" else value + 1
        assert made != made.replace(**{name: column}) != made
    assert made.replace(embedding=np.eye(1, 5)[np.zeros(len(made), int)]) != made.replace(
        embedding=np.eye(1, 6)[np.zeros(len(made), int)]
    )


def test_scores_reach_from_0_to_1() -> None:
    made = Objects.from_boxes(TWO, score=[0, 1], probability=[0, 1])
    assert made.score.tolist() == [0, 1]


def test_what_has_no_rows_may_lack_columns_or_have_more() -> None:
    empty, clustered = Objects.empty(), Objects.from_boxes([], cluster=[])
    assert len(Objects.concat([empty, clustered])) == 0
    frame = Objects.from_boxes([], embedding=np.zeros((0, 5))).to_pandas()
    assert Objects.from_pandas(frame).embedding.shape == (0, 5)  # type: ignore[union-attr]
    frame.attrs.clear()
    assert Objects.from_pandas(frame).embedding.shape == (0, 0)  # type: ignore[union-attr]


def test_frozen_through_and_through() -> None:
    boxes = np.array([[0, 0, 1, 1]], np.float32)
    made = Objects.from_boxes(boxes)
    with pytest.raises(FrozenInstanceError):
        made.score = np.ones(1)  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        made.xyxy[0, 0] = 5
    boxes[0, 0] = 0.5  # the caller's own array stays the caller's
    assert made.xyxy[0, 0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"xyxy": [[0, 0, 0, 1]]}, "x1 < x2 and y1 < y2, row 0"),
        ({"xyxy": [[3, 0, 1, 1]]}, "row 0 is"),
        ({"xyxy": [[0, 2, 1, 2]]}, "row 0 is"),
        ({"xyxy": [[0, 0, np.nan, 1]]}, "finite, row 0"),
        ({"xyxy": [[0, 0, np.inf, 1]]}, "finite"),
        ({"xyxy": [[0, 0, 1]]}, r"shape \(N, 4\), got \(1, 3\)"),
        ({"xyxy": BOX, "score": [1.5]}, r"\[0, 1\]"),
        ({"xyxy": BOX, "score": [np.nan]}, "finite"),
        ({"xyxy": BOX, "score": [0.5, 0.5]}, r"score must have shape \(1,\), got \(2,\)"),
        ({"xyxy": BOX, "cluster": [-2]}, ">= -1"),
        ({"xyxy": BOX, "cluster": [0.5]}, "int64"),
        ({"xyxy": BOX, "congregation": ["x"]}, "int64"),
        ({"xyxy": BOX, "embedding": [[1.0, 1.0]]}, "unit vectors, got a norm of 1.414"),
        ({"xyxy": BOX, "embedding": [[np.nan, 0.0]]}, "finite"),
        ({"xyxy": BOX, "embedding": [1.0]}, r"\(1, D\)"),
        ({"xyxy": BOX, "probability": [-0.1]}, "probability"),
        ({"xyxy": TWO, "object_id": ["a", "a"]}, "unique, got 'a' 2 times"),
    ],
)
def test_nothing_invalid_gets_in(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Objects.from_boxes(**arguments)


def test_concat_and_select_refuse_what_does_not_fit() -> None:
    with pytest.raises(InputError, match="same columns"):
        Objects.concat([Objects.from_boxes(BOX), Objects.from_boxes(BOX, object_id=["b"], cluster=[0])])
    with pytest.raises(InputError, match="unique"):
        Objects.concat([Objects.from_boxes(BOX), Objects.from_boxes(BOX)])
    with pytest.raises(InputError, match=r"mask must have shape \(2,\), got \(1,\)"):
        Objects.from_boxes(TWO).select(np.array([True]))
    assert len(Objects.from_boxes(TWO).select([])) == 0
