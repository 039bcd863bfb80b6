"""The web app's logic through streamlit's own test harness; the models are stubs, so every run takes milliseconds."""

import io
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from packed_scenes.data import Objects
from packed_scenes.observe import Observer
from packed_scenes.settings import Settings
from tests.packed_scenes.conftest import paint, squares

ROOT = Path(__file__).resolve().parents[2]
MAIN = ROOT / "packed_scenes" / "web" / "main.py"
ROWS = [[0, 0, 1, 1], [2, 2, 2, 3], [0, None, 1, 1]]
CALIBRATION = {"calibration": {"threshold": 0.05}}


def colours(image, boxes):
    centre = np.asarray(boxes).reshape(-1, 4)
    at = ((centre[:, :2] + centre[:, 2:]) / 2).astype(int)
    vectors = image[at[:, 1], at[:, 0]].astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def detect(image):
    found = squares(image) if not image.shape[0] % 30 else Objects.empty()
    return found, SimpleNamespace(to_json=dict, warnings=())


@pytest.fixture
def app(monkeypatch):
    """The app with stub models, freshly opened."""
    from packed_scenes.web import photos, session

    models = Observer(Settings())
    vars(models).update(
        detector=SimpleNamespace(detect_with_info=detect, weights_hash="d"),
        embedder=SimpleNamespace(card=CALIBRATION, weights_hash="e", dimension=3, embed=colours),
    )
    lock = threading.Lock()
    monkeypatch.setattr(session, "models", lambda: (models, lock))
    monkeypatch.delenv("PACKED_SCENES_CATALOGUE", raising=False)
    assert photos.session is session
    return AppTest.from_file(MAIN, default_timeout=60).run()


def png(image):
    out = io.BytesIO()
    Image.fromarray(image).save(out, format="PNG")
    return out.getvalue()


def upload(app, *files):
    app.file_uploader[0].set_value([(name, content, "image/png") for name, content in files]).run()
    return app.button(key="start").click().run()


def go(app, page):
    return app.segmented_control(key="page").set_value(page).run()


@pytest.fixture
def loaded(app):
    """The app with one painted photo."""
    upload(app, ("squares.png", png(paint(ROWS))))
    assert not app.exception
    return app


def texts(app):
    kinds = (app.markdown, app.caption, app.subheader, app.error, app.warning, app.info, app.success)
    return " ".join(str(e.value) for kind in kinds for e in kind)


def bench(app):
    return app.session_state["bench"]


def test_it_opens_empty_and_says_what_to_do(app):
    assert not app.exception
    assert app.button(key="start").disabled
    for page in ("Scene", "Groups", "Map", "Search", "Report"):
        go(app, page)
        assert not app.exception
        assert "No photos yet" in texts(app)


def test_an_upload_is_analysed_and_the_scene_opens(loaded):
    assert loaded.session_state["page"] == "Scene"
    assert len(bench(loaded).vectors) == 11
    assert loaded.slider(key="threshold").value == pytest.approx(bench(loaded).grouping.threshold, abs=0.006)


def test_bad_uploads_are_named_and_good_ones_go_on(app):
    upload(app, ("broken.png", b"nothing"))
    assert "broken" in texts(app)
    assert app.session_state["bench"] is None
    upload(app, ("broken.png", b"nothing"), ("squares.png", png(paint(ROWS))))
    assert len(bench(app).names) == 1
    go(app, "Photos")
    assert "broken" in texts(app)


def test_a_photo_without_objects_is_explained(app):
    upload(app, ("grey.png", png(np.full((40, 41, 3), 90, np.uint8))))
    for page in ("Scene", "Groups", "Map", "Search", "Report"):
        go(app, page)
        assert not app.exception
        assert "No objects found" in texts(app)


def test_sliders_regroup_and_undo_brings_the_slider_back(loaded):
    before = bench(loaded).grouping.cluster.tolist()
    loaded.slider(key="threshold").set_value(0.8).run()
    assert not loaded.exception
    assert len(bench(loaded).grouping.clusters) < 4
    loaded.slider(key="reach").set_value(2.0).run()
    assert bench(loaded).reach == 2.0
    loaded.button(key="undo").click().run()
    assert bench(loaded).grouping.cluster.tolist() == before
    assert loaded.slider(key="threshold").value == pytest.approx(bench(loaded).grouping.threshold, abs=0.006)


def test_rename_merge_split_move_undo_redo(loaded):
    go(loaded, "Groups")
    loaded.session_state["chosen"] = {"groups": [0], "rows": []}
    loaded.run()
    loaded.text_input(key="rename_0").set_value("Red <b>*tea*").run()
    assert bench(loaded).grouping.names == {0: "Red <b>*tea*"}
    named(loaded, "Split in two").click().run()
    assert len(bench(loaded).grouping.clusters) == 5
    assert loaded.session_state["chosen"] == {"groups": [], "rows": []}
    loaded.session_state["chosen"] = {"groups": [1, 2], "rows": []}
    loaded.run()
    named(loaded, "Merge 2 groups").click().run()
    assert len(bench(loaded).grouping.clusters) == 4
    loaded.session_state["chosen"] = {"groups": [], "rows": [7]}
    loaded.run()
    named(loaded, "Move").click().run()
    assert not loaded.exception
    steps = len(bench(loaded).history.past)
    assert steps == 4 or (steps == 3 and loaded.error)  # row 7 may be alone: then it cannot become a new group
    while bench(loaded).history.past:
        loaded.button(key="undo").click().run()
    assert bench(loaded).grouping.names == {}
    assert loaded.button(key="undo").disabled
    loaded.button(key="redo").click().run()
    assert bench(loaded).grouping.names == {0: "Red <b>*tea*"}


def test_an_edit_that_cannot_be_done_is_said_and_changes_nothing(loaded):
    bench(loaded).rename(1, "Tea")
    go(loaded, "Groups")
    loaded.session_state["chosen"] = {"groups": [0], "rows": []}
    loaded.run()
    loaded.text_input(key="rename_0").set_value("Tea").run()
    assert "another group is called" in texts(loaded).lower()
    assert bench(loaded).grouping.names == {1: "Tea"}


def named(app, label):
    return next(b for b in app.button if b.label == label)


def test_the_map_in_two_and_three_dimensions(loaded):
    go(loaded, "Map")
    loaded.segmented_control(key="map_dimensions").set_value("3-D").run()
    assert not loaded.exception
    assert {shape.shape[1] for shape in loaded.session_state["projections"].values()} == {2, 3}


def test_search_by_box_and_by_upload(loaded):
    go(loaded, "Search")
    assert "Nothing asked yet" in texts(loaded)
    loaded.session_state["box"] = [5.0, 5.0, 25.0, 25.0]
    loaded.session_state["box_scene"] = 0
    loaded.run()
    assert not loaded.exception
    assert "This is **Group 1**" in texts(loaded) or "This is **Group 0**" in texts(loaded)
    loaded.segmented_control(key="search_by").set_value("A picture of it").run()
    loaded.file_uploader(key="query_file").set_value(("q.png", png(np.full((20, 20, 3), 200, np.uint8)), "image/png"))
    loaded.run()
    assert not loaded.exception
    assert "This is new" in texts(loaded)
    loaded.file_uploader(key="query_file").set_value(("q.png", b"no", "image/png")).run()
    assert not loaded.exception
    assert loaded.error


def test_search_in_an_empty_and_in_a_filled_catalogue(loaded):
    bench(loaded).rename(0, "Red tea")
    go(loaded, "Search")
    loaded.session_state["box"], loaded.session_state["box_scene"] = [5.0, 5.0, 25.0, 25.0], 0
    loaded.segmented_control(key="search_in").set_value("The catalogue").run()
    assert "The catalogue is empty" in texts(loaded)
    go(loaded, "Report")
    loaded.segmented_control(key="report_part").set_value("Catalogue").run()
    assert "The catalogue is empty" in texts(loaded)
    loaded.button(key="add_to_catalogue").click().run()
    assert not loaded.exception
    loaded.button(key="add_to_catalogue").click().run()
    assert "already" in texts(loaded)
    loaded.text_input(key="catalogue_name").set_value("Kept name").run()
    assert not loaded.exception
    go(loaded, "Search")
    loaded.segmented_control(key="search_in").set_value("The catalogue").run()
    assert not loaded.exception
    assert "This is" in texts(loaded)


def test_report_plan_and_downloads(loaded):
    go(loaded, "Report")
    assert not loaded.exception
    plan = b"row,position,product\n1,1,0\n9,1,unknown\n"
    loaded.file_uploader(key="plan_file").set_value(("plan.csv", plan, "text/csv")).run()
    assert not loaded.exception
    assert "missing" in texts(loaded)
    loaded.file_uploader(key="plan_file").set_value(("plan.csv", b"\xff\xfe\x00", "text/csv")).run()
    assert "UTF-8" in texts(loaded)
    loaded.segmented_control(key="report_part").set_value("Downloads").run()
    assert not loaded.exception
    assert len(loaded.download_button) == 5


def test_two_visits_share_nothing(loaded):
    other = AppTest.from_file(MAIN, default_timeout=60).run()
    assert other.session_state["bench"] is None
    go(loaded, "Report")
    loaded.segmented_control(key="report_part").set_value("Catalogue").run()
    loaded.button(key="add_to_catalogue").click().run()
    upload(other, ("squares.png", png(paint(ROWS))))
    go(other, "Report")
    other.segmented_control(key="report_part").set_value("Catalogue").run()
    assert "The catalogue is empty" in texts(other)


def test_help_is_quick_to_read_and_names_the_options():
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "app.py"), "--help"], capture_output=True, text=True, check=True
    )
    assert "--catalogue" in done.stdout
    assert "localhost" in done.stdout
