"""Identities over many scenes: rows stay with their objects, and neither order nor empty scenes matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.data import Objects
from packed_scenes.identify import identify
from packed_scenes.settings import Settings

CARD = {"calibration": {"threshold": 0.1}}
CENTRES = np.eye(6, dtype=np.float32)  # six things that nobody confuses
SCENES = st.lists(st.lists(st.integers(0, 5), max_size=6), min_size=1, max_size=5).filter(lambda s: any(s))


def parts_of(scenes):
    rng = np.random.default_rng(0)
    parts = []
    for number, things in enumerate(scenes):
        vectors = CENTRES[things] + 0.02 * rng.standard_normal((len(things), 6)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        corner = np.arange(len(things))[:, None] * [200.0, 0.0]
        ids = [f"{number}-{row}" for row in range(len(things))]
        boxes = np.concatenate([corner, corner + 50], axis=1)
        parts.append(Objects.from_boxes(boxes, object_id=ids, embedding=vectors))
    return parts


def groups(parts):
    """The sets of object ids that share an identity."""
    found = {}
    for part in parts:
        for name, cluster in zip(part.object_id.tolist(), part.cluster.tolist(), strict=True):
            found.setdefault(cluster, set()).add(name)
    return {frozenset(group) for group in found.values()}


@settings(max_examples=40, deadline=None)
@given(SCENES)
def test_rows_stay_with_their_objects_and_the_same_things_share_a_name(scenes):
    parts = parts_of(scenes)
    found, info = identify(parts, settings=Settings(), card=CARD)
    assert [len(part) for part in found] == [len(things) for things in scenes]
    for before, after in zip(parts, found, strict=True):
        assert after.replace(cluster=None, probability=None) == before
        assert ((after.probability >= 0) & (after.probability <= 1)).all()
    named = {}
    for things, part in zip(scenes, found, strict=True):
        for thing, cluster in zip(things, part.cluster.tolist(), strict=True):
            assert named.setdefault(thing, cluster) == cluster
    assert sorted(named.values()) == list(range(len(named)))
    assert info["n_clusters"] == len(named)
    assert info["n_objects"] == sum(map(len, scenes))


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(SCENES, st.randoms(use_true_random=False))
def test_neither_the_order_of_scenes_nor_empty_ones_matter(scenes, random):
    parts = parts_of(scenes)
    shuffled = [*parts, Objects.empty().replace(embedding=np.zeros((0, 6), np.float32))]
    random.shuffle(shuffled)
    here, _ = identify(parts, settings=Settings(), card=CARD)
    there, _ = identify(shuffled, settings=Settings(), card=CARD)
    assert groups(here) == groups(there)
