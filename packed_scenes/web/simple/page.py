"""What streamlit runs: photos in, objects and groups out, and a search by a crop."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import streamlit as st

from packed_scenes.analysis import analyze
from packed_scenes.data.errors import InputError
from packed_scenes.data.images import decode_image
from packed_scenes.data.scene import Scene
from packed_scenes.data.shipped import SAMPLE_FOLDER
from packed_scenes.observe import Observer
from packed_scenes.results import Analysis
from packed_scenes.settings import Settings

PIXELS = 50_000_000
SHOWN = 12  # photos shown before they are analysed
TYPES = ["jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff"]


@st.cache_resource(show_spinner=False)
def models() -> tuple[Observer, threading.Lock]:
    """Return the models, loaded once, and the lock that lets one analysis run at a time."""
    return Observer(Settings()), threading.Lock()


def show() -> None:
    """Draw the page."""
    st.set_page_config(page_title="Packed Scenes", layout="wide")
    st.title("Packed Scenes")
    st.caption("Extract, cluster, retrieve. To correct, name and keep the result, use packed-scenes app.")
    files = st.file_uploader("Photos", type=TYPES, accept_multiple_files=True)
    try:
        scenes = [Scene(decode_image(f.getvalue(), name=f.name, max_pixels=PIXELS), f"photo {n}")
                  for n, f in enumerate(files, start=1)]  # fmt: skip
        if not scenes:
            scenes = [Scene.from_file(SAMPLE_FOLDER / "shelf.jpg")]
            st.caption("No photos yet: this is the sample.")
        chosen = [(f.name, f.size) for f in files]
        if st.session_state.get("chosen") != chosen:  # what was found belongs to other photos
            st.session_state["chosen"], st.session_state["result"] = chosen, None
        if st.button("Extract and cluster", type="primary"):
            with st.spinner("Finding and grouping objects"):
                observer, lock = models()
                with lock:
                    st.session_state["result"] = analyze(scenes, observer=observer)
        result = st.session_state["result"]
        if result is None:
            for scene in scenes[:SHOWN]:
                st.image(scene.image, width=640)
        else:
            _result(result)
            _retrieve(result)
    except InputError as error:
        st.error(f"`{error}`")


def _result(result: Analysis) -> None:
    st.subheader(f"{sum(len(s.objects) for s in result.scenes)} objects, {result.clustering['n_clusters']} groups")
    for scene in result.scenes:
        st.image(result.overlay(scene.name))
    st.dataframe(result.table(), height=260)


def _retrieve(result: Analysis) -> None:
    st.subheader("Retrieve")
    query = st.file_uploader("A picture of one object, cut closely", type=TYPES, key="query")
    if query is None:
        return
    image = decode_image(query.getvalue(), name=query.name, max_pixels=PIXELS)
    observer, lock = models()
    with lock:
        vector = observer.embedder.embed(image, np.array([[0, 0, image.shape[1], image.shape[0]]], np.float64))[0]
    found: list[tuple[float, Any]] = []
    for scene in result.scenes:
        assert scene.objects.embedding is not None
        picture = result.pictures.get(scene.source).image
        similarity = scene.objects.embedding @ vector
        for k in np.argsort(-similarity)[:8].tolist():
            x1, y1, x2, y2 = scene.objects.xyxy[k].astype(int).tolist()
            found.append((float(similarity[k]), picture[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]))
    with st.container(horizontal=True):
        for similarity, crop in sorted(found, key=lambda item: -item[0])[:8]:
            st.image(crop, width=110, caption=f"distance {max(0.0, 1 - similarity):.2f}")


show()
