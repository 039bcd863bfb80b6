"""The discriminant: the same in parts, that of scikit-learn, zero where classes cannot tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from packed_scenes.embed.discriminant import Scatter


def classes(count: int = 12, each: int = 9, width: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    spread = rng.normal(size=(width, width))
    label = np.repeat(np.arange(count), each)
    centre = rng.normal(0, 2, (count, width))
    return (centre[label] + rng.normal(size=(len(label), width)) @ spread).astype(np.float32), label


def test_parts_give_what_the_whole_gives(tmp_path: Path) -> None:
    vectors, label = classes()
    whole = Scatter.empty(6)
    whole.add(vectors, label)
    parts = Scatter.empty(6)
    for part in (label < 5, label >= 5):
        parts.add(vectors[part], label[part])
        parts.save(tmp_path / "s.npz")
        parts = Scatter.load(tmp_path / "s.npz")
    assert parts.count == whole.count == len(vectors)
    for a, b in zip(whole.projection(4), parts.projection(4), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_directions_are_those_of_scikit_learn() -> None:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    vectors, label = classes()
    scatter = Scatter.empty(6)
    scatter.add(vectors, label)
    weight, bias = scatter.projection(3, ridge=0)
    theirs = LinearDiscriminantAnalysis(solver="eigen").fit(vectors, label).scalings_[:, :3].T
    cosine = (weight * theirs).sum(1) / np.linalg.norm(weight, axis=1) / np.linalg.norm(theirs, axis=1)
    np.testing.assert_allclose(np.abs(cosine), 1, atol=1e-6)
    assert (vectors @ weight.T + bias).mean(0) == pytest.approx(0, abs=1e-5)


def test_directions_beyond_the_classes_are_zero() -> None:
    vectors, label = classes(count=3)
    scatter = Scatter.empty(6)
    scatter.add(vectors, label)
    weight, _ = scatter.projection(5)
    assert np.all(weight[2:] == 0)
    assert np.all(np.abs(weight[:2]).sum(1) > 0)
