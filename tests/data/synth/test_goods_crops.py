"""Real crops as goods, and virtual identities by recolouring."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.data.errors import InputError
from packed_scenes.data.synth.goods.crops import CropGoods, changed_share, recolour, sample_recolouring
from packed_scenes.data.synth.goods.families import Family

SEEDS = st.integers(0, 2**32 - 1)


def crop(seed: int, height: int = 96) -> np.ndarray:
    rgba = Family(seed).variant(0).render(height)
    return np.where(rgba[..., 3:] > 0, rgba[..., :3], 60).astype(np.uint8)


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, height=st.integers(8, 200), width=st.integers(2, 200))
def test_recolouring_is_deterministic_pure_and_keeps_the_shape(seed: int, height: int, width: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    before = picture.copy()
    spec = sample_recolouring(np.random.default_rng(seed))
    assert spec == sample_recolouring(np.random.default_rng(seed))
    new = recolour(picture, spec)
    assert new.shape == picture.shape
    assert new.dtype == np.uint8
    assert not np.shares_memory(new, picture)
    assert np.array_equal(picture, before)
    assert np.array_equal(new, recolour(picture, spec))


def test_the_change_shows_on_the_sample() -> None:
    shown = 0
    for seed in range(30):
        crops = [crop(seed), crop(seed, 70)]
        spec = sample_recolouring(np.random.default_rng(seed), crops)
        shown += float(np.mean([changed_share(c, spec) for c in crops])) >= 0.04
    assert shown >= 27


def test_one_identity_changes_all_its_crops_alike() -> None:
    """Two pictures of one product at different sizes stay one product after the change."""
    for seed in range(8):
        spec = sample_recolouring(np.random.default_rng(seed), [crop(seed)])
        small, large = recolour(crop(seed, 96), spec), recolour(crop(seed, 180), spec)
        large = cv2.resize(large, small.shape[1::-1], interpolation=cv2.INTER_AREA)
        assert np.abs(small.astype(int) - large).mean() < 26


def test_grey_stays_grey_under_a_change_of_hue() -> None:
    grey = np.full((20, 20, 3), 128, np.uint8)
    for seed in range(40):
        spec = sample_recolouring(np.random.default_rng(seed))
        if not spec.mark:
            assert np.abs(recolour(grey, spec).astype(int) - 128).max() <= 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in range(4):
        (tmp_path / f"class{name}").mkdir()
        for k in range(3):
            cv2.imwrite(str(tmp_path / f"class{name}" / f"{k}.png"), crop(name, 400 + 20 * k)[..., ::-1])
    return tmp_path


def test_class_folders_are_identities(folder: Path) -> None:
    goods = CropGoods(folder, longest=128, soft=True, budget=200_000)
    assert len(goods.products) == 4
    assert len({p.key for p in goods.products}) == 4
    product = goods.products[2]
    assert product.takes == 3
    picture = product.render(50, np.random.default_rng(1))
    assert picture.shape[0] == 50
    assert picture.shape[2] == 4
    assert picture[25, picture.shape[1] // 2, 3] == 255
    assert picture[0, 0, 3] < 255
    assert np.array_equal(product.render(64), product.render(64))
    assert abs(product.render(200).shape[1] / 200 - product.aspect) < 0.02
    family = goods.sample_family(np.random.default_rng(0), 3)
    assert len({p.key for p in family.variants(5)}) == 3
    assert len({p.key for p in family.variants(2, np.random.default_rng(0))}) == 2
    assert family.variant(4) == family.variant(1)


def test_memory_is_capped(folder: Path) -> None:
    goods = CropGoods(folder, longest=128, budget=60_000)
    for product in goods.products:
        for s in range(4):
            product.render(64, np.random.default_rng(s))
    assert sum(p.nbytes for p in goods._cache.values()) == goods._cached_bytes <= 60_000


def test_no_pictures_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        CropGoods(tmp_path)
