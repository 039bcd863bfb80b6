"""Searching a catalogue and a run: distance, scene, box, identity; known or new; queries from files."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from packed_scenes import analyze
from packed_scenes.catalogue import Catalogue, Embedding
from packed_scenes.data import InputError
from packed_scenes.data.images import write_image
from packed_scenes.retrieval import Query, Searcher, embed_queries, read_queries
from packed_scenes.retrieval.query import load_embedder, parse_box
from tests.packed_scenes.catalogue.made import EMBEDDING, crop_vectors, entry, identities_of
from tests.packed_scenes.conftest import COLOURS, ColourObserver, paint


@pytest.fixture
def catalogue(tmp_path, monkeypatch):
    monkeypatch.setattr("packed_scenes.catalogue.store.SYNCHRONOUS", "OFF")
    there = Catalogue.create(tmp_path / "catalogue")
    there.add([entry("a", [0, 0, 1]), entry("b", [1, 2])], embedding=EMBEDDING)
    return there


def test_hits_say_where_and_whose(catalogue):
    tea = identities_of(catalogue, "a")[2]
    catalogue.rename(tea, "tea")
    known, new = Searcher.from_catalogue(catalogue).search(crop_vectors([1, 7], seed=9), top=3)
    assert (known.identity, known.name, known.is_new) == (tea, "tea", False)
    assert {(h.scene, h.identity, h.name) for h in known.hits[:2]} == {("a", tea, "tea"), ("b", tea, "tea")}
    assert known.hits[0].xyxy in {(60, 5, 80, 45), (0, 5, 20, 45)}
    assert known.distance == known.hits[0].distance < 0.1 < known.hits[2].distance
    assert (new.identity, new.is_new, len(new.hits)) == (None, True, 3)
    assert new.to_json()["new"] is True


def test_edits_after_loading_are_seen_in_the_names(catalogue):
    searcher = Searcher.from_catalogue(catalogue)
    one, two = identities_of(catalogue, "a")[0], identities_of(catalogue, "a")[2]
    catalogue.merge(two, one)
    catalogue.rename(two, "both")
    assert searcher.state < catalogue.state
    (answer,) = searcher.search(crop_vectors([0], seed=9))
    assert (answer.identity, answer.name) == (two, "both")
    catalogue.remove("a")
    (answer,) = searcher.search(crop_vectors([0], seed=9), top=2)
    assert (answer.identity, answer.hits) == (None, ())


def test_a_run_folder(tmp_path):
    result = analyze(paint([[0, 0, 1], [2, None, 1]]), observer=ColourObserver())
    searcher = Searcher.from_run(result.save(tmp_path / "run"))
    colour = COLOURS[1] / np.linalg.norm(COLOURS[1].astype(float))
    (answer,) = searcher.search(colour[None].astype(np.float32), top=2)
    (scene,) = result.scenes
    assert answer.identity == scene.objects.cluster[2]
    assert {h.xyxy for h in answer.hits} == {(65, 5, 85, 25), (65, 35, 85, 55)}
    assert searcher.embedding.weights == "0" * 64


def test_noise_of_a_run_names_nobody(tmp_path):
    result = analyze(paint([[0, 0, 1]]), observer=ColourObserver())
    (scene,) = result.scenes
    objects = scene.objects.replace(cluster=np.array([0, 0, -1]), congregation=np.array([0, 0, -1]))
    kept = [c for c in scene.congregations if c.cluster == 0]
    noisy = replace(result, scenes=(replace(scene, objects=objects, congregations=kept),))
    searcher = Searcher.from_run(noisy.save(tmp_path / "run"))
    red, green = searcher.search(scene.objects.embedding[[0, 2]], top=1)
    assert (red.identity, green.identity) == (0, None)
    assert green.hits[0].identity is None


def test_an_analysis_in_the_catalogue_is_found_again(tmp_path):
    write_image(tmp_path / "one.png", paint([[0, 0, 1]]))
    write_image(tmp_path / "two.png", paint([[1, 2, 2]]))
    there = Catalogue.create(tmp_path / "catalogue")
    first = there.add_analysis(analyze(tmp_path / "one.png", observer=ColourObserver()))
    second = there.add_analysis(analyze(tmp_path / "two.png", observer=ColourObserver()))
    assert (len(first.known), len(first.new)) == (0, 2)
    assert (second.known, len(second.new)) == ((identities_of(there, "one")[2],), 1)
    again = there.add_analysis(analyze(tmp_path / "one.png", observer=ColourObserver()))
    assert again.warnings == ["one is in the catalogue already, as one; it was left as it is"]
    assert there.crops([1])[1][:2] == b"\xff\xd8"
    assert there.scenes()[0].source == str((tmp_path / "two.png").resolve())
    with pytest.raises(InputError, match="same embedder"):
        there.add([entry("z", [0])], embedding=EMBEDDING)


def test_what_cannot_be_searched(tmp_path):
    with pytest.raises(InputError, match=r"empty\. Add photos: packed-scenes analyze"):
        Searcher.from_catalogue(Catalogue.create(tmp_path / "c"))
    with pytest.raises(InputError, match="no run here"):
        Searcher.from_run(tmp_path)
    (tmp_path / "objects.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="cannot be read"):
        Searcher.from_run(tmp_path)


class MeanColour:
    """The mean colour of a crop as its vector."""

    dimension = 3

    def embed_crops(self, crops):
        rows = np.array([c.reshape(-1, 3).mean(0) for c in crops], np.float32).reshape(-1, 3)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def embed(self, image, xyxy):
        return self.embed_crops([image[y1:y2, x1:x2] for x1, y1, x2, y2 in np.asarray(xyxy, int)])


def test_queries_of_files(tmp_path):
    write_image(tmp_path / "a.png", paint([[0]])[5:25, 5:25])
    write_image(tmp_path / "b.png", paint([[1]])[5:25, 5:25])
    (tmp_path / "c.png").write_bytes(b"not a picture")
    queries = read_queries(tmp_path)
    assert [q.path.name for q in queries] == ["a.png", "b.png", "c.png"]
    good, vectors, errors = embed_queries(queries, MeanColour())
    assert [q.path.name for q in good] == ["a.png", "b.png"]
    assert np.allclose(vectors[0], COLOURS[0] / np.linalg.norm(COLOURS[0].astype(float)), atol=1e-6)
    assert errors[0][0].endswith("c.png")
    with pytest.raises(InputError, match="no picture"):
        embed_queries(read_queries(tmp_path / "c.png"), MeanColour())


def test_queries_of_boxes(tmp_path):
    write_image(tmp_path / "scene.png", paint([[0, 1]]))
    boxes = [parse_box("35,5,55,25"), parse_box(" 5, 5, 25, 25")]
    good, vectors, _ = embed_queries(read_queries(tmp_path / "scene.png", boxes), MeanColour())
    assert good == [Query(tmp_path / "scene.png", box) for box in boxes]
    assert vectors[0].argmax() == 1
    assert vectors[1].argmax() == 0
    with pytest.raises(InputError, match="this is a folder"):
        read_queries(tmp_path, boxes)
    with pytest.raises(InputError, match="no such file"):
        read_queries(tmp_path / "absent.png")


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,x", "5,5,5,9", "0,0,nan,1"])
def test_bad_boxes(text):
    with pytest.raises(InputError, match="box"):
        parse_box(text)


def test_changed_weights_are_refused(monkeypatch):
    monkeypatch.setattr("packed_scenes.embed.Embedder.load", lambda name, device: SimpleNamespace(weights_hash="new"))
    assert load_embedder(Embedding("default", "new")).weights_hash == "new"
    with pytest.raises(InputError, match="other weights"):
        load_embedder(Embedding("default", "old"))


@pytest.mark.slow
def test_the_crops_of_a_count(tmp_path):
    from packed_scenes.cli import count

    rng = np.random.default_rng(0)
    for who, colour in enumerate(([200, 30, 30], [30, 200, 30], [30, 30, 200])):
        for number in range(3):
            picture = np.clip(np.array(colour) + rng.normal(0, 4, (40, 30, 3)), 0, 255).astype(np.uint8)
            write_image(tmp_path / "crops" / f"{who}_{number}.png", picture)
    arguments = [str(tmp_path / "crops"), "--embedder", "colour", "--folders", "none", "--out", str(tmp_path / "run")]
    assert CliRunner().invoke(count.app, arguments).exit_code == 0
    searcher = Searcher.from_run(tmp_path / "run")
    _, vectors, _ = embed_queries(
        read_queries(tmp_path / "crops" / "1_0.png"), load_embedder(searcher.embedding, device="cpu")
    )
    (answer,) = searcher.search(vectors, top=3)
    assert {hit.scene for hit in answer.hits} == {"1_0.png", "1_1.png", "1_2.png"}
    assert answer.hits[0].xyxy == (0, 0, 30, 40)
    assert answer.hits[0].distance == pytest.approx(0, abs=1e-3)
    (tmp_path / "run" / "run.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be read"):
        Searcher.from_run(tmp_path / "run")
