"""The composition: rows stay aligned, identities are joint, one bad picture never stops a folder, runs resume."""

import json

import numpy as np
import pandas as pd
import pytest

from packed_scenes import analyze
from packed_scenes.data import InputError, Objects, read_image
from packed_scenes.data.images import write_image
from tests.packed_scenes.conftest import paint, squares

TWO_ROWS = [[0, 0, None, 1], [2, None, 0, 1]]


def partition(labels):
    """Labels up to their names."""
    return [list(labels).index(label) for label in labels]


def test_colours_become_identities(observer):
    result = analyze(paint(TWO_ROWS), observer=observer)
    (scene,) = result.scenes
    assert partition(scene.objects.cluster) == [0, 0, 2, 3, 0, 2]
    assert scene.size == (60, 120)


def test_identities_are_joint_over_scenes(observer, tmp_path):
    write_image(tmp_path / "a.png", paint([[0, 1]]))
    write_image(tmp_path / "b.png", paint([[1, 0]]))
    a, b = analyze(tmp_path, observer=observer).scenes
    assert a.objects.cluster[0] == b.objects.cluster[1]
    assert a.objects.cluster[1] == b.objects.cluster[0]


def test_given_boxes_keep_their_ids_and_order(observer):
    image = paint(TWO_ROWS)
    found = squares(image)
    order = np.array([4, 2, 0, 5, 1, 3])
    ids = np.array([f"id{i}" for i in range(6)])
    given = Objects.from_boxes(found.xyxy[order], object_id=ids)
    (scene,) = analyze(image, boxes=given, observer=observer).scenes
    assert list(scene.objects.object_id) == list(ids)
    assert np.array_equal(scene.objects.xyxy, found.xyxy[order])
    (plain,) = analyze(image, observer=observer).scenes
    assert partition(scene.objects.cluster) == partition(plain.objects.cluster[order])


def test_boxes_without_a_picture_name_need_one_picture(observer, tmp_path):
    write_image(tmp_path / "a.png", paint([[0, 1]]))
    write_image(tmp_path / "b.png", paint([[1, 0]]))
    with pytest.raises(InputError, match="2 pictures"):
        analyze(tmp_path, boxes=Objects.from_boxes([[0, 0, 9, 9]]), observer=observer)


def test_a_bad_picture_is_left_out_and_said(observer, tmp_path):
    write_image(tmp_path / "good.png", paint([[0, 1]]))
    (tmp_path / "bad.jpg").write_bytes(b"")
    result = analyze(tmp_path, observer=observer)
    assert [s.name for s in result.scenes] == ["good"]
    assert result.errors[0][0].endswith("bad.jpg")
    out = result.save(tmp_path / "out")
    assert pd.read_csv(out / "errors.csv")["file"].tolist() == [result.errors[0][0]]


def test_only_bad_pictures_is_an_error(observer, tmp_path):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"no picture")
    with pytest.raises(InputError, match="none of the 2 pictures"):
        analyze(tmp_path, observer=observer)
    with pytest.raises(InputError, match=r"a\.jpg"):
        analyze(tmp_path / "a.jpg", observer=observer)


def test_a_scene_with_nothing_in_it_is_fine(observer, tmp_path):
    result = analyze([paint([[None, None]]), paint([[0, 0]])], observer=observer)
    assert [len(s.objects) for s in result.scenes] == [0, 2]
    out = result.save(tmp_path)
    assert len(pd.read_parquet(out / "objects.parquet")) == 2
    alone = analyze(paint([[None]]), observer=observer).save(tmp_path / "alone")
    assert (alone / "scene" / "overlay.jpg").exists()


def test_the_run_folder_keeps_its_contract(observer, tmp_path):
    image = paint(TWO_ROWS)
    write_image(tmp_path / "shelf.png", image)
    result = analyze(tmp_path / "shelf.png", observer=observer)
    out = result.save(tmp_path / "run")
    table = pd.read_csv(out / "shelf" / "objects.csv", dtype={"object_id": str, "congregation": str})
    assert list(table) == ["object_id", "x1", "y1", "x2", "y2", "score", "cluster", "probability", "congregation"]
    assert table["object_id"].tolist() == list(result.scenes[0].objects.object_id)
    places = json.loads((out / "shelf" / "congregations.json").read_text())
    assert {"cluster", "index", "label", "bbox", "object_ids"} <= set(places[0])
    members = [member for place in places for member in place["object_ids"]]
    assert sorted(members) == sorted(table["object_id"])
    labels = {member: place["label"] for place in places for member in place["object_ids"]}
    assert table["congregation"].tolist() == [labels[i] for i in table["object_id"]]
    assert read_image(out / "shelf" / "overlay.jpg").shape == image.shape
    assert read_image(out / "clusters.png").ndim == 3
    record = json.loads((out / "run.json").read_text())
    assert {"settings", "versions", "seed", "weights_sha256", "seconds", "counts", "warnings"} <= set(record)
    assert record["counts"]["objects"] == 6
    stored = pd.read_parquet(out / "objects.parquet")
    assert np.allclose(np.stack(stored["embedding"]), result.scenes[0].objects.embedding)


def test_the_same_input_gives_the_same_bytes(observer, tmp_path):
    image = paint(TWO_ROWS)
    first, second = (analyze(image, observer=observer).save(tmp_path / name) for name in "ab")
    for file in ("objects.csv", "congregations.json", "overlay.jpg"):
        assert (first / "scene" / file).read_bytes() == (second / "scene" / file).read_bytes()
    assert (first / "clusters.png").read_bytes() == (second / "clusters.png").read_bytes()


def test_what_was_seen_is_not_seen_again(observer, tmp_path):
    write_image(tmp_path / "a.png", paint([[0, 1]]))
    write_image(tmp_path / "b.png", paint([[1, 0]]))
    first = analyze(tmp_path, observer=observer, stage=tmp_path / "seen")
    assert observer.calls == 2
    write_image(tmp_path / "b.png", paint([[0, 0]]))
    again = analyze(tmp_path, observer=observer, stage=tmp_path / "seen")
    assert observer.calls == 3
    assert again.scenes[0].objects.object_id.tolist() == first.scenes[0].objects.object_id.tolist()


def test_an_unknown_scene_is_named(observer):
    result = analyze(paint([[0, 1]]), observer=observer)
    assert result.overlay("scene").shape == (30, 60, 3)
    with pytest.raises(InputError, match="no scene named 'x'"):
        result.overlay("x")
