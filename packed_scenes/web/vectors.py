"""Journey 4: the map of all objects; near means alike."""

from __future__ import annotations

import numpy as np
import streamlit as st

from packed_scenes.web import parts, session
from packed_scenes.web.session import bench
from packed_scenes.web.webdata import Projection, groups, project

SLOW = 3000  # objects from which UMAP takes more than a minute


def map_page() -> None:
    """Draw the page."""
    work = bench()
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        dimensions = st.segmented_control(
            "Dimensions", ["2-D", "3-D"], key="map_dimensions", default="2-D", required=True
        )
        how = st.segmented_control(
            "Method", list(Projection), key="map_how", default=Projection.PCA, required=True, format_func=str.upper,
            help="PCA is instant and keeps large distances; UMAP keeps neighbours together and takes longer.",
        )  # fmt: skip
        if st.session_state["selected"] is not None:
            st.button(
                f"Clear {work.grouping.label(st.session_state['selected'])}", icon=":material/close:", on_click=_clear
            )
    if how == Projection.UMAP and len(work.vectors) > SLOW:
        st.info("This is a large collection: UMAP takes minutes.", icon=":material/hourglass:")
    number = 3 if dimensions == "3-D" else 2
    points = st.session_state["projections"].get((how, number))
    if points is None:
        with st.spinner(
            "Laying out the map" + (" (UMAP prepares itself the first time)" if how == Projection.UMAP else "")
        ):
            points = project(work.vectors, dimensions=number, how=how)
        st.session_state["projections"][how, number] = points
    flat = np.concatenate([points, np.zeros((len(points), 3 - number), np.float32)], axis=1)
    scene = np.repeat(np.arange(len(work.names)), np.diff(work.starts))
    data = {
        "points": np.round(flat, 4).tolist(),
        "cluster": work.grouping.cluster.tolist(),
        "groups": groups(work, work.view()),
        "scene": scene.tolist(),
        "scenes": work.names,
        "dimensions": number,
        "how": str(how),
        "atlas": session.atlas(),
        "selected": st.session_state["selected"],
    }
    parts.vector_map(data=data, key="map", on_pick_change=_pick)


def _pick() -> None:
    told = st.session_state["map"].get("pick")
    if told:
        row = told["row"]
        st.session_state["selected"] = None if row is None else int(bench().grouping.cluster[int(row)])


def _clear() -> None:
    st.session_state["selected"] = None
