"""Journey 2: the photo with its groups; zoom, hover, click, hide, and two sliders that redraw it at once."""

from __future__ import annotations

import numpy as np
import streamlit as st

from packed_scenes.web import parts, session
from packed_scenes.web.session import bench
from packed_scenes.web.webdata import crop, groups, scene_data


def scene_page() -> None:
    """Draw the page."""
    work = bench()
    wide, narrow = st.columns([7, 3], gap="medium")
    with wide:
        scene = choose_scene()
        draw_scene(scene, mode="look", key="scene_view")
    with narrow:
        with st.container(border=True):
            session.follow("threshold", round(min(max(work.grouping.threshold, 0.02), 0.8), 2))
            st.slider(
                "How alike is the same?", 0.02, 0.8, step=0.01, key="threshold", on_change=_threshold,
                help="Cosine distance up to which groups merge. Left: more, purer groups. Right: fewer, larger ones. "
                "Groups that you edited or named stay as they are.",
            )  # fmt: skip
            session.follow("reach", round(min(work.reach, 3.0), 2))
            st.slider(
                "How far does a place reach?", 0.0, 3.0, step=0.05, key="reach", on_change=_reach,
                help="Widest gap, in object sizes, that still belongs to one place on the photo.",
            )  # fmt: skip
        _details()


def choose_scene() -> int:
    """Let the user choose among several photos; returns its number."""
    names = bench().names
    if len(names) > 1:
        at = st.selectbox(
            "Photo",
            range(len(names)),
            index=min(st.session_state["scene"], len(names) - 1),
            format_func=names.__getitem__,
        )
        st.session_state["scene"] = at
    return min(int(st.session_state["scene"]), len(names) - 1)


def draw_scene(scene: int, *, mode: str, key: str, chips: bool = True) -> None:
    """Show a scene in the browser's viewer."""
    work = bench()
    view = work.view()
    inside = set(np.asarray(view.parts[scene].cluster).tolist())
    data = scene_data(work, view, scene) | {
        "scene": work.names[scene],
        "state": f"{work.grouping.threshold:g} {work.reach:g}",
        "image": session.picture(scene),
        "atlas": session.atlas(),
        "groups": [g for g in groups(work, view) if g["c"] in inside],
        "selected": st.session_state["selected"] if mode == "look" else None,
        "hidden": st.session_state["hidden"],
        "mode": mode,
        "chips": chips,
        "box": st.session_state["box"] if mode == "search" else None,
    }
    on_pick, on_box = (_pick, _ignore) if mode == "look" else (_query_pick, _query_box)
    parts.scene_view(
        data=data, key=key, on_pick_change=lambda: on_pick(key), on_hidden_change=lambda: _hide(key),
        on_box_change=lambda: on_box(key),
    )  # fmt: skip


def _details() -> None:
    selected = st.session_state["selected"]
    work = bench()
    with st.container(border=True):
        if selected is None:
            st.markdown("**No group selected**")
            st.caption("Click an object on the photo to see its group here.")
            return
        rows = [k for k, c in enumerate(work.grouping.cluster.tolist()) if c == selected]
        st.markdown(f"**{session.plain(work.grouping.label(selected))}**")
        where = {work.scene_of(row) for row in rows}
        places = sum(c.cluster == selected for found in work.view().congregations for c in found)
        across = f" on {len(where)} photos" if len(where) > 1 else ""
        st.caption(f"{_count(len(rows), 'object')} in {_count(places, 'place')}{across}")
        if selected >= 0:
            name = f"name_{selected}"
            session.follow(name, work.grouping.names.get(selected, ""))
            st.text_input(
                "Name", key=name, placeholder="Give it a name", max_chars=120, on_change=_rename, args=(selected,)
            )
        with st.container(horizontal=True, gap="small"):
            for row in rows[:12]:
                st.image(crop(work, row, side=96), width=58)
        if len(rows) > 12:
            st.caption(f"and {len(rows) - 12} more")
        with st.container(horizontal=True, gap="small"):
            st.button("Edit", icon=":material/edit:", on_click=_edit, args=(selected,))
            st.button("Clear", icon=":material/close:", on_click=_clear)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _threshold() -> None:
    session.attempt(lambda: bench().set_threshold(round(float(st.session_state["threshold"]), 2)))


def _reach() -> None:
    bench().reach = round(float(st.session_state["reach"]), 2)


def _rename(cluster: int) -> None:
    session.rename(cluster, st.session_state[f"name_{cluster}"])


def _edit(cluster: int) -> None:
    st.session_state["chosen"] = {"groups": [cluster], "rows": []}
    session.go("Groups")


def _clear() -> None:
    st.session_state["selected"] = None


def _pick(key: str) -> None:
    told = st.session_state[key].get("pick")
    if told:
        st.session_state["selected"] = told["c"]


def _hide(key: str) -> None:
    told = st.session_state[key].get("hidden")
    if told:
        st.session_state["hidden"] = {"c": [int(c) for c in told["c"]], "n": int(told["n"])}


def _query_pick(key: str) -> None:
    told = st.session_state[key].get("pick")
    if told and told["row"] is not None:
        row = int(told["row"])
        work = bench()
        st.session_state["box"] = [round(float(v), 1) for v in work.boxes[row]]


def _query_box(key: str) -> None:
    told = st.session_state[key].get("box")
    if told:
        st.session_state["box"] = [float(v) for v in told]


def _ignore(key: str) -> None:
    return None
