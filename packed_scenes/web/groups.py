"""Journey 3: groups as sheets of crops; rename, merge, split, move, undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from packed_scenes.data.objects import NOISE
from packed_scenes.web import parts, session
from packed_scenes.web.session import bench
from packed_scenes.web.webdata import groups

SHOW: dict[str, Callable[[dict[str, Any]], bool]] = {
    "All": lambda group: True,
    "Repeated": lambda group: group["n"] > 1,
    "Singles": lambda group: group["n"] == 1,
    "Doubtful": lambda group: group["n"] > 1 and group["c"] >= 0 and group["rows"][-1][1] < DOUBTFUL,
}
DOUBTFUL = 0.6  # membership strength; .5 is halfway between two groups
NEW, UNSORTED = "A new group", "Unsorted"


def groups_page() -> None:
    """Draw the page."""
    work = bench()
    cluster, probability = work.grouping.cluster, np.concatenate([p.probability for p in work.view().parts])
    found = []
    for group in groups(work, work.view()):
        rows = np.flatnonzero(cluster == group["c"])
        rows = rows[np.argsort(-probability[rows], kind="stable")]
        found.append(group | {"rows": [[int(r), round(float(probability[r]), 2)] for r in rows]})
    chosen = st.session_state["chosen"]
    st.caption(
        "Tick a group to rename or split it, tick several to merge them; click objects to move them, or drag them to "
        "another group. A question mark stands on doubtful objects."
    )
    if chosen["groups"] or chosen["rows"]:
        with st.container(border=True, key="tools"):
            _tools(found, chosen)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        which = st.segmented_control(
            "Show", list(SHOW), key="show_groups", default="All", required=True,
            format_func=lambda name: f"{name} {sum(bool(SHOW[name](g)) for g in found)}",
        )  # fmt: skip
        text = st.text_input("Find by name", key="find_group", placeholder="Name or number", width=220)
    shown = [g for g in found if SHOW[which](g) and text.strip().lower() in g["name"].lower()]
    parts.sheet(
        data={"groups": shown, "chosen": chosen, "atlas": session.atlas(), "side": 68}, key="sheet",
        on_chosen_change=_choose, on_drop_change=_drop,
    )  # fmt: skip


def _tools(found: list[dict[str, Any]], chosen: dict[str, list[int]]) -> None:
    picked, rows = chosen["groups"], chosen["rows"]
    work = bench()
    label = work.grouping.label
    real = [c for c in picked if c != NOISE]
    what = [f"{len(picked)} {'group' if len(picked) == 1 else 'groups'}"] if picked else []
    what += [f"{len(rows)} {'object' if len(rows) == 1 else 'objects'}"] if rows else []
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.markdown(f"**{' and '.join(what)} selected**", width="content")
        if len(real) == 1 and len(picked) == 1:
            name = f"rename_{real[0]}"
            session.follow(name, work.grouping.names.get(real[0], ""))
            st.text_input(
                f"Name of {label(real[0])}", key=name, max_chars=120, placeholder="Give it a name", width=230,
                on_change=_rename, args=(real[0],),
            )  # fmt: skip
            size = next((g["n"] for g in found if g["c"] == real[0]), 0)
            _button("Split in two", "call_split", lambda: work.split(real[0]), f"{label(real[0])} split", size < 2)
        if len(real) > 1:
            _button(
                f"Merge {len(real)} groups", "call_merge", lambda: work.merge(real), f"{len(real)} groups merged", False
            )
        if rows:
            options = [NEW, *[g["c"] for g in found if g["c"] != NOISE], UNSORTED]
            to = st.selectbox(
                "Move objects to", options, key="move_to", width=230,
                format_func=lambda c: c if isinstance(c, str) else f"{label(c)}",
            )  # fmt: skip
            target = None if to == NEW else NOISE if to == UNSORTED else to
            _button("Move", "drive_file_move", lambda: work.move(rows, target), "Moved", False, clear=True)
        st.button("Clear selection", icon=":material/close:", key="clear_chosen", on_click=_clear)


def _button(text: str, icon: str, work: Callable[[], Any], done: str, off: bool, *, clear: bool = True) -> None:
    def act() -> None:
        if session.attempt(work, done) and clear:
            _clear()

    st.button(text, icon=f":material/{icon}:", type="primary", disabled=off, on_click=act)


def _clear() -> None:
    st.session_state["chosen"] = {"groups": [], "rows": []}


def _rename(cluster: int) -> None:
    session.rename(cluster, st.session_state[f"rename_{cluster}"])


def _choose() -> None:
    told = st.session_state["sheet"].get("chosen")
    if told:
        st.session_state["chosen"] = {name: [int(v) for v in told[name]] for name in ("groups", "rows")}


def _drop() -> None:
    told = st.session_state["sheet"].get("drop")
    if told and session.attempt(lambda: bench().move([int(r) for r in told["rows"]], told["to"]), "Moved"):
        _clear()
