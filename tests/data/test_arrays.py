import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from packed_scenes.data.arrays import pairs_within, unit_rows


@given(
    arrays(
        st.sampled_from([np.float32, np.float64]),
        array_shapes(min_dims=1, max_dims=3),
        elements=st.floats(-1e6, 1e6, width=32),
    )
)
def test_rows_have_length_one_and_their_direction(rows):
    unit, length = unit_rows(rows), np.linalg.norm(rows, axis=-1)
    assert unit.dtype == rows.dtype
    near = length > 1e-6
    assert np.linalg.norm(unit, axis=-1)[near] == pytest.approx(1, abs=1e-5)
    assert np.allclose(unit * length[..., None], rows, rtol=1e-4, atol=1e-6)


def test_a_zero_row_stays_zero_and_short_rows_stay_short_below_the_limit():
    assert not unit_rows(np.zeros((2, 3))).any()
    assert np.array_equal(unit_rows(np.array([[1e-3, 0.0], [4.0, 3.0]]), min_norm=0.1), [[0.01, 0], [0.8, 0.6]])


@given(st.lists(st.integers(0, 50), max_size=8))
def test_pairs_are_counted(sizes):
    assert pairs_within(np.array(sizes, np.int64)) == sum(i < j for n in sizes for i in range(n) for j in range(n))
