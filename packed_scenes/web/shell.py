"""The frame around every page: heading, navigation, undo, messages."""

from __future__ import annotations

import numpy as np
import streamlit as st
from PIL import Image

from packed_scenes.web import session
from packed_scenes.web.session import ICONS, PAGES, bench

STYLE = """
<style>
.block-container { max-width: 1400px; padding-top: 1.1rem; padding-bottom: 3rem; }
[data-testid="stHeader"] { background: transparent; height: 2.6rem; }
[data-testid="stHeader"], [data-testid="stHeader"] * { pointer-events: none; }  /* it lies over Undo and Redo */
[data-testid="stHeader"] button, [data-testid="stHeader"] button * { pointer-events: auto; }
.brand { font-size: 1.35rem; font-weight: 750; letter-spacing: -.01em; line-height: 1.2; margin: 0; }
.facts { opacity: .75; font-size: .9rem; margin: .1rem 0 0; overflow-wrap: anywhere; }
.st-key-tools { position: fixed; left: 0; right: 0; bottom: 0; z-index: 60; background: Canvas; border-radius: 0;
  border-width: 1px 0 0; padding: .7rem max(1rem, calc(50vw - 620px)); box-shadow: 0 -6px 24px rgba(0,0,0,.18); }
.block-container:has(.st-key-tools) { padding-bottom: 14rem; }
.st-key-top { padding-right: 2.6rem; }
@media (max-width: 640px) {
  .st-key-page [role="radiogroup"] { display: grid; grid-template-columns: repeat(3, 1fr); width: 100%; }
  .st-key-page, .st-key-page div { width: 100% !important; max-width: none; }
  .st-key-top { padding-right: 0; }
  .st-key-top button { padding: .25rem .6rem; }
  .block-container { padding-left: .8rem; padding-right: .8rem; padding-top: 2.6rem; }
  [data-testid="stHeading"] h2 { font-size: 1.3rem; }
}
</style>
"""


def show() -> None:
    """Draw the app."""
    st.set_page_config(page_title="Packed Scenes", page_icon=_icon(), layout="wide")
    session.begin()
    if "go" in st.session_state:  # a page chosen where the navigation was drawn already
        st.session_state["page"] = st.session_state.pop("go")
    st.html(STYLE)
    there = st.session_state["bench"] is not None
    facts = _facts() if there else "Find every object, group what is the same"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="top"):
        st.html(f'<h1 class="brand">Packed Scenes</h1><p class="facts">{facts}</p>', width="stretch")
        if there:
            with st.container(horizontal=True, width="content", gap="small"):
                _undo()
    st.segmented_control(
        "Page", PAGES, key="page", required=True, label_visibility="collapsed",
        format_func=lambda name: f":material/{ICONS[name]}: {name}",
    )  # fmt: skip
    for text, error in st.session_state["flash"]:
        if error:
            st.error(text, icon=":material/error:")
        else:
            st.toast(text, icon=":material/check:")
    st.session_state["flash"] = []
    page = st.session_state["page"]
    if page == "Photos":
        from packed_scenes.web.photos import photos_page

        photos_page()
    elif not there:
        _nothing_yet()
    elif not len(bench().vectors):
        _no_objects()
    else:
        _page(page)


@st.cache_data(show_spinner=False)
def _icon() -> Image.Image:
    """Draw the icon of the browser's tab; streamlit would fetch its own ones from the network."""
    icon = np.full((64, 64, 3), (10, 108, 82), np.uint8)
    for at, color in enumerate(((255, 255, 255), (255, 176, 32), (255, 176, 32), (255, 255, 255))):
        top, left = 10 + 24 * (at // 2), 10 + 24 * (at % 2)
        icon[top : top + 20, left : left + 20] = color
    return Image.fromarray(icon)


def _page(page: str) -> None:
    if page == "Scene":
        from packed_scenes.web.scene import scene_page as draw
    elif page == "Groups":
        from packed_scenes.web.groups import groups_page as draw
    elif page == "Map":
        from packed_scenes.web.vectors import map_page as draw
    elif page == "Search":
        from packed_scenes.web.searching import search_page as draw
    else:
        from packed_scenes.web.report import report_page as draw
    with session.shown_errors():
        draw()


def _facts() -> str:
    from html import escape

    work = bench()
    photos = f"{len(work.names)} photos" if len(work.names) > 1 else escape(work.names[0])
    return f"{photos} · {len(work.vectors)} objects · {len(work.grouping.clusters)} groups"


def _undo() -> None:
    history = bench().history
    back = f"Undo: {history.now.label}" if history.past else "Nothing to undo"
    again = f"Redo: {history.future[0].label}" if history.future else "Nothing to redo"
    for name, way, text in (("Undo", history.past, back), ("Redo", history.future, again)):
        key = name.lower()
        st.button(name, icon=f":material/{key}:", key=key, disabled=not way, help=text, on_click=_step, args=(key,))


def _step(way: str) -> None:
    label = bench().history.now.label
    session.attempt(getattr(bench(), way))
    session.say(f"Undone: {label}" if way == "undo" else f"Done again: {bench().history.now.label}")


def _nothing_yet() -> None:
    with st.container(border=True):
        st.subheader("No photos yet")
        st.write("Add photos or take the sample, and this page fills up.")
        st.button(
            "Add photos", icon=":material/add_photo_alternate:", type="primary", on_click=session.go, args=("Photos",)
        )


def _no_objects() -> None:
    with st.container(border=True):
        st.subheader("No objects found")
        st.write(
            "Nothing on these photos looks like a set of packed objects. Photos taken straight from the front, with "
            "the objects at least 20 pixels wide, work best."
        )
        st.button(
            "Try other photos",
            icon=":material/add_photo_alternate:",
            type="primary",
            on_click=session.go,
            args=("Photos",),
        )
