"""Overlapping work: order kept, errors in place, few items ahead."""

import threading

import pytest

from packed_scenes.overlap import ahead_of


def test_order_is_kept_and_errors_stand_in_place():
    def work(x):
        if x == 3:
            raise ValueError("three")
        return x * x

    got = list(ahead_of(range(6), work, workers=3))
    assert [item for item, _ in got] == list(range(6))
    assert [r for _, r in got if not isinstance(r, Exception)] == [0, 1, 4, 16, 25]
    assert str(got[3][1]) == "three"


def test_no_more_than_a_few_are_ahead():
    begun = []
    lock = threading.Lock()

    def work(x):
        with lock:
            begun.append(x)
        return x

    for item, _ in ahead_of(range(50), work, workers=2, ahead=3):
        assert max(begun) <= item + 4


def test_stopping_early_drops_what_has_not_begun():
    done = []
    for item, _ in ahead_of(range(100), done.append, ahead=2):
        if item == 5:
            break
    assert len(done) <= 10


def test_an_interrupt_goes_through():
    def work(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(ahead_of([1], work))
