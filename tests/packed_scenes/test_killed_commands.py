"""Whole commands killed at random moments; ``scripts/kill.py`` does all of them, 20 times each."""

import os

import pytest

from tests.killed import killed_at_random, same

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["analyze", "catalogue add", "catalogue undo"])
def test_killed_and_done_again(tmp_path, name):
    found = killed_at_random(name, tmp_path, trials=3)
    assert found.failed == []
    assert found.trials == 3


def test_what_two_unbroken_runs_agree_on_decides():
    one, two = {"a": [1, 5], "b": b"x", "seconds": 1}, {"a": [1, 6], "b": b"x", "seconds": 1}
    assert same({"a": [1, 9], "b": b"x", "seconds": 3}, one, two)
    assert not same({"a": [2, 5], "b": b"x"}, one, two)
    assert not same({"a": [1], "b": b"x"}, one, two)
    assert not same({"a": [1, 5]}, one, two)
    assert not same({"a": [1, 5], "b": b"x", "left": b""}, one, two)
