"""The head is chosen by photos left out: it finds what tells groups apart, and leaves a good network alone."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from packed_scenes.cluster import bcubed_f, score
from packed_scenes.data import InputError
from packed_scenes.data.arrays import unit_rows
from packed_scenes.embed.networks import LayoutNet
from packed_scenes.web.project.embedder_choice import choose, discriminant


def photos(*, loud: float, count: int = 8, groups: int = 5, width: int = 12, seed: int = 0):
    """Features whose first directions tell the groups and whose others are noise of some loudness."""
    rng = np.random.default_rng(seed)
    group = np.tile(np.repeat(np.arange(groups), 3), count)
    photo = np.repeat(np.arange(count), 3 * groups)
    features = rng.normal(0, 0.08, (len(group), width))
    features[:, :groups] += np.eye(groups)[group]
    features[:, groups:] += rng.normal(0, loud, (len(group), width - groups))
    return features.astype(np.float32), group, photo


def one_cut(X, photo):
    from packed_scenes.cluster.dense import average_tree, cosine_distances

    return average_tree(cosine_distances(X)).cut(0.3)


def test_what_varies_within_groups_is_quietened_and_new_photos_are_grouped_better():
    features, group, photo = photos(loud=0.7)
    head = choose(features, group, photo, automatic=one_cut)
    fresh, truth, of = photos(loud=0.7, seed=1)
    before, after = one_cut(unit_rows(fresh), of), one_cut(head.apply(fresh), of)
    assert head.ridge is not None
    assert head.threshold is not None
    assert bcubed_f(truth, after) > bcubed_f(truth, before) + 0.2
    assert np.allclose(np.linalg.norm(head.apply(fresh), axis=1), 1, atol=1e-5)


def test_a_network_that_tells_everything_apart_is_left_alone():
    features, group, photo = photos(loud=0.0)
    head = choose(features, group, photo, automatic=one_cut)
    assert head.threshold is None
    assert np.allclose(head.apply(features), unit_rows(features), atol=1e-6)


def test_a_candidate_within_the_scatter_of_the_photos_is_not_taken():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 6, 24)
    head = choose(
        rng.normal(size=(24, 8)).astype(np.float32), group, np.arange(24) // 6, automatic=lambda X, _: np.arange(len(X))
    )
    assert head.threshold is None or head.expected > bcubed_f(group, np.arange(24))


def test_one_photo_is_too_few():
    with pytest.raises(InputError, match="left out in turn"):
        choose(np.eye(4, dtype=np.float32), np.array([0, 0, 1, 1]), np.zeros(4, int), automatic=one_cut)


@given(scale=st.floats(1e-3, 1e3), ridge=st.sampled_from([0.03, 1.0]), floor=st.sampled_from([0.0, 0.1]))
def test_the_discriminant_is_the_same_for_features_of_any_length(scale, ridge, floor):
    features, group, _ = photos(loud=0.3)
    cosines = []
    for x in (features, (features * scale).astype(np.float32)):
        weight, bias = discriminant(x, group, ridge, floor)
        found = unit_rows(x @ weight.T + bias)
        cosines.append(found @ found.T)  # directions that count alike may come in any order
    np.testing.assert_allclose(*cosines, atol=5e-3)


@pytest.mark.parametrize("group", [[0, 0, 0, 0], [0, 1, 2, 3]])
def test_where_nothing_can_be_learned_nothing_changes(group):
    weight, bias = discriminant(np.eye(4, dtype=np.float32), np.array(group), 0.1, 0.0)
    if len(set(group)) == 1 or len(set(group)) == 4:
        assert np.array_equal(weight, np.eye(4))
        assert not bias.any()


def test_a_linear_layer_behind_the_last_one_is_the_last_one():
    torch.manual_seed(0)
    network = LayoutNet(width=32, height=32, channels=(4, 4, 8, 8), dimension=6).eval()
    pixels = torch.rand(3, 3, 32, 32) * 255
    weight, bias = torch.randn(6, 6), torch.randn(6)
    with torch.no_grad():
        wanted = unit_rows((network.features(network.scale(pixels)) @ weight.T + bias).numpy())
        network.head.bias.copy_(weight @ network.head.bias + bias)
        network.head.weight.copy_(weight @ network.head.weight)
        np.testing.assert_allclose(network(pixels).numpy(), wanted, atol=1e-5)


def test_bcubed_alone_is_that_of_the_scores():
    rng = np.random.default_rng(0)
    true, found = rng.integers(-1, 5, 60), rng.integers(-1, 7, 60)
    assert bcubed_f(true, found) == score(true, found).bcubed_f
