"""Presets are defaults: what the user says wins over them."""

import pytest

from packed_scenes.data import InputError
from packed_scenes.settings import Settings


def test_a_preset_sets_what_was_not_said():
    chosen = Settings.choose(preset="crowd", threshold=None, seed=3)
    assert (chosen.once, chosen.congregate, chosen.reach, chosen.cut, chosen.seed) == (
        True,
        "height",
        0.5,
        "equal-error",
        3,
    )
    assert Settings.choose() == Settings()


@pytest.mark.parametrize("said", [{"reach": 0.3}, {"congregate": "identity"}, {"once": False}])
def test_what_is_said_wins_over_a_preset_even_where_it_is_the_default(said):
    chosen = Settings.choose(preset="crowd", **said)
    for name, value in said.items():
        assert getattr(chosen, name) == value


def test_an_unknown_preset_names_those_there_are():
    with pytest.raises(InputError, match="crowd"):
        Settings.choose(preset="herd")
