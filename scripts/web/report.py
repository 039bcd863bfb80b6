"""Journey 6: shelf report, catalogue, downloads."""

from __future__ import annotations

import base64
from functools import partial

import streamlit as st

from data.errors import InputError
from data.objects import NOISE
from pipeline import downloads
from pipeline.webdata import crop
from scripts.web import session
from scripts.web.photos import _plain
from scripts.web.scene import choose_scene
from scripts.web.session import bench

PLAN_BYTES = 2_000_000


def report_page() -> None:
    """Draw the page."""
    tab = st.segmented_control(
        "Part", ["Shelf report", "Catalogue", "Downloads"], key="report_part", default="Shelf report", required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    {"Shelf report": _shelf, "Catalogue": _catalogue, "Downloads": _downloads}[tab]()


def _shelf() -> None:
    work, scene = bench(), choose_scene()
    found = downloads.report(work, scene)
    figures = {
        "Facings": len(found.objects),
        "Products": sum(s.cluster != NOISE for s in found.totals),
        "Boards": found.rows.count,
        "Possible gaps": len(found.gaps),
    }
    for column, (name, value) in zip(st.columns(4), figures.items(), strict=True):
        column.metric(name, value, border=True)
    st.subheader("Share of shelf")
    first = {c: row for row, c in reversed(list(enumerate(work.grouping.cluster.tolist())))}
    st.dataframe(
        [
            {
                "": "data:image/jpeg;base64," + base64.b64encode(crop(work, first[s.cluster], side=72)).decode(),
                "product": work.grouping.label(s.cluster),
                "facings": s.facings,
                "by count": s.of_count,
                "by area": s.of_area,
                "boards": ", ".join(str(r) for r in sorted({x.row for x in found.lines if x.cluster == s.cluster})),
            }
            for s in found.totals
        ],
        column_config={
            "": st.column_config.ImageColumn(width="small"),
            "by count": st.column_config.ProgressColumn(format="percent", max_value=1.0),
            "by area": st.column_config.NumberColumn(format="percent"),
        },
        hide_index=True, row_height=56, height=430,
    )  # fmt: skip
    st.subheader("Possible gaps")
    if found.gaps:
        st.dataframe(
            [
                {"board": g.row, "room for": g.room, "right of": _title(g.left), "left of": _title(g.right)}
                for g in found.gaps
            ],
            hide_index=True,
        )
    else:
        st.caption("No free stretch between two products is wide enough for another facing.")
    st.subheader("Compare with a plan")
    _plan(scene)


def _title(name: str) -> str:
    return f"Group {name}" if name.isdigit() else name


def _plan(scene: int) -> None:
    from aggregate import compare_layouts, differences_csv, draw_differences, layout_of, planogram_csv
    from aggregate.planogram import parse_planogram

    found = downloads.report(bench(), scene)
    st.caption("A planogram is a CSV with the columns row, position, product and facings. A good photo makes one:")
    st.download_button(
        "This photo as a plan", planogram_csv(layout_of(found)), "plan.csv", "text/csv", icon=":material/download:"
    )
    file = st.file_uploader("Plan to compare with", type=["csv"], key="plan_file")
    if file is None:
        return
    with session.shown_errors():
        if file.size > PLAN_BYTES:
            raise InputError("this plan is larger than 2 MB", file=file.name)
        try:
            text = file.getvalue().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError("this is no UTF-8 text", file=file.name, remedy="Save it as CSV in UTF-8.") from error
        differences = compare_layouts(parse_planogram(text, file=file.name), layout_of(found))
        counts = f"{len(differences.missing)} missing, {len(differences.moved)} moved, {len(differences.extra)} extra"
        st.markdown(f"**{differences.agreement:.0%}** of the expected facings stand where they should: {counts}.")
        st.image(draw_differences(bench().image(scene), found, differences))
        st.download_button("Differences (CSV)", differences_csv(differences), "differences.csv", "text/csv")


def _catalogue() -> None:
    kept = session.catalogue()
    st.caption(
        "The catalogue remembers what was seen, tells it again on the next photos, and keeps the names you give. "
        + ("It is kept in the folder the app was started with." if session.shared_catalogue() else
           "This one ends with your visit; start the app with --catalogue FOLDER to keep it.")
    )  # fmt: skip
    st.button("Add these photos", icon=":material/library_add:", type="primary", on_click=_add, key="add_to_catalogue")
    identities = kept.identities()
    if not identities:
        with st.container(border=True):
            st.markdown("**The catalogue is empty**")
            st.caption("Name your groups first if you like; the names are kept.")
        return
    scenes = kept.scenes()
    for column, (name, value) in zip(
        st.columns(3),
        {"Photos": len(scenes), "Objects": sum(s.n_objects for s in scenes), "Identities": len(identities)}.items(),
        strict=True,
    ):
        column.metric(name, value, border=True)
    st.dataframe(
        [
            {"number": i.identity_id, "name": i.name or "", "objects": i.n_objects, "photos": i.n_scenes,
             "first seen": i.first_seen[:16].replace("T", " "), "last seen": i.last_seen[:16].replace("T", " ")}
            for i in identities
        ],
        hide_index=True, height=300,
    )  # fmt: skip
    options = {i.identity_id: i for i in identities}
    which = st.selectbox(
        "Where has it been seen?", list(options), format_func=lambda k: options[k].label, key="seen_which"
    )
    sightings = kept.seen(which)
    pictures = kept.crops([s.object_id for s in sightings[:16]])
    with st.container(horizontal=True, gap="small"):
        for sighting in sightings[:16]:
            if sighting.object_id in pictures:
                with st.container(width=96):
                    st.image(pictures[sighting.object_id], width=72, caption=sighting.scene[:24])
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.session_state["catalogue_name"] = options[which].name or ""
        st.text_input("Name", key="catalogue_name", max_chars=120, width=260, on_change=_rename, args=(which,))
        latest = next((edit for edit in kept.history()), None)
        st.button("Undo in the catalogue", icon=":material/undo:", disabled=latest is None, on_click=_undo)


def _downloads() -> None:
    work, scene = bench(), choose_scene()
    name = work.names[scene]
    st.caption("Everything as it is now, with your edits and names.")
    for title, text, file, kind, make in (
        ("Objects (CSV)", "One row per object, all photos", "objects.csv", "text/csv", downloads.objects_table),
        ("COCO (JSON)", "Boxes with groups as categories", "objects.json", "application/json", downloads.coco),
        ("Overlay (PNG)", "This photo with its groups", f"{name}.png", "image/png",
         partial(downloads.overlay, scene=scene)),
        ("Groups (PNG)", "Contact sheet of all groups", "groups.png", "image/png", downloads.contact_sheet),
        ("Shelf report (HTML)", "One page, for mail or print", f"{name}.html", "text/html",
         partial(downloads.report_page, scene=scene)),
    ):  # fmt: skip
        with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium"):
            st.download_button(
                title, partial(make, work), file, kind, icon=":material/download:", key=f"download_{title}", width=230,
                on_click="ignore",
            )  # fmt: skip
            st.markdown(text, width="content")


def _add() -> None:
    try:
        added = session.add_to_catalogue()
    except InputError as error:
        session.say(session.sentence(error), error=True)
        return
    for line in added.warnings:
        session.say(_plain(line) + ".", error=True)
    if added.scenes:
        session.say(
            f"{added.n_objects} objects added: {len(added.known)} known identities seen again, {len(added.new)} new"
        )


def _rename(which: int) -> None:
    try:
        session.catalogue().rename(which, st.session_state["catalogue_name"] or None)
    except InputError as error:
        session.say(session.sentence(error), error=True)


def _undo() -> None:
    try:
        session.say(f"Undone: {session.catalogue().undo().kind}")
    except InputError as error:
        session.say(session.sentence(error), error=True)
