"""Journey 1: drop photos or take a sample, and watch the work stage by stage."""

from __future__ import annotations

import streamlit as st

from packed_scenes.data.errors import InputError
from packed_scenes.data.scene import Scene
from packed_scenes.data.shipped import SAMPLE_FOLDER
from packed_scenes.observe import Observer, Stage
from packed_scenes.web import session
from packed_scenes.web.uploads import Caps, read_uploads

TYPES = ["jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif", "zip"]
SAMPLES = {"shelf": "Use the shelf", "tray": "Use the tray"}
WORDS = {
    Stage.LOAD: "Loading the models (the first time takes a while)",
    Stage.DETECT: "Finding objects",
    Stage.EMBED: "Describing every object",
    Stage.GROUP: "Grouping what is the same",
}


def photos_page() -> None:
    """Draw the page."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader("Your photos")
        st.caption(
            "Shelves, crowds, car parks, trays: anything full of look-alike objects. Nothing leaves this machine."
        )
        files = st.file_uploader(
            "Drop photos or a zip of photos here", type=TYPES, accept_multiple_files=True,
            key=f"upload_{st.session_state['upload_round']}",
        )  # fmt: skip
        start = st.button(
            "Find and group objects", icon=":material/play_arrow:", type="primary", disabled=not files, key="start"
        )
        place = st.container()
    with right:
        st.subheader("Or try a sample")
        chosen = None
        there = [name for name in SAMPLES if (SAMPLE_FOLDER / f"{name}.jpg").is_file()]
        for column, name in zip(st.columns(max(1, len(there))), there, strict=False):
            with column:
                st.image(_thumbnail(name))
                if st.button(SAMPLES[name], key=f"sample_{name}", width="stretch"):
                    chosen = name
    with place:
        if start and files:
            scenes, left_out = read_uploads([(file.name, file.getvalue()) for file in files])
            if scenes:
                _analyse(scenes, left_out)
            else:
                for name, reason in left_out:
                    st.error(
                        f"**{session.plain(name)}** could not be used: {session.plain(reason)}",
                        icon=":material/broken_image:",
                    )
        elif chosen:
            _analyse([Scene.from_file(SAMPLE_FOLDER / f"{chosen}.jpg")], [])
        elif st.session_state["bench"] is not None:
            _summary()
        else:
            caps = Caps()
            st.caption(
                f"JPEG, PNG, WebP, TIFF or a zip of them; up to {caps.pictures} photos of "
                f"{caps.picture_pixels / 1e6:.0f} million pixels."
            )


def _analyse(scenes: list[Scene], left_out: list[tuple[str, str]]) -> None:
    from packed_scenes.analysis import analyze
    from packed_scenes.web.workbench import Workbench

    total = 2 * len(scenes) + 2
    with st.status("Reading photos", expanded=True) as status:
        bar = st.progress(0.0)
        seen: list[Stage] = []
        done = 0

        def tell(stage: Stage, scene: str) -> None:
            nonlocal done
            if stage is not Stage.LOAD:
                done += 1
            text = WORDS[stage] + (f": {session.plain(scene)}" if scene and len(scenes) > 1 else "")
            status.update(label=text, expanded=True)
            bar.progress(min(done / total, 1.0))
            if stage not in seen:
                seen.append(stage)
                st.write(f":material/chevron_right: {WORDS[stage]}")

        models, lock = session.models()
        if lock.locked():
            status.update(label="Waiting for another analysis to end")
        try:
            with lock:
                observer = Observer(models.settings, models=models, report=tell)
                result = analyze(scenes, settings=models.settings, observer=observer, progress=observer.track)
            bench = Workbench(result, card=models.embedder.card)
            status.update(label="Preparing the pictures", expanded=True)
            st.write(":material/chevron_right: Preparing the pictures")
            bench.view()
        except InputError as error:
            status.update(label="That did not work", state="error")
            st.error(session.sentence(error), icon=":material/error:")
            return
        bar.progress(1.0)
        status.update(label="Done", state="complete")
    session.open_bench(bench, [*left_out, *result.errors])
    st.session_state["upload_round"] += 1
    st.session_state["go"] = "Scene"
    st.rerun()


def _summary() -> None:
    bench = session.bench()
    for name, reason in st.session_state["left_out"]:
        st.warning(f"**{session.plain(name)}** was left out: {session.plain(reason)}", icon=":material/broken_image:")
    for line in bench.analysis.warnings:
        st.warning(session.plain(line), icon=":material/warning:")
    with st.container(border=True):
        st.markdown("**Loaded now**")
        for name, (height, width), part in zip(bench.names, bench.sizes, bench.view().parts, strict=True):
            st.markdown(f"{session.plain(name)}  ·  {width} × {height} px  ·  {len(part)} objects")
        st.button("Look at the scene", icon=":material/arrow_forward:", on_click=session.go, args=("Scene",))


@st.cache_data(show_spinner=False)
def _thumbnail(name: str) -> bytes:
    from packed_scenes.catalogue.pictures import thumbnail
    from packed_scenes.data.images import read_image

    return thumbnail(read_image(SAMPLE_FOLDER / f"{name}.jpg"), side=420)
