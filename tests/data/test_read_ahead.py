"""Work done ahead: order kept, errors in their place, few items held."""

import sys
import threading

import pytest

from packed_scenes.data.read_ahead import import_ahead, map_ahead, try_ahead


def work_but_three(x):
    if x == 3:
        raise ValueError("three")
    return x * x


def test_order_is_kept_and_errors_stand_in_place():
    got = list(try_ahead(work_but_three, range(6), workers=3))
    assert [item for item, _ in got] == list(range(6))
    assert [r for _, r in got if not isinstance(r, Exception)] == [0, 1, 4, 16, 25]
    assert str(got[3][1]) == "three"


def test_an_error_is_raised_in_its_place():
    results = map_ahead(work_but_three, range(6), workers=2)
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    with pytest.raises(ValueError, match="three"):
        next(results)


def test_no_more_than_a_few_are_ahead():
    begun = []
    lock = threading.Lock()

    def work(x):
        with lock:
            begun.append(x)
        return x

    for item in map_ahead(work, range(50), workers=2, ahead=3):
        assert max(begun) <= item + 4


def test_stopping_early_drops_what_has_not_begun():
    done = []
    for item, _ in try_ahead(done.append, range(100), ahead=2):
        if item == 5:
            break
    assert len(done) <= 10


def test_an_interrupt_goes_through():
    def work(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(try_ahead(work, [1]))


def test_an_import_ahead_is_there_after_join_and_silent_where_it_fails():
    import_ahead("colorsys").join(10)
    assert "colorsys" in sys.modules
    import_ahead("no_such_module_at_all").join(10)
