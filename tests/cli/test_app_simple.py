"""The thin page of ``app --simple``: extracts, clusters and retrieves, run by streamlit's own test runner."""

import io
from importlib import import_module

import numpy as np
import pytest
from PIL import Image

from packed_scenes.web.simple import run
from tests.packed_scenes.conftest import COLOURS, ColourObserver, paint
from tests.packed_scenes.workbench import FIRST, SECOND, colours, png

testing = pytest.importorskip("streamlit.testing.v1")
PAGE = str(run.Path(run.__file__).with_name("page.py"))


def told(page):
    return [block.value for block in (*page.title, *page.caption, *page.subheader, *page.error)]


@pytest.fixture
def page(tmp_path, monkeypatch):
    """The page with a painted sample and models that need no network."""
    (tmp_path / "shelf.jpg").write_bytes(png(paint(FIRST)))
    monkeypatch.setattr("packed_scenes.data.shipped.SAMPLE_FOLDER", tmp_path)

    def observer(_):
        made = ColourObserver()
        made.embedder.embed = colours
        return made

    import_module("packed_scenes.analysis")  # else it would be imported with the stub, and keep it for all tests
    monkeypatch.setattr("packed_scenes.observe.Observer", observer)
    import streamlit

    streamlit.cache_resource.clear()
    yield testing.AppTest.from_file(PAGE, default_timeout=120)
    streamlit.cache_resource.clear()


def test_it_extracts_clusters_and_retrieves(page):
    page.run()
    assert not page.exception
    assert "No photos yet: this is the sample." in told(page)
    page.button[0].click().run()
    assert not page.exception
    assert "11 objects, 4 groups" in told(page)
    assert len(page.dataframe[0].value) == 11
    files = [(f"{n}.png", png(paint(rows)), "image/png") for n, rows in enumerate((FIRST, SECOND))]
    page.file_uploader[0].set_value(files).run()
    assert "11 objects, 4 groups" not in told(page)  # that was the sample
    page.button[0].click().run()
    assert "16 objects, 4 groups" in told(page)
    out = io.BytesIO()
    Image.fromarray(np.full((40, 30, 3), COLOURS[0], np.uint8)).save(out, format="PNG")
    page.file_uploader(key="query").set_value(("query.png", out.getvalue(), "image/png")).run()
    assert not page.exception
    captions = [image.proto.imgs[0].caption for image in page.get("image") or page.get("imgs")]
    assert captions[-8:][:2] == ["distance 0.00", "distance 0.00"], (captions, page.main)


def test_what_cannot_be_read_is_one_line(page):
    page.run()
    page.file_uploader[0].set_value([("bad.png", b"no picture", "image/png")]).run()
    assert not page.exception
    assert any("bad.png" in line for line in told(page))


def test_it_listens_on_this_machine_only(monkeypatch):
    asked = []
    monkeypatch.setattr("streamlit.web.cli.main", lambda: asked.extend(run.sys.argv))
    monkeypatch.setattr(run.sys, "argv", ["packed-scenes"])
    run.run_simple(port=8599, max_upload=7)
    assert asked[:2] == ["streamlit", "run"]
    assert {"--server.address=127.0.0.1", "--server.port=8599", "--server.maxUploadSize=7"} <= set(asked)
    assert {"--server.enableXsrfProtection=true", "--server.enableStaticServing=false"} <= set(asked)
    assert {"--browser.gatherUsageStats=false", "--client.showErrorDetails=none"} <= set(asked)
