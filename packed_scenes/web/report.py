"""Journey 6: shelf report, catalogue, downloads."""

from __future__ import annotations

from functools import partial
from html import escape

import streamlit as st

from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE
from packed_scenes.web import downloads, session
from packed_scenes.web.scene import choose_scene
from packed_scenes.web.session import bench
from packed_scenes.web.tables import bar_cell, figures, picture_cell, table
from packed_scenes.web.webdata import crop

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
    numbers = {
        "Facings": len(found.objects),
        "Products": sum(s.cluster != NOISE for s in found.totals),
        "Boards": found.rows.count,
        "Possible gaps": len(found.gaps),
    }
    st.html(figures(numbers))
    st.subheader("Share of shelf")
    first = {c: row for row, c in reversed(list(enumerate(work.grouping.cluster.tolist())))}
    st.html(
        table(
            ("", "product", "facings", "share by count", "by area", "boards"),
            [
                (
                    picture_cell(crop(work, first[s.cluster], side=72)),
                    escape(work.grouping.label(s.cluster)),
                    str(s.facings),
                    bar_cell(s.of_count),
                    f"{s.of_area:.1%}",
                    ", ".join(str(r) for r in sorted({x.row for x in found.lines if x.cluster == s.cluster})),
                )
                for s in found.totals
            ],
            height=460,
        )
    )
    st.subheader("Possible gaps")
    if found.gaps:
        lines = [(str(g.row), str(g.room), escape(_title(g.left)), escape(_title(g.right))) for g in found.gaps]
        st.html(table(("board", "room for", "right of", "left of"), lines))
    else:
        st.caption("No free stretch between two products is wide enough for another facing.")
    st.subheader("Compare with a plan")
    _plan(scene)


def _title(name: str) -> str:
    return f"Group {name}" if name.isdigit() else name


def _plan(scene: int) -> None:
    from packed_scenes.aggregate import compare_layouts, differences_csv, draw_differences, layout_of, planogram_csv
    from packed_scenes.aggregate.planogram import parse_planogram

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
        st.image(draw_differences(bench().image(scene), found.objects, differences))
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
    objects = sum(s.n_objects for s in scenes)
    st.html(figures({"Photos": len(scenes), "Objects": objects, "Identities": len(identities)}))
    st.html(
        table(
            ("number", "name", "objects", "photos", "first seen", "last seen"),
            [
                (
                    str(i.identity_id),
                    escape(i.name or ""),
                    str(i.n_objects),
                    str(i.n_scenes),
                    i.first_seen[:16].replace("T", " "),
                    i.last_seen[:16].replace("T", " "),
                )
                for i in identities
            ],
            height=300,
        )
    )
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
        session.follow("catalogue_name", options[which].name or "")
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
        with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
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
        session.say(session.plain(line) + ".", error=True)
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
