"""One browser session: its workbench, what is selected, messages; nothing is shared but the models."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import streamlit as st

from packed_scenes.data.errors import InputError
from packed_scenes.observe import Observer
from packed_scenes.settings import Settings
from packed_scenes.web.workbench import Workbench

PAGES = ("Photos", "Scene", "Groups", "Map", "Search", "Report")
ICONS = dict(
    zip(PAGES, ("add_photo_alternate", "image_search", "grid_view", "scatter_plot", "search", "summarize"), strict=True)
)
EMPTY: dict[str, Any] = {
    "bench": None, "page": PAGES[0], "scene": 0, "hidden": {"c": [], "n": 0}, "selected": None, "left_out": [],
    "chosen": {"groups": [], "rows": []}, "flash": [], "box": None, "projections": {}, "upload_round": 0,
}  # fmt: skip


def begin() -> None:
    """Give a new session its empty state."""
    for name, value in EMPTY.items():
        if name not in st.session_state:
            st.session_state[name] = value.copy() if isinstance(value, list | dict) else value


@st.cache_resource(show_spinner=False)
def models() -> tuple[Observer, threading.Lock]:
    """Return the models, loaded once for all sessions, and the lock that lets one analysis run at a time."""
    return Observer(Settings()), threading.Lock()


def bench() -> Workbench:
    """Return the session's workbench; pages are only shown when there is one."""
    found: Workbench = st.session_state["bench"]
    return found


def open_bench(made: Workbench, left_out: list[tuple[str, str]]) -> None:
    """Start working on a new analysis: forget everything of the one before."""
    for name, value in EMPTY.items():
        if name not in ("upload_round", "page"):
            st.session_state[name] = value.copy() if isinstance(value, list | dict) else value
    st.session_state["bench"] = made
    st.session_state["left_out"] = left_out
    for name in ("atlas", "pictures"):
        st.session_state.pop(name, None)


def go(page: str) -> None:
    """Show another page (in a callback)."""
    st.session_state["page"] = page


def say(text: str, *, error: bool = False) -> None:
    """Show a message with the next picture of the page."""
    st.session_state["flash"].append((text, error))


def attempt(work: Callable[[], Any], done: str | None = None) -> bool:
    """Do an edit in a callback; what cannot be done is said, and nothing has changed."""
    try:
        work()
    except InputError as error:
        say(sentence(error), error=True)
        return False
    groups = set(bench().grouping.clusters) | {-1}
    chosen = st.session_state["chosen"]
    st.session_state["chosen"] = {"groups": [c for c in chosen["groups"] if c in groups], "rows": chosen["rows"]}
    if st.session_state["selected"] not in groups:
        st.session_state["selected"] = None
    if done:
        say(done)
    return True


def follow(key: str, value: Any) -> None:
    """Let a widget show a value of the workbench; only a differing one is sent, or it would fight with the user."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def rename(cluster: int, name: str) -> None:
    """Name a group in a callback; a field that was only left again is no edit."""
    if " ".join(name.split()) != bench().grouping.names.get(cluster, ""):
        attempt(lambda: bench().rename(cluster, name), "Renamed")


def sentence(error: Exception) -> str:
    """Make an error a sentence for people."""
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


@contextmanager
def shown_errors() -> Any:
    """Show what went wrong in place of a part of the page."""
    try:
        yield
    except InputError as error:
        st.error(sentence(error), icon=":material/error:")


def url(content: bytes, kind: str, place: str) -> str:
    """Give the browser a file of this session: an address on this server that nobody can guess."""
    from streamlit.runtime import get_instance

    address: str = get_instance().media_file_mgr.add(content, kind, place)
    return address


def atlas() -> dict[str, Any]:
    """Return the picture of all crops, for the components."""
    if "atlas" not in st.session_state:
        from packed_scenes.web.webdata import atlas as make

        st.session_state["atlas"] = make(bench())
    content, cell, columns = st.session_state["atlas"]
    return {"url": url(content, "image/webp", "atlas"), "cell": cell, "columns": columns}


def picture(scene: int) -> str:
    """Return the address of a scene's picture."""
    made = st.session_state.setdefault("pictures", {})
    if scene not in made:
        from packed_scenes.web.webdata import picture as make

        made[scene] = make(bench().image(scene))
    return url(made[scene], "image/jpeg", f"scene-{scene}")


def catalogue() -> Any:
    """Return the catalogue: the folder the app was started with, or one that ends with the visit."""
    from packed_scenes.catalogue import Catalogue

    folder = os.environ.get("PACKED_SCENES_CATALOGUE")
    if folder:
        return Catalogue.create(Path(folder))
    if "catalogue_folder" not in st.session_state:  # removed when the session is
        st.session_state["catalogue_folder"] = tempfile.TemporaryDirectory(prefix="packed-scenes-")
    return Catalogue.create(Path(st.session_state["catalogue_folder"].name) / "catalogue")


def shared_catalogue() -> bool:
    """Say whether the catalogue outlives the visit."""
    return bool(os.environ.get("PACKED_SCENES_CATALOGUE"))


def add_to_catalogue() -> Any:
    """Add the edited analysis to the catalogue and carry the names over; returns what was added."""
    from packed_scenes.web.downloads import add_named

    return add_named(bench(), catalogue())


def plain(text: Any) -> str:
    """Write text so that Markdown leaves it as it is."""
    return "".join(f"\\{c}" if c in r"\`*_{}[]()<>#+!|~$:" else c for c in str(text))
