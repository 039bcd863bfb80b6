import numpy as np
import torch

from packed_scenes.embed import Embedder
from packed_scenes.embed.colour import ColourLayout, rgb_to_lab


def test_lab_equals_scikit_image() -> None:
    from skimage.color import rgb2lab

    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    mine = rgb_to_lab(torch.from_numpy(image).permute(2, 0, 1)[None].float())[0].permute(1, 2, 0).numpy()
    assert np.abs(mine - rgb2lab(image)).max() < 0.01


def test_votes_of_each_cell_sum_to_one_per_channel() -> None:
    network = ColourLayout(rows=2, columns=3, levels=5)
    x = network.scale(torch.rand(2, 3, 72, 48) * 255)
    squares = network.features(x) ** 2
    assert squares.shape == (2, network.dimension) == (2, 2 * 3 * 5 * 3)
    assert torch.allclose(squares.view(2, 3, 5, 2, 3).sum(2), torch.ones(2, 3, 2, 3), atol=1e-3)


def test_layout_matters_and_size_does_not() -> None:
    embedder = Embedder.load("colour", device="cpu")
    top = np.zeros((60, 40, 3), np.uint8)
    top[:30] = (255, 0, 0)
    vectors = embedder.embed_crops([top, np.repeat(np.repeat(top, 2, 0), 2, 1), top[::-1].copy()])
    assert vectors[0] @ vectors[1] > 0.999
    assert vectors[0] @ vectors[2] < 0.8
