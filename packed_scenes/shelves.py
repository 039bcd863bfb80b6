"""Shelf reports of analysed photos: tables, one HTML page each, and comparison with a planogram or an earlier photo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import write_text

if TYPE_CHECKING:
    from packed_scenes.aggregate.planogram import Layout
    from packed_scenes.results import Analysis


def save_shelf_reports(
    analysis: Analysis,
    out: str | Path,
    *,
    plan: str | Path | None = None,
    before: str | None = None,
) -> list[Path]:
    """Write ``shelf.csv`` (by board), ``totals.csv`` and ``gaps.csv`` of all photos, ``<scene>/shelf.html`` of each.

    With something to compare with, ``<scene>/differences.csv`` and ``differences.png`` too.

    Args:
        analysis: photos with joint identities; what a catalogue knows of them
            (:meth:`packed_scenes.catalogue.Catalogue.recognise`) is called by its name or as ``#12``.
        out: the folder.
        plan: planogram CSV (row, position, product, facings); products by the names of the report.
        before: name of the analysed photo that the others are laid over and compared with; it gets no comparison.

    Returns:
        The HTML pages.

    Raises:
        InputError: if both or an unknown photo are given, the plan cannot be read, or it names nothing that was found.
    """
    from packed_scenes.aggregate import assign_colors
    from packed_scenes.aggregate.difference import draw_differences
    from packed_scenes.aggregate.page import shelf_page
    from packed_scenes.aggregate.planogram import compare_layouts, differences_csv, layout_of, read_planogram
    from packed_scenes.aggregate.registration import compare_photos
    from packed_scenes.aggregate.shelf import gaps_csv, shelf_csv, shelf_report, totals_csv
    from packed_scenes.data.images import write_image

    if plan is not None and before is not None:
        raise InputError("compare with a plan or with a photo, not both")
    out = Path(out)
    titles = analysis.titles
    reports = {scene.name: shelf_report(scene.objects, scene=scene.name, names=titles) for scene in analysis.scenes}
    if before is not None and before not in reports:
        raise InputError(f"no photo named {before!r}", remedy=f"There are: {', '.join(reports)}.")
    expected: Layout | None = read_planogram(plan) if plan is not None else None
    if expected is not None:
        _check_names(expected, [layout_of(report) for report in reports.values()], plan)
    size = {scene.name: scene.size for scene in analysis.scenes}
    colors = assign_colors([scene.objects for scene in analysis.scenes])
    pages = []
    for scene in analysis.scenes:
        report, folder = reports[scene.name], out / scene.name
        image = analysis.pictures.get(scene.source).image
        differences = picture = None
        if expected is not None:
            differences = compare_layouts(expected, layout_of(report))
        elif before is not None and scene.name != before:
            differences = compare_photos(reports[before], report, sizes=(size[before], scene.size))
        if differences is not None:
            picture = draw_differences(image, scene.objects, differences)
            write_text(folder / "differences.csv", differences_csv(differences))
            write_image(folder / "differences.png", picture)
        page = shelf_page(
            report,
            image,
            analysis.overlay(scene.name),
            colors=colors,
            differences=differences,
            difference_picture=picture,
            expected=before or (Path(plan).name if plan is not None else "the plan"),
        )
        write_text(folder / "shelf.html", page)
        pages.append(folder / "shelf.html")
    write_text(out / "shelf.csv", shelf_csv(reports.values()))
    write_text(out / "gaps.csv", gaps_csv(reports.values()))
    write_text(out / "totals.csv", totals_csv(reports.values()))
    return pages


def _check_names(expected: Layout, found: Sequence[Layout], plan: str | Path | None) -> None:
    """Refuse a plan that names nothing of what was found: all missing and all extra would say nothing of the shelf."""
    planned = sorted({slot.product for board in expected for slot in board})
    there = {slot.product for layout in found for board in layout for slot in board}
    if planned and there and there.isdisjoint(planned):
        raise InputError(
            f"no product of the plan ({_some(planned)}) is among what was found ({_some(sorted(there))})",
            file=plan,
            remedy="Use the names of totals.csv, or name the identities in a catalogue and give --catalogue.",
        )


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:3])) + (", …" if len(names) > 3 else "")
