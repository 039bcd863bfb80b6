import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.data import InputError
from packed_scenes.embed.calibrate import best_pair_f, calibrate, equal_error, linkage_curves, linkage_cut
from packed_scenes.embed.retrieval import recall_at_1


def scene(seed: int, *, spread: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = np.repeat(np.arange(10), rng.integers(1, 4, 10))
    x = rng.normal(size=(10, 24))
    x = x[label] / np.linalg.norm(x[label], axis=1, keepdims=True) + spread * rng.normal(size=(len(label), 24)) / 5
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), label


distances = st.lists(st.floats(0, 2, width=32), min_size=1, max_size=30).map(lambda v: np.array(v, np.float32))


@settings(max_examples=60, deadline=None)
@given(distances, distances)
def test_best_pair_f_equals_trying_every_cut(same: np.ndarray, different: np.ndarray) -> None:
    def f(cut: float) -> float:
        true, false = (same <= cut).sum(), (different <= cut).sum()
        return 2 * true / (true + false + len(same))

    cut, value = best_pair_f(same, different)
    assert value == pytest.approx(max(f(c) for c in np.concatenate([same, different])))
    assert f(cut) == pytest.approx(value)


def test_equal_error_of_known_distributions() -> None:
    rng = np.random.default_rng(0)
    cut, rate = equal_error(rng.normal(0.2, 0.1, 20_000), rng.normal(0.6, 0.1, 20_000))
    assert cut == pytest.approx(0.4, abs=0.01)
    assert rate == pytest.approx(0.0228, abs=0.003)
    assert equal_error(np.array([0.1]), np.array([0.9]))[1] == 0


def test_linkage_cut_separates_what_can_be_separated() -> None:
    grid = np.linspace(0.02, 0.9, 45)
    cut, value = linkage_cut(linkage_curves([scene(s, spread=0.2) for s in range(4)], grid), grid)
    assert value > 0.99
    assert 0.05 < cut < 0.7


def test_calibration_holds_every_threshold_inside_its_spread() -> None:
    card = calibrate([scene(s) for s in range(12)], draws=20)
    for key in ("equal_error", "pairwise_f"):
        assert card[key]["low"] - 1e-3 <= card[key]["distance"] <= card[key]["high"] + 1e-3
    assert card["threshold"] == card["linkage"]["distance"]
    assert card["same"] == sorted(card["same"])
    assert card["same"][2] < card["threshold"] < card["different"][2]
    assert card == calibrate([scene(s) for s in range(12)], draws=20)


def test_scenes_without_pairs_are_refused() -> None:
    vectors, _ = scene(0)
    with pytest.raises(InputError, match="pairs"):
        calibrate([(vectors, np.arange(len(vectors)))])


def test_recall_counts_only_queries_with_a_partner() -> None:
    gallery = np.eye(3, dtype=np.float32)
    queries = np.eye(3, dtype=np.float32)[[0, 1, 1, 2]]
    assert recall_at_1(queries, np.array([0, 1, 0, 9]), gallery, np.array([0, 1, 2])) == pytest.approx(2 / 3)
    with pytest.raises(InputError):
        recall_at_1(queries, np.array([7, 7, 7, 7]), gallery, np.array([0, 1, 2]))
