"""Questions: where seen, share of shelf, what is new, what has gone."""

import numpy as np
import pytest

from packed_scenes.catalogue.times import moment
from packed_scenes.data import InputError
from tests.packed_scenes.catalogue.made import EMBEDDING, entry, identities_of


def test_where_has_it_been_seen(filled):
    tea = identities_of(filled, "a")[0]
    filled.rename(tea, "tea")
    found = filled.seen("tea")
    assert [(s.scene, s.key) for s in found] == [("b", "0"), ("a", "0"), ("a", "1")]
    assert found[0].xyxy == (0.0, 5.0, 20.0, 45.0)
    assert filled.seen(tea) == filled.seen(f"#{tea}") == found
    identity = filled.identity("tea")
    assert (identity.n_objects, identity.n_scenes, identity.first_seen[:10], identity.last_seen[:10]) == (
        3, 2, "2026-01-01", "2026-01-08",
    )  # fmt: skip
    assert filled.sightings([found[2].object_id, 10**9, found[0].object_id]) == [found[2], found[0]]


def test_share_of_shelf_by_scene(filled):
    shares = filled.share()
    assert [s.scene for s in shares[:3]] == ["c", "c", "c"]
    for scene in "abc":
        own = [s for s in shares if s.scene == scene]
        assert sum(s.share_count for s in own) == pytest.approx(1)
        assert sum(s.share_area for s in own) == pytest.approx(1)
        assert [s.count for s in own] == sorted((s.count for s in own), reverse=True)
    assert {s.scene for s in filled.share("[ab]")} == {"a", "b"}


def test_what_is_new_and_what_has_gone(filled):
    product = dict(zip((1, 2, 3, 3), identities_of(filled, "c"), strict=True)) | {0: identities_of(filled, "a")[0]}
    assert [i.identity_id for i in filled.new("2026-01-08")] == [product[3], product[2]]
    assert [i.identity_id for i in filled.gone("2026-01-10")] == [product[0]]
    assert filled.gone("2026-01-02", scenes="b") == []
    assert filled.new("2026-02-01") == []
    with pytest.raises(InputError, match="no scene was taken since"):
        filled.gone("2026-02-01")
    with pytest.raises(InputError, match="like 'x'"):
        filled.gone("2026-01-02", scenes="x")


def test_scenes_and_vectors(filled):
    scenes = filled.scenes()
    assert [(s.name, s.n_objects, s.n_identities, s.height) for s in scenes] == [
        ("c", 4, 3, 50),
        ("b", 3, 3, 50),
        ("a", 3, 2, 50),
    ]
    held = filled.vectors()
    assert held.state == filled.state == 3
    assert np.array_equal(held.vector[:3], entry("a", [0, 0, 1]).objects.embedding)
    assert held.identity_id[:3].tolist() == identities_of(filled, "a")
    assert filled.embedding == EMBEDDING


def test_an_empty_catalogue_answers(catalogue):
    assert catalogue.identities() == catalogue.scenes() == catalogue.share() == catalogue.new("7d") == []
    assert catalogue.vectors().vector.shape == (0, 0)
    assert catalogue.embedding is None
    with pytest.raises(InputError, match="no identity"):
        catalogue.identity("tea")


def test_moments():
    from datetime import datetime

    now = datetime(2026, 3, 15, 12)
    assert moment("7d", now=now) == "2026-03-08T12:00:00"
    assert moment(" 2 w", now=now) == "2026-03-01T12:00:00"
    assert moment("2026-03-01") == "2026-03-01T00:00:00"
    assert moment("2026-03-01T10:00+02:00") == "2026-03-01T08:00:00"
    with pytest.raises(InputError, match="is no date"):
        moment("yesterday")
