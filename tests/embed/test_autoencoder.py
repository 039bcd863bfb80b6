import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from packed_scenes.data import InputError
from packed_scenes.data.letterbox import GREY
from packed_scenes.embed import Embedder
from packed_scenes.embed.autoencoder import Autoencoder, reconstruct, reconstruction_errors
from packed_scenes.embed.autoencoder_training import AutoencoderRecipe, store_canvases, train_autoencoder, trained_on
from packed_scenes.embed.descriptors.extraction import extract

RECIPE = AutoencoderRecipe(epochs=6, side=32, dimension=8, batch=8, chunk=16, validation_share=0.2)


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Discs of four colours at four places."""
    folder = tmp_path_factory.mktemp("crops")
    rng = np.random.default_rng(0)
    for i in range(40):
        crop = np.full((48, 40, 3), 30, np.uint8)
        colour = [(220, 60, 60), (60, 220, 60), (60, 60, 220), (220, 220, 60)][i % 4]
        cv2.circle(crop, tuple(int(v) for v in rng.integers(14, 26, 2)), 12, colour, -1)
        cv2.imwrite(str(folder / f"{i:02}.png"), crop)
    return sorted(folder.iterdir())


def test_three_convolutions_and_three_dense_layers_each_way() -> None:
    network = Autoencoder()
    kinds = {
        part: [type(m).__name__ for m in getattr(network, part).modules() if isinstance(m, torch.nn.Module)]
        for part in ("encoder", "decoder")
    }
    for part, convolution in (("encoder", "Conv2d"), ("decoder", "ConvTranspose2d")):
        assert kinds[part].count(convolution) == kinds[part].count("Linear") == 3
        assert kinds[part].count("LeakyReLU") == 5
    pixels = torch.rand(2, 3, 64, 64) * 255
    assert network.features(network.scale(pixels)).shape == (2, 32)
    assert network.reconstruct(pixels).shape == pixels.shape
    wide = Autoencoder(width=48, height=32, dimension=5)
    assert wide.reconstruct(torch.zeros(1, 3, 32, 48)).shape == (1, 3, 32, 48)


def test_errors_are_over_the_crops_own_pixels() -> None:
    class Nothing(Autoencoder):
        def reconstruct(self, pixels: torch.Tensor) -> torch.Tensor:
            return torch.full_like(pixels, float(GREY))

    canvases = np.full((2, 64, 64, 3), GREY, np.uint8)
    canvases[0, :, 24:40] = GREY + 51  # a slim crop, wrong by a fifth everywhere
    canvases[1] = GREY + 51
    network = Nothing().eval()
    assert reconstruction_errors(network, canvases) == pytest.approx([0.2, 0.2])
    assert (reconstruct(network, canvases) == GREY).all()


@pytest.mark.slow
def test_training_leaves_everything_behind_and_learns(crops: list[Path], tmp_path: Path) -> None:
    rows: list[dict[str, float]] = []
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    recipe = AutoencoderRecipe(epochs=25, side=32, dimension=8, batch=8, validation_share=0.2)
    weights = train_autoencoder([*crops, broken], out=tmp_path / "run", recipe=recipe, device="cpu", report=rows.append)
    assert {p.name for p in weights.parent.iterdir()} == {
        "autoencoder.safetensors", "autoencoder.json", "history.csv", "curve.png", "reconstructions.png", "errors.csv",
        "work",
    }  # fmt: skip
    assert min(row["val_loss"] for row in rows) < 0.6 * rows[0]["val_loss"]
    card = json.loads(weights.with_suffix(".json").read_text())
    assert card["data"]["crops"] == 40
    assert card["metrics"]["val_loss"] == min(row["val_loss"] for row in rows)
    with open(weights.parent / "errors.csv", newline="") as file:
        told = list(csv.DictReader(file))
    assert [row["path"] for row in told] == [str(p) for p in crops]
    assert sum(row["part"] == "val" for row in told) == 8
    assert all(0 < float(row["error"]) < 1 for row in told)
    embedder = Embedder.load(weights, device="cpu")
    assert isinstance(embedder.network, Autoencoder)
    found = extract(crops, weights, cache=tmp_path / "cache", device="cpu")
    assert found.matrix.shape == (40, 8)
    assert found.errors is not None
    assert found.errors == pytest.approx([float(row["error"]) for row in told], abs=1e-5)
    assert np.array_equal(np.load(found.errors_file), found.errors)  # type: ignore[arg-type]
    same = np.array([[np.linalg.norm(a - b) for b in found.matrix] for a in found.matrix])
    colour = np.arange(40) % 4
    assert same[colour[:, None] == colour].mean() < same[colour[:, None] != colour].mean()
    other = extract(crops[:3], f"autoencoder={weights}", cache=tmp_path / "cache", device="cpu")
    assert other.card["weights"] == found.card["weights"]


@pytest.mark.slow
def test_an_interrupted_training_goes_on_where_it_was(crops: list[Path], tmp_path: Path) -> None:
    whole = train_autoencoder(crops, out=tmp_path / "whole", recipe=RECIPE, device="cpu")

    def stop(row: dict[str, float]) -> None:
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_autoencoder(crops, out=tmp_path / "parts", recipe=RECIPE, device="cpu", report=stop)
    rows: list[dict[str, float]] = []
    parts = train_autoencoder(crops, out=tmp_path / "parts", recipe=RECIPE, device="cpu", report=rows.append)
    assert [row["epoch"] for row in rows] == [3, 4, 5]
    one, two = (Embedder.load(path, device="cpu").network.state_dict() for path in (whole, parts))
    assert all(torch.allclose(one[key], two[key], atol=1e-5) for key in one)


@pytest.mark.slow
def test_it_stops_early_and_keeps_the_best(crops: list[Path], tmp_path: Path) -> None:
    recipe = AutoencoderRecipe(  # diverges
        epochs=50, patience=2, lr=3.0, side=32, dimension=8, batch=8, validation_share=0.2
    )
    rows: list[dict[str, float]] = []
    train_autoencoder(crops, out=tmp_path / "run", recipe=recipe, device="cpu", report=rows.append)
    assert len(rows) < 50
    assert rows[-1]["waited"] == 2


def test_canvases_are_stored_once_for_the_same_pictures(crops: list[Path], tmp_path: Path) -> None:
    files, canvases = store_canvases(crops[:12], tmp_path, side=32)
    assert canvases.shape == (12, 32, 32, 3)
    assert isinstance(canvases, np.memmap)
    before = (tmp_path / "canvases.u8").stat().st_mtime_ns
    assert store_canvases(crops[:12], tmp_path, side=32)[0] == files
    assert (tmp_path / "canvases.u8").stat().st_mtime_ns == before
    assert len(store_canvases(crops[:13], tmp_path, side=32)[0]) == 13


@pytest.mark.slow
def test_a_descriptor_trains_its_own_once(crops: list[Path], tmp_path: Path) -> None:
    weights = trained_on(crops, cache=tmp_path, recipe=RECIPE)
    stamp = weights.stat().st_mtime_ns
    assert trained_on(list(reversed(crops)), cache=tmp_path, recipe=RECIPE) == weights
    assert weights.stat().st_mtime_ns == stamp
    with pytest.raises(InputError, match="--train-autoencoder"):
        Embedder.load("autoencoder")
    with pytest.raises(InputError, match="too few"):
        train_autoencoder(crops[:4], out=tmp_path / "few")
