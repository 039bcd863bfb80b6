"""A cut from objects that are certainly different."""

import numpy as np

from packed_scenes.analysis import analyze
from packed_scenes.data.objects import Objects
from packed_scenes.data.scene import Scene
from packed_scenes.exclusive_threshold import SHARE, exclusive_threshold
from packed_scenes.identify import identify
from packed_scenes.settings import Settings


def people(rng: np.random.Generator, *, frames: int, spread: float) -> tuple[list[Objects], np.ndarray]:
    """Frames of 6 people each in any order, seen with noise; their vectors lie wide apart."""
    who = rng.normal(size=(6, 32))
    parts, truth = [], []
    for _ in range(frames):
        order = rng.permutation(6)
        vectors = who[order] + rng.normal(size=(6, 32)) * spread
        vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        boxes = np.arange(6)[:, None] * 20 + np.array([0, 0, 10, 30])
        parts.append(Objects.from_boxes(boxes.astype(np.float32)).replace(embedding=vectors))
        truth.append(order)
    return parts, np.concatenate(truth)


def test_a_tenth_of_the_certainly_different_pairs_lies_under_the_cut():
    parts, _ = people(np.random.default_rng(0), frames=20, spread=0.6)
    vectors = np.concatenate([p.embedding for p in parts])
    picture = np.repeat(np.arange(20), 6)
    cut = exclusive_threshold(vectors, picture)
    naive = [1 - vectors[i] @ vectors[j] for i in range(120) for j in range(i) if picture[i] == picture[j]]
    assert np.isclose(np.mean(np.array(naive) < cut), SHARE, atol=0.01)
    assert exclusive_threshold(vectors[:6], picture[:6]) is None  # 15 pairs are too few
    assert exclusive_threshold(np.zeros((0, 32), np.float32), np.zeros(0, np.int64)) is None


def test_an_embedder_without_calibration_counts_a_crowd():
    parts, truth = people(np.random.default_rng(1), frames=15, spread=0.6)
    settings = Settings.choose(preset="crowd", weights="model.onnx", embedder="reid.xml")
    constraints = {"exclusive": np.repeat(np.arange(15), 6)}
    grouped, info = identify(parts, settings=settings, card={}, constraints=constraints)
    assert info["n_clusters"] == 6
    found = np.concatenate([part.cluster for part in grouped])
    assert len({(a, b) for a, b in zip(truth, found, strict=True)}) == 6


def test_who_is_seen_once_is_told_apart_from_who_is_seen_again():
    grey, box = np.full((40, 60, 3), 90, np.uint8), Objects.from_boxes(np.array([[2, 2, 20, 30]], np.float32))
    scenes = [Scene(grey, name) for name in ("one", "two")]
    result = analyze(scenes, boxes={"one": box, "two": box}, embedder="default", threshold=0.3)
    assert result.recurring_identities() == 1
