"""Known identities keep number and name, new ones get new numbers, the order does not matter, twice is once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes import cluster
from packed_scenes.catalogue import Catalogue, Embedding
from packed_scenes.data import InputError
from tests.packed_scenes.catalogue.made import EMBEDDING, entry, identities_of, objects, partition


def test_known_identities_keep_number_and_name(filled):
    first = identities_of(filled, "a")
    assert first[0] == first[1] != first[2]
    assert identities_of(filled, "b")[:2] == [first[0], first[2]]
    filled.rename(first[0], "Omo 3 l green")
    added = filled.add([entry("d", [0, 5])], embedding=EMBEDDING)
    assert filled.in_scene("d")[0].name == "Omo 3 l green"
    assert added.known == (first[0],)
    assert len(added.new) == 1
    assert added.new[0] > max(i.identity_id for i in filled.identities() if i.identity_id not in added.new)


def test_one_call_or_several(tmp_path):
    scenes = [entry("a", [0, 1]), entry("b", [1, 2]), entry("c", [2, 0])]
    at_once, one_by_one = (Catalogue.create(tmp_path / name) for name in "xy")
    at_once.add(scenes, embedding=EMBEDDING)
    for scene in scenes:
        one_by_one.add([scene], embedding=EMBEDDING)
    assert partition(at_once) == partition(one_by_one)


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_the_order_of_adding_does_not_matter(tmp_path_factory, data):
    shelves = data.draw(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), min_size=1, max_size=6))
    order = data.draw(st.permutations(range(len(shelves))))
    cut = sorted(data.draw(st.lists(st.integers(0, len(order)), max_size=2)))
    folder = tmp_path_factory.mktemp("order")
    there = Catalogue.create(folder / "there")
    batches = [order[low:high] for low, high in zip([0, *cut], [*cut, len(order)], strict=True)]
    for batch in batches:
        scenes = [entry(str(i), shelves[i]) for i in batch]
        if not scenes:
            continue
        vectors = np.concatenate([s.objects.embedding for s in scenes])
        labels = cluster.AverageLinkage(0.18).fit_predict(vectors) if len(vectors) > 1 else np.zeros(1, np.int64)
        if data.draw(st.booleans()):  # the two-stage method calls single ones noise
            labels = np.where(np.bincount(labels)[labels] == 1, -1, labels)
        parts = np.split(labels, np.cumsum([len(s.objects) for s in scenes])[:-1])
        clustered = [entry(s.name, shelves[int(s.name)], cluster=p) for s, p in zip(scenes, parts, strict=True)]
        there.add(clustered, embedding=EMBEDDING)
    truth = {}
    for i, shelf in enumerate(shelves):
        for place, product in enumerate(shelf):
            truth.setdefault(product, set()).add((str(i), str(place)))
    assert partition(there) == {frozenset(group) for group in truth.values()}


def test_the_same_picture_twice_is_there_once(filled):
    before = filled.state
    added = filled.add([entry("a", [0, 0, 1])], embedding=EMBEDDING)
    assert added.run_id is None
    assert added.skipped == (("a", "a"),)
    assert filled.state == before


def test_another_picture_of_the_same_name_gets_a_number(filled):
    scene = entry("a again", [0])
    added = filled.add([type(scene)(**{**vars(scene), "name": "a"})], embedding=EMBEDDING)
    assert added.scenes == ("a_2",)
    assert len(filled.in_scene("a")) == 3


def test_vectors_of_another_embedder_are_refused(filled):
    with pytest.raises(InputError, match="same embedder"):
        filled.add([entry("z", [0])], embedding=Embedding("other", "b" * 64))
    assert len(filled.scenes()) == 3


def test_a_failing_picture_leaves_nothing(filled):
    def broken():
        raise InputError("gone")

    scene = entry("z", [0])
    with pytest.raises(InputError, match="gone"):
        filled.add([entry("y", [1]), type(scene)(**{**vars(scene), "picture": broken})], embedding=EMBEDDING)
    assert {s.name for s in filled.scenes()} == {"a", "b", "c"}
    assert filled.add([entry("y", [1])], embedding=EMBEDDING).scenes == ("y",)


def test_a_scene_without_objects(catalogue):
    catalogue.add([entry("empty", []), entry("one", [3])], embedding=EMBEDDING)
    assert [s.n_objects for s in catalogue.scenes()] == [1, 0]
    catalogue.add([entry("empty too", [])], embedding=EMBEDDING)
    assert len(catalogue.vectors()) == 1


def test_look_alikes_that_the_user_keeps_apart_stay_apart(catalogue):
    """The clusterer joins both; every new crop still goes to the nearer one."""
    close = objects([0, 0, 0, 0], cluster=[0, 0, 0, 0])
    vectors = close.embedding.copy()
    vectors[2:] += 0.25 * objects([1]).embedding
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scene = entry("a", [0] * 4)
    catalogue.add([type(scene)(**{**vars(scene), "objects": close.replace(embedding=vectors)})], embedding=EMBEDDING)
    (one,) = catalogue.identities()
    ids = [o.object_id for o in catalogue.in_scene("a")]
    catalogue.split(one.identity_id, [ids[2:]])
    again = entry("b", [0] * 4)
    catalogue.add([type(again)(**{**vars(again), "objects": close.replace(embedding=vectors)})], embedding=EMBEDDING)
    assert identities_of(catalogue, "b") == identities_of(catalogue, "a")
    assert len(catalogue.identities()) == 2


def test_two_looks_merged_by_hand_are_both_recognised(catalogue):
    catalogue.add([entry("a", [0, 0, 1, 1])], embedding=EMBEDDING)
    front, back = {o.identity_id for o in catalogue.in_scene("a")}
    catalogue.merge(front, back)
    catalogue.add([entry("b", [0]), entry("c", [1])], embedding=EMBEDDING)
    assert identities_of(catalogue, "b") == identities_of(catalogue, "c") == [front]


def test_crops_and_preview(filled):
    ids = [o.object_id for o in filled.in_scene("a")]
    jpegs = filled.crops(ids)
    assert set(jpegs) == set(ids)
    assert all(j[:2] == b"\xff\xd8" for j in jpegs.values())
    assert filled.preview("a")[:2] == b"\xff\xd8"
    assert filled.preview("nowhere") is None
    assert filled.crops([10**9]) == {}
