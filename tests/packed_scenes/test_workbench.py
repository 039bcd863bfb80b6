"""The state behind the web app, on painted squares: no network is needed."""

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from packed_scenes.analysis import analyze
from packed_scenes.data import InputError, Scene
from packed_scenes.observe import Stage
from packed_scenes.web import downloads
from packed_scenes.web.lookup import ask, searcher
from packed_scenes.web.uploads import Caps, read_one, read_uploads
from packed_scenes.web.webdata import atlas, crop, groups, picture, png, project, scene_data
from packed_scenes.web.workbench import Workbench
from tests.packed_scenes.conftest import paint

ROWS = [[0, 0, 1, 1], [2, 2, 2, 3], [0, None, 1, 1]]


@pytest.fixture
def bench(observer):
    scenes = [Scene(paint(ROWS), "first"), Scene(paint([[3, 0], [1, None]]), "second")]
    return Workbench(analyze(scenes, observer=observer), card=observer.embedder.card)


def encoded(image, form="PNG"):
    out = io.BytesIO()
    Image.fromarray(image).save(out, format=form)
    return out.getvalue()


def test_the_view_follows_the_edits_and_is_kept_while_nothing_changes(bench):
    view = bench.view()
    assert bench.view() is view
    assert len(bench.grouping.clusters) == 4
    assert bench.scene_of(0) == 0
    assert bench.scene_of(len(bench.vectors) - 1) == 1
    bench.merge(bench.grouping.clusters[:2])
    assert len(bench.grouping.clusters) == 3
    assert bench.view() is not view
    bench.undo()
    assert bench.view().parts[0] == view.parts[0]
    bench.redo()
    assert len(bench.grouping.clusters) == 3


def test_threshold_regroups_and_the_same_threshold_gives_the_same_numbers(bench):
    start, before = bench.grouping.threshold, bench.grouping.cluster
    bench.set_threshold(1.5)
    assert len(bench.grouping.clusters) == 1
    bench.set_threshold(1.4)
    assert len(bench.history.past) == 1  # the slider makes one step
    bench.set_threshold(start)
    assert bench.grouping.cluster.tolist() == before.tolist()


def test_named_groups_stay_when_the_threshold_moves(bench):
    bench.rename(0, "Red")
    members = np.flatnonzero(bench.grouping.cluster == 0)
    bench.set_threshold(1.5)
    assert np.flatnonzero(bench.grouping.cluster == 0).tolist() == members.tolist()
    assert len(bench.grouping.clusters) == 2


def test_reach_joins_places(bench):
    bench.reach = 0.0
    apart = sum(len(found) for found in bench.view().congregations)
    bench.reach = 3.0
    assert sum(len(found) for found in bench.view().congregations) < apart


def test_a_failed_edit_changes_nothing(bench):
    history = bench.history
    with pytest.raises(InputError):
        bench.merge([0, 99])
    assert bench.history is history


def test_move_split_and_result(bench):
    target = bench.move([0, 1], None)
    assert bench.grouping.cluster[[0, 1]].tolist() == [target, target]
    bench.split(target)
    assert bench.grouping.cluster[0] != bench.grouping.cluster[1]
    result = bench.result()
    assert result.clustering["n_clusters"] == len(bench.grouping.clusters)
    assert result.clustering["edits"] == ["2 objects moved to Group 4", "Group 4 split"]
    assert result.scenes[0].objects.cluster.tolist() == bench.grouping.cluster[:11].tolist()


def test_nothing_found_is_fine(observer):
    empty = Workbench(analyze(paint([[None, None]]), observer=observer), card=observer.embedder.card)
    assert empty.view().congregations == [[]]
    assert groups(empty, empty.view()) == []
    assert scene_data(empty, empty.view(), 0)["objects"] == []
    assert atlas(empty)[2] == 1
    assert json.loads(downloads.coco(empty))["annotations"] == []
    empty.set_threshold(0.5)
    with pytest.raises(InputError):
        searcher(empty)


def test_what_the_browser_gets(bench):
    view = bench.view()
    data = json.loads(json.dumps(scene_data(bench, view, 1)))
    assert [o["i"] for o in data["objects"]] == [11, 12, 13]
    assert data["width"] == 60
    assert all(c["d"].startswith("M") and c["d"].endswith("Z") for c in data["congregations"])
    found = groups(bench, view)
    assert [g["n"] for g in found] == sorted((g["n"] for g in found), reverse=True)
    content, cell, columns = atlas(bench)
    with Image.open(io.BytesIO(content)) as sheet:
        assert sheet.size == (columns * cell, -(-14 // columns) * cell)
        middle = np.asarray(sheet.convert("RGB"))[cell // 2, cell // 2]
    assert np.abs(middle.astype(int) - [230, 30, 30]).max() < 30  # the first object is red
    for content in (crop(bench, 13), picture(bench.image(0)), picture(bench.image(0), side=50), png(bench.image(0))):
        Image.open(io.BytesIO(content)).verify()


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 30])
def test_projection_has_its_shape_and_range(dimensions, count):
    vectors = np.random.default_rng(0).normal(size=(count, 8)).astype(np.float32)
    flat = project(vectors, dimensions=dimensions)
    assert flat.shape == (count, dimensions)
    assert np.isfinite(flat).all()
    assert np.abs(flat).max(initial=0) <= 1 + 1e-6


def test_projection_refuses_umap_of_a_few():
    with pytest.raises(InputError):
        project(np.eye(3, dtype=np.float32), how="umap")


def test_downloads_have_names_and_no_formulas(bench):
    bench.rename(0, "=1+1")
    lines = downloads.objects_table(bench).decode().splitlines()
    assert len(lines) == 15
    assert "'=1+1" in downloads.objects_table(bench).decode()
    coco = json.loads(downloads.coco(bench))
    assert len(coco["annotations"]) == 14
    assert "=1+1" in {c["name"] for c in coco["categories"]}
    assert b"<script" not in downloads.report_page(bench, 0)
    for content in (downloads.overlay(bench, 0), downloads.contact_sheet(bench)):
        assert content.startswith(b"\x89PNG")


def test_names_go_into_the_catalogue(bench, tmp_path):
    from packed_scenes.catalogue import Catalogue

    kept = Catalogue.create(tmp_path / "kept")
    bench.rename(1, "Green")
    added = downloads.add_named(bench, kept)
    assert added.n_objects == 14
    members = int((bench.grouping.cluster == 1).sum())
    assert kept.identity("Green").n_objects == members
    assert downloads.add_named(bench, kept).scenes == ()  # they are there already


def test_search_finds_the_own_group_or_says_new(bench):
    bench.rename(2, "Blue")
    there = searcher(bench)
    row = int(np.flatnonzero(bench.grouping.cluster == 2)[0])
    answer = ask(there, bench.vectors[row], top=3)
    assert (answer.identity, answer.name) == (2, "Blue")
    assert len(answer.hits) == 3
    grey = np.ones(3, np.float32) / np.sqrt(3)
    assert ask(there, grey.astype(np.float32)).is_new


def test_uploads_are_capped_and_named():
    good, small = encoded(paint(ROWS)), np.zeros((30, 30, 3), np.uint8)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a/inside.png", good)
        archive.writestr("notes.txt", "no picture")
    evil = io.BytesIO()
    with zipfile.ZipFile(evil, "w") as archive:
        archive.writestr("../out.png", good)
    files = [
        ("good.png", good),
        ("pack.zip", packed.getvalue()),
        ("evil.zip", evil.getvalue()),
        ("bad.jpg", b"not a picture"),
        ("empty.png", b""),
        ("..\\..\\x.png", encoded(small)),
    ]
    scenes, errors = read_uploads(files)
    assert [s.name for s in scenes] == ["good", "inside", "x"]
    assert [name for name, _ in errors] == ["evil.zip", "bad.jpg", "empty.png"]
    assert all(reason for _, reason in errors)
    scenes, errors = read_uploads(files[:2], caps=Caps(pictures=1))
    assert (len(scenes), len(errors)) == (1, 1)
    scenes, errors = read_uploads(files[:1], caps=Caps(picture_pixels=100))
    assert (len(scenes), len(errors)) == (0, 1)
    with pytest.raises(InputError):
        read_one("x.png", good, caps=Caps(picture_pixels=100))


def test_an_observer_reports_each_stage_in_order(observer, monkeypatch):
    from types import SimpleNamespace

    from packed_scenes.observe import Observer
    from packed_scenes.settings import Settings
    from tests.packed_scenes.conftest import squares

    models = Observer(Settings())
    info = SimpleNamespace(to_json=dict, warnings=("watch out",))
    detector = SimpleNamespace(detect_with_info=lambda image: (squares(image), info), weights_hash="d")
    embedder = SimpleNamespace(
        card={}, weights_hash="e", dimension=3,
        embed=lambda image, boxes: observer.observe(Scene(image, "one")).objects.embedding,
    )  # fmt: skip
    vars(models).update(detector=detector, embedder=embedder)
    heard = []
    told = Observer(models.settings, models=models, report=lambda stage, scene: heard.append((stage, scene)))
    result = analyze([Scene(paint(ROWS), "one")], observer=told, progress=told.track)
    assert heard == [(Stage.LOAD, ""), (Stage.DETECT, "one"), (Stage.EMBED, "one"), (Stage.GROUP, "")]
    assert result.scenes[0].warnings == ("watch out",)
    assert {"detect", "embed"} <= set(result.scenes[0].seconds)
