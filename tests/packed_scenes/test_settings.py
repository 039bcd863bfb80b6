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


@pytest.mark.parametrize(("preset", "what"), [("crowd", "people"), ("vehicles", "vehicles")])
def test_a_preset_for_what_the_bundled_detector_does_not_know_asks_for_a_model(preset, what):
    chosen = Settings.choose(preset=preset)
    with pytest.raises(InputError, match=f"knows goods, not {what}. Give a model of {what}, such as --weights"):
        chosen.require_detector()
    Settings.choose(preset=preset, weights="model.onnx").require_detector()
    Settings().require_detector()


def test_the_crowd_says_when_people_are_told_apart_by_the_embedder_for_goods():
    assert "re-identification" in Settings.choose(preset="crowd", embedder="default").warnings()[0]
    assert not Settings.choose(preset="crowd", embedder="reid.xml").warnings()
    assert not Settings.choose(preset="vehicles").warnings()
    assert Settings.choose(preset="crowd").embedder in ("person", "default")
