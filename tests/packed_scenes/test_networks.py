"""The list of embedders, and the card of a network file."""

import json
from pathlib import Path

import numpy as np
import pytest

from packed_scenes.data import InputError
from packed_scenes.data.images import write_image
from packed_scenes.embed import Embedder
from packed_scenes.embed.about import ABOUT
from packed_scenes.embed.registry import names
from packed_scenes.networks import calibrate_card, inspect_network, known_embedders, write_card
from tests.netfiles import means_onnx


def test_every_name_is_described():
    assert set(ABOUT) == set(names())
    rows = known_embedders()
    assert rows[0]["needs"] == "nothing"
    assert all(row["domain"] and row["licence"] for row in rows)


@pytest.mark.parametrize("name", ["default", "person", "reference", "colour", "shape"])
def test_what_ships_is_described_rightly(name):
    embedder = Embedder.load(name, device="cpu")
    assert ABOUT[name].dimension == embedder.dimension


def test_a_card_is_written_tried_and_added_to(tmp_path: Path):
    file = str(means_onnx(tmp_path / "net.onnx", ("n", 3, 16, 16)))
    assert write_card(file, {"channels": "bgr", "mean": [0.0]}) == tmp_path / "net.json"
    write_card(file, {"scale": [2.0]})
    found = inspect_network(file, device="cpu")
    assert (found["channels"], found["mean"], found["scale"]) == ("bgr", [0.0] * 3, [2.0] * 3)
    assert found["assumed"] == []
    before = (tmp_path / "net.json").read_text()
    with pytest.raises(InputError, match="fit must be"):
        write_card(file, {"fit": "crop"})
    assert (tmp_path / "net.json").read_text() == before


@pytest.mark.slow
def test_calibration_finds_the_cut_between_identities(tmp_path: Path):
    rng = np.random.default_rng(0)
    for who in range(6):
        look = rng.integers(30, 220, (2, 2, 3))
        for view in range(6):
            crop = np.kron(look + rng.integers(-6, 7, look.shape), np.ones((16, 16, 1))).astype(np.uint8)
            write_image(tmp_path / "crops" / f"{who}" / f"{view}.png", crop)
    file = str(means_onnx(tmp_path / "net.onnx", ("n", 3, 16, 16)))
    found = calibrate_card(file, tmp_path / "crops", device="cpu")
    card = json.loads((tmp_path / "net.json").read_text())
    assert card["calibration"]["threshold"] == found["threshold"]
    assert found["same"][3] < found["threshold"] < found["different"][2]
    assert Embedder.load(file).card["calibration"]["equal_error"]["distance"] > 0
