import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from packed_scenes.embed.losses import ProxySoftmax, contrast


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(1, 30))
def test_proxies_without_margin_equal_normalized_softmax(seed: int, scale: float) -> None:
    losses = pytest.importorskip("pytorch_metric_learning.losses")
    torch.manual_seed(seed)
    mine = ProxySoftmax(7, 5, scale=scale)
    theirs = losses.NormalizedSoftmaxLoss(7, 5, temperature=1 / scale)
    theirs.W.data = mine.proxies.data.T.clone()
    x, y = functional.normalize(torch.randn(11, 5), dim=1), torch.randint(0, 7, (11,))
    assert float(mine(x, y)) == pytest.approx(float(theirs(x, y)), rel=1e-4)


def test_proxies_with_margin_equal_cosface() -> None:
    losses = pytest.importorskip("pytorch_metric_learning.losses")
    torch.manual_seed(0)
    mine = ProxySoftmax(6, 4, scale=16, margin=0.15)
    theirs = losses.CosFaceLoss(6, 4, margin=0.15, scale=16)
    theirs.W.data = mine.proxies.data.T.clone()
    x, y = functional.normalize(torch.randn(9, 4), dim=1), torch.randint(0, 6, (9,))
    assert float(mine(x, y)) == pytest.approx(float(theirs(x, y)), rel=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 14))
def test_contrast_equals_the_naive_sum(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 6))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    y = rng.integers(0, 4, count)
    anchors = []
    for i in range(count):
        negative = sum(np.exp(16 * x[i] @ x[j]) for j in range(count) if y[j] != y[i])
        terms = [
            -np.log(np.exp(16 * x[i] @ x[j]) / (np.exp(16 * x[i] @ x[j]) + negative))
            for j in range(count)
            if j != i and y[j] == y[i]
        ]
        if terms:
            anchors.append(np.mean(terms))
    expected = np.mean(anchors) if anchors else 0.0
    found = contrast(torch.tensor(x, dtype=torch.float64), torch.tensor(y))
    assert float(found) == pytest.approx(expected, abs=1e-6)


def test_contrast_of_lonely_crops_is_zero_and_differentiable() -> None:
    x = functional.normalize(torch.randn(3, 4), dim=1).requires_grad_()
    loss = contrast(x, torch.tensor([0, 1, 2]))
    loss.backward()
    assert float(loss) == 0
