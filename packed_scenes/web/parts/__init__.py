"""The components that run in the browser: plain JavaScript from this folder, nothing from the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

HERE = Path(__file__).resolve().parent


def _component(name: str) -> Any:
    read = {suffix: (HERE / f"common.{suffix}").read_text(encoding="utf-8") for suffix in ("js", "css")}
    return st.components.v2.component(
        f"packed_{name}",
        html='<div class="root"></div>',
        css=read["css"] + (HERE / f"{name}.css").read_text(encoding="utf-8"),
        js=read["js"] + (HERE / f"{name}.js").read_text(encoding="utf-8"),
    )


def scene_view(**arguments: Any) -> Any:
    """Show a photo with its groups; tells ``pick`` {row, c}, ``hidden`` {c: […], n} and ``box`` [x1, y1, x2, y2]."""
    return _component("scene")(**arguments)


def sheet(**arguments: Any) -> Any:
    """Show groups as cards of crops; tells ``chosen`` {groups, rows} and ``drop`` {rows, to}."""
    return _component("sheet")(**arguments)


def vector_map(**arguments: Any) -> Any:
    """Show points in two or three dimensions; tells ``pick`` {row}."""
    return _component("map")(**arguments)
