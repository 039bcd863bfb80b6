from __future__ import annotations

import numpy as np
from sklearn.metrics import adjusted_rand_score

from packed_scenes.cluster import AverageLinkage
from packed_scenes.cluster.scene_shift import remove_scene_shifts
from tests.cluster.synthetic import scene_vectors


def two_scenes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    X, y = scene_vectors(120, dim=64, noise=0.2)
    scene = np.arange(120) % 2
    shift = np.random.default_rng(1).standard_normal(64)
    moved = X + np.outer(scene, 0.45 * shift / np.linalg.norm(shift))
    return (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32), y, scene


def test_a_common_shift_is_taken_out() -> None:
    X, y, scene = two_scenes()
    same = (y[:, None] == y) & (scene[:, None] != scene)
    before = (1 - X @ X.T)[same].mean()
    clean = remove_scene_shifts(X, scene, threshold=0.2)
    assert (1 - clean @ clean.T)[same].mean() < 0.6 * before
    np.testing.assert_allclose(np.linalg.norm(clean, axis=1), 1, atol=1e-5)
    fits = [AverageLinkage(0.12, calibrated=0.2, scene_shift=on).fit_predict(X, scene=scene) for on in (True, False)]
    assert adjusted_rand_score(y, fits[0]) > adjusted_rand_score(y, fits[1])


def test_one_scene_stays_as_it_is() -> None:
    X, _, _ = two_scenes()
    assert remove_scene_shifts(X, np.zeros(120, np.int64), threshold=0.2) is X


def test_scenes_without_anything_in_common_hardly_move() -> None:
    X = np.eye(40, dtype=np.float32)
    np.testing.assert_array_equal(remove_scene_shifts(X, np.arange(40) % 4, threshold=0.2), X)
