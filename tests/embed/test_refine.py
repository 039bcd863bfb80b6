"""One round of training on made-up labels, and where a network looks."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from packed_scenes.data import InputError
from packed_scenes.embed.activation import activation_map
from packed_scenes.embed.embedder import Embedder
from packed_scenes.embed.networks import LayoutNet
from packed_scenes.embed.refine import PseudoBatches, RefineRecipe, contrast, refine
from packed_scenes.embed.runners import TorchRunner
from packed_scenes.embed.store import CropStore, StoreWriter


@pytest.fixture
def store(tmp_path: Path) -> CropStore:
    rng = np.random.default_rng(0)
    writer = StoreWriter(tmp_path / "store")
    for row in range(12):
        crop = np.full((40, 30, 3), 40 * (row // 3), np.uint8) + rng.integers(0, 20, (40, 30, 3), dtype=np.uint8)
        writer.add(crop, label=0)
    writer.close()
    return CropStore.open(tmp_path / "store")


def small() -> LayoutNet:
    torch.manual_seed(0)
    return LayoutNet(width=32, height=48, channels=(4, 8, 8, 8), dimension=16).eval()


def vectors(network: LayoutNet, store: CropStore) -> Any:
    from packed_scenes.embed.crops import letterbox_crops

    crops = [np.asarray(p[:h, :w, :3]) for p, (w, h) in zip(store.pixels, store.size.tolist(), strict=True)]
    return TorchRunner(copy.deepcopy(network), device="cpu")(letterbox_crops(crops, width=32, height=48))


def test_batches_spread_views_over_cameras_and_leave_out_noise(store: CropStore) -> None:
    labels = np.array([0] * 6 + [1] * 3 + [2, -1, -1])
    camera = np.array([0, 0, 0, 0, 0, 1] + [0] * 6)
    batches = PseudoBatches(store, labels, camera, identities=3, views=2, seed=1)
    for step in range(5):
        pixels, rows = batches.batch(step, width=32, height=48)
        assert pixels.shape == (6, 48, 32, 3)
        assert (labels[rows] >= 0).all()
        assert 5 in rows[labels[rows] == 0]  # the one crop of the other camera is in every pair of its cluster
        again = batches.batch(step, width=32, height=48)
        assert (again[0] == pixels).all()
        assert (again[1] == rows).all()


@pytest.mark.slow
def test_training_pulls_together_what_the_labels_join(store: CropStore) -> None:
    start = small()
    before = {k: v.clone() for k, v in start.state_dict().items()}
    labels = np.repeat(np.arange(4), 3)
    X = vectors(start, store)
    recipe = RefineRecipe(steps=25, identities=4, views=3, lr=2e-3, ambiguous=0.0)
    trained = refine(start, PseudoBatches(store, labels, identities=4, views=3), vectors=X, recipe=recipe)
    assert all(torch.equal(before[k], v) for k, v in start.state_dict().items())
    same = labels[:, None] == labels
    after = vectors(trained, store)
    margin = [(S[same].mean() - S[~same].mean()) for S in (X @ X.T, after @ after.T)]
    assert margin[1] > margin[0]


def test_nothing_is_pushed_apart_that_may_be_one_thing() -> None:
    torch.manual_seed(0)
    rows = nn.functional.normalize(torch.randn(6, 4), dim=1).requires_grad_(True)
    label = torch.tensor([0, 0, 1, 1, 2, 2])
    apart = torch.ones(6, 6, dtype=torch.bool)
    apart[:2, 2:4] = apart[2:4, :2] = False
    whole = contrast(rows, label, apart=torch.ones(6, 6, dtype=torch.bool), scale=8.0)
    assert contrast(rows, label, apart=apart, scale=8.0) < whole
    none = contrast(rows, label, apart=torch.zeros(6, 6, dtype=torch.bool), scale=8.0)
    assert float(none) == 0
    from packed_scenes.embed.losses import contrast as known

    assert torch.allclose(whole, known(rows, label, scale=8.0))


def test_bad_choices_are_named(store: CropStore) -> None:
    with pytest.raises(InputError, match="shape"):
        PseudoBatches(store, np.zeros(3, np.int64))
    with pytest.raises(InputError, match="no crop has a label"):
        PseudoBatches(store, np.full(12, -1))
    with pytest.raises(InputError, match="lr"):
        RefineRecipe(lr=0)
    batches = PseudoBatches(store, np.zeros(12, np.int64))
    with pytest.raises(InputError, match="vectors"):
        refine(small(), batches, vectors=np.zeros((12, 3), np.float32), recipe=RefineRecipe(steps=1))


@pytest.mark.slow
def test_gradient_maps_of_an_embedder() -> None:
    embedder = Embedder(TorchRunner(small(), device="cpu"), card={})
    canvas = np.random.default_rng(0).integers(0, 255, (48, 32, 3), dtype=np.uint8)
    target = embedder.embed_canvases(canvas[None])[0]
    drawn = activation_map(embedder, canvas, target)
    assert drawn.shape == (48, 32)
    assert 0 <= drawn.min() <= drawn.max() <= 1
    assert (embedder.embed_canvases(canvas[None])[0] == target).all()  # the embedder is as it was
    with pytest.raises(InputError, match="target"):
        activation_map(embedder, canvas, target[:3])
