"""Journey 5: search by an upload, or by a box or an object on the photo."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE
from packed_scenes.retrieval.hits import Answer
from packed_scenes.web import session
from packed_scenes.web.lookup import ask, searcher
from packed_scenes.web.scene import choose_scene, draw_scene
from packed_scenes.web.session import bench
from packed_scenes.web.uploads import read_one
from packed_scenes.web.webdata import crop, picture

HERE, CATALOGUE = "These photos", "The catalogue"
PHOTO, FILE = "Something on the photo", "A picture of it"


def search_page() -> None:
    """Draw the page."""
    wide, narrow = st.columns([6, 4], gap="medium")
    with wide:
        with st.container(horizontal=True, gap="medium"):
            by = st.segmented_control("Search for", [PHOTO, FILE], key="search_by", default=PHOTO, required=True)
            where = st.segmented_control("Search in", [HERE, CATALOGUE], key="search_in", default=HERE, required=True)
        query = _from_photo() if by == PHOTO else _from_file()
    with narrow:
        if query is None:
            with st.container(border=True):
                st.markdown("**Nothing asked yet**")
                st.caption(
                    "Click an object on the photo, or draw a box around anything."
                    if by == PHOTO
                    else "Drop a picture of one object, cut closely."
                )
            return
        with session.shown_errors():
            _answer(query, where)


def _from_photo() -> tuple[np.ndarray[Any, Any], tuple[float, ...] | None] | None:
    scene = choose_scene()
    if st.session_state.get("box_scene") != scene:
        st.session_state["box_scene"], st.session_state["box"] = scene, None
    draw_scene(scene, mode="search", key="search_view", chips=False)
    height, width = bench().sizes[scene]
    with st.expander("Type the box instead"), st.form("typed_box", border=False):
        typed = [
            column.number_input(name, 0.0, float(most), value=0.0, step=1.0, key=f"box_{name}", format="%.0f")
            for column, name, most in zip(
                st.columns(4), ("left", "top", "right", "bottom"), (width, height, width, height), strict=True
            )
        ]
        if st.form_submit_button("Search this box"):
            if typed[0] < typed[2] and typed[1] < typed[3]:
                st.session_state["box"] = typed
                st.rerun()
            st.error("The box is empty: right must be larger than left, and bottom larger than top.")
    box = st.session_state["box"]
    return None if box is None else (bench().image(scene), tuple(box))


def _from_file() -> tuple[np.ndarray[Any, Any], None] | None:
    file = st.file_uploader("Picture of one object", type=["jpg", "jpeg", "png", "webp", "bmp"], key="query_file")
    if file is None:
        return None
    try:
        return read_one(file.name, file.getvalue()).image, None
    except InputError as error:
        st.error(session.sentence(error), icon=":material/broken_image:")
        return None


def _answer(query: tuple[np.ndarray[Any, Any], tuple[float, ...] | None], where: str) -> None:
    image, box = query
    models, lock = session.models()
    boxes = np.array([box or (0, 0, image.shape[1], image.shape[0])], np.float64)
    with lock:
        vector = models.embedder.embed(image, boxes)[0]
    st.markdown("**You asked for**")
    x1, y1, x2, y2 = boxes[0].astype(int)
    st.image(picture(image[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)], side=240), width=96)
    if where == HERE:
        answer = ask(searcher(bench()), vector)
        pictures = {hit.object_id: crop(bench(), hit.object_id) for hit in answer.hits}
        label = None if answer.identity is None else bench().grouping.label(answer.identity)
        titles = {h.object_id: bench().grouping.label(NOISE if h.identity is None else h.identity) for h in answer.hits}
    else:
        from packed_scenes.retrieval import Searcher

        kept = session.catalogue()
        if not kept.scenes():
            st.info("The catalogue is empty. Add these photos to it on the Report page.", icon=":material/inventory_2:")
            return
        answer = ask(Searcher.from_catalogue(kept), vector)
        pictures = kept.crops([hit.object_id for hit in answer.hits])
        label = None if answer.identity is None else kept.identity(answer.identity).label
        titles = {hit.object_id: hit.name or f"#{hit.identity}" for hit in answer.hits}
    _show(answer, pictures, titles, label)


def _show(answer: Answer, pictures: dict[int, bytes], titles: dict[int, str], label: str | None) -> None:
    if label is None:
        st.warning("This is new: nothing here is the same.", icon=":material/new_releases:")
    else:
        st.success(f"This is **{session.plain(label)}**", icon=":material/check_circle:")
    st.caption("Most similar first")
    with st.container(horizontal=True, gap="small", key="hits"):
        for hit in answer.hits:
            with st.container(width=104, border=True):
                if hit.object_id in pictures:
                    st.image(pictures[hit.object_id], width=72)
                st.markdown(f"**{max(hit.similarity, 0):.0%}**  \n{session.plain(titles[hit.object_id])}")
