"""Objects to Arrow and back, with every column, with few, with none."""

import io
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packed_scenes.data import InputError, Objects
from packed_scenes.data.arrow import from_arrow, read_parquet, texts, to_arrow
from tests.data.strategies import objects


@given(objects())
def test_there_and_back(made):
    again = from_arrow(to_arrow(made))
    assert again.object_id.tolist() == made.object_id.tolist()
    for name in ("xyxy", "score", "class_id", "cluster", "probability", "congregation", "embedding"):
        one, two = getattr(made, name), getattr(again, name)
        assert (one is None) == (two is None), name
        if one is not None and len(made):
            np.testing.assert_array_equal(one, two)


def test_pandas_is_not_loaded():
    import subprocess
    import sys

    code = (
        "import sys, numpy as np; from packed_scenes.data import Objects; from packed_scenes.data.arrow import *\n"
        "from_arrow(to_arrow(Objects.from_boxes(np.array([[0, 0, 1, 1.]], np.float32))))\n"
        "assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_box_columns_are_required():
    with pytest.raises(InputError, match="box columns missing: x2"):
        from_arrow(to_arrow(Objects.from_boxes(np.zeros((0, 4), np.float32))).drop_columns(["x2"]))


def parquet(count=300):
    import pyarrow.parquet as pq

    boxes = np.random.default_rng(0).uniform(0, 9, (count, 4)) + np.array([0, 0, 10, 10])
    sink = io.BytesIO()
    pq.write_table(to_arrow(Objects.from_boxes(boxes)), sink)
    return sink.getvalue()


WHOLE = parquet()


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_file_is_read_or_refused(bytes_):
    damaged = bytearray(WHOLE)
    for at, value in bytes_:
        damaged[at] = value
    with suppress(InputError):
        from_arrow(read_parquet(io.BytesIO(bytes(damaged))))


def test_equal_texts_are_one_object_and_long_ones_refused(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"id": ["a" * 300] * 500 + [None]}), tmp_path / "a.parquet")
    found = texts(read_parquet(tmp_path / "a.parquet")["id"])
    assert found == ["a" * 300] * 500 + ["None"]
    assert len({id(text) for text in found[:500]}) == 1
    pq.write_table(pa.table({"id": ["a" * 2000] * 500}), tmp_path / "b.parquet")
    with pytest.raises(InputError, match="more than 1000 characters"):
        texts(read_parquet(tmp_path / "b.parquet")["id"])


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("embedding", [["a"], ["b"]]),
        ("embedding", [[1.0], [1.0, 0.0]]),
        ("embedding", [[1.0], None]),
        ("embedding", [{"a": 1.0}] * 2),
        ("score", [b"x", b"y"]),
        ("cluster", [{"a": 1}] * 2),
    ],
)
def test_columns_of_other_types_are_bad_input(column, values):
    import pyarrow as pa

    made = to_arrow(Objects.from_boxes([[0, 0, 1, 1], [1, 1, 2, 2]]))
    places = {name: made[name] for name in made.column_names} | {column: pa.array(values)}
    with pytest.raises(InputError):
        from_arrow(pa.table(places))


def test_a_file_that_unpacks_to_far_more_than_itself_is_refused(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    bomb = pa.table({name: pa.array(np.zeros(20_000_000)) for name in ("x1", "y1")})
    pq.write_table(bomb, tmp_path / "bomb.parquet", compression="zstd")
    with pytest.raises(InputError, match=r"bomb\.parquet: its values take 320 MB"):
        read_parquet(tmp_path / "bomb.parquet")
