"""Real shelves: the order of adding changes little, and one by one is no worse than all at once."""

import hashlib

import numpy as np
import pytest

from packed_scenes.catalogue import Catalogue, Embedding, Entry
from tests.real import SHARED, needs

pytestmark = pytest.mark.slow


@needs("shelf_scenes")
def test_orders_agree_on_real_shelves(tmp_path):
    from packed_scenes.data.coco import read_coco
    from packed_scenes.embed import Embedder
    from packed_scenes.identify import identify
    from packed_scenes.settings import Settings

    scenes = read_coco(SHARED / "shelf_scenes" / "annotations.json", images=SHARED / "shelf_scenes" / "images")
    embedder = Embedder.load("default", device="cpu")
    parts = [s.truth.replace(embedding=embedder.embed(s.load().image, s.truth.xyxy), cluster=None) for s in scenes]
    sure = ~np.concatenate([s.identity_uncertain for s in scenes])
    truth = np.concatenate([s.truth.cluster for s in scenes])[sure]

    from packed_scenes import cluster

    def labels(batches):
        there = Catalogue.create(tmp_path / hashlib.sha256(repr(batches).encode()).hexdigest())
        for batch in batches:
            found, info = identify([parts[i] for i in batch], settings=Settings(), card=embedder.card)
            entries = [
                Entry(scenes[i].name, str(i), (scenes[i].size[1], scenes[i].size[0]), objects)
                for i, objects in zip(batch, found, strict=True)
            ]
            there.add(entries, embedding=Embedding("default", embedder.weights_hash, info.get("threshold")))
        return np.concatenate([[o.identity_id for o in there.in_scene(s.name)] for s in scenes])[sure]

    everything = list(range(len(scenes)))
    joint = cluster.score(truth, labels([everything]))
    forward = labels([[i] for i in everything])
    backward = labels([[i] for i in everything[::-1]])
    assert cluster.score(forward, backward).ARI > 0.9
    for one_by_one in (forward, backward):
        assert cluster.score(truth, one_by_one).pairwise_f > joint.pairwise_f - 0.03
        assert cluster.score(truth, one_by_one).bcubed_f > joint.bcubed_f - 0.03
