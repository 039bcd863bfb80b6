import cv2
import numpy as np
import pytest
import torch
from skimage.feature import hog as library_hog

from packed_scenes.data.letterbox import GREY
from packed_scenes.embed import Embedder
from packed_scenes.embed.shape import ShapeLayout, hog, hu_moments


def noise(seed: int, height: int = 64, width: int = 64) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def test_gradients_equal_scikit_image() -> None:
    crops = [noise(seed) for seed in range(4)]
    ours = hog(torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float()).numpy()
    theirs = [library_hog(crop, 9, (8, 8), (2, 2), "L2-Hys", channel_axis=2) for crop in crops]
    assert ours.shape == (4, 1764)
    # a direction on the edge of two bins may fall on either side in float32
    assert np.abs(ours - theirs).mean() < 1e-3
    assert np.corrcoef(ours.ravel(), np.ravel(theirs))[0, 1] > 0.999


def test_moments_equal_opencv() -> None:
    weights = np.random.default_rng(0).random((5, 40, 30)).astype(np.float32) ** 4
    ours = hu_moments(torch.from_numpy(weights)).numpy()
    theirs = np.stack([cv2.HuMoments(cv2.moments(w.astype(np.float64)))[:, 0] for w in weights])
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-12)


def test_shape_sees_proportions_and_silhouettes_but_no_paint() -> None:
    embedder = Embedder.load("shape", device="cpu")
    assert embedder.dimension == ShapeLayout().dimension == 1773

    def bus(colour: tuple[int, int, int]) -> np.ndarray:
        crop = np.full((50, 120, 3), 200, np.uint8)
        cv2.rectangle(crop, (8, 8), (112, 42), colour, -1)
        return crop

    def wheel(colour: tuple[int, int, int]) -> np.ndarray:
        crop = np.full((90, 90, 3), 200, np.uint8)
        cv2.circle(crop, (45, 45), 35, colour, -1)
        return crop

    red, blue, other = embedder.embed_crops([bus((150, 40, 40)), bus((40, 60, 150)), wheel((150, 40, 40))])
    assert red @ blue > red @ other + 0.1
    raw = embedder.describe_canvases(np.full((1, 64, 64, 3), GREY, np.uint8))  # wholly masked
    assert np.isfinite(raw).all()
    tall = embedder.describe_canvases(np.stack([_letterboxed(noise(1, 128, 32)), _letterboxed(noise(1, 32, 128))]))
    assert tall[:, -2] == pytest.approx([2, -2])
    assert tall[:, -1] == pytest.approx(1, abs=0.01)


def _letterboxed(crop: np.ndarray) -> np.ndarray:
    from packed_scenes.data.letterbox import letterbox

    return letterbox(crop, width=64, height=64)
