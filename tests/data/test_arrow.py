"""Objects to Arrow and back, with every column, with few, with none."""

import numpy as np
import pytest
from hypothesis import given

from packed_scenes.data import InputError, Objects
from packed_scenes.data.arrow import from_arrow, to_arrow
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
