"""What can be taken away from a project: tables, COCO, pictures, the report page, a run folder, as bytes."""

from __future__ import annotations

import io
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from packed_scenes.web.project.folder import ASIDE
from packed_scenes.web.project.project import Project

if TYPE_CHECKING:
    from packed_scenes.aggregate import ShelfReport

COLUMNS = ("scene", "object_id", "x1", "y1", "x2", "y2", "score", "cluster", "name", "probability", "congregation")


def objects_table(project: Project) -> bytes:
    """Return all objects as CSV (UTF-8); texts that a spreadsheet would run as formulas are made harmless."""
    from packed_scenes.aggregate.tables import congregation_labels
    from packed_scenes.data.cells import csv_text
    from packed_scenes.identify import congregate

    lines: list[tuple[object, ...]] = []
    for photo in project.photos:
        (part,), (found,) = congregate([project.objects(photo.number)], [photo.size], settings=project.settings)
        assert part.cluster is not None
        assert part.probability is not None
        labels = congregation_labels(part, found).tolist()
        for k in range(len(part)):
            box = (f"{v:.2f}" for v in part.xyxy[k].tolist())
            cluster = int(part.cluster[k])
            title = project.grouping.names.get(cluster, "")
            lines.append(
                (photo.name, str(part.object_id[k]), *box, f"{part.score[k]:.4f}", cluster, title,
                 f"{part.probability[k]:.4f}", labels[k])
            )  # fmt: skip
    return csv_text([COLUMNS, *lines]).encode()


def exported(project: Project, form: str) -> bytes:
    """Return all photos in a form of :class:`packed_scenes.exporting.Form`, zipped; labels are the groups' names.

    Raises:
        InputError: if the form is unknown or its library is missing.
    """
    from packed_scenes.exporting import export, of_analysis
    from packed_scenes.web.project.runs import to_analysis

    found = to_analysis(project)
    scenes = [replace(s, file=f"{s.name}{s.path.suffix if s.path else '.png'}") for s in of_analysis(found)]
    with tempfile.TemporaryDirectory(prefix=ASIDE, dir=project.folder.path) as aside:
        export(scenes, form, Path(aside) / "export", names=found.names)
        return _zipped(Path(aside) / "export")


def coco(project: Project) -> bytes:
    """Return all photos as COCO JSON whose categories are the groups, by name where they have one."""
    with zipfile.ZipFile(io.BytesIO(exported(project, "coco"))) as archive:
        return archive.read("coco.json")


def overlay(project: Project, number: int) -> bytes:
    """Return one photo with its congregations drawn, PNG."""
    from packed_scenes.aggregate import draw_overlay
    from packed_scenes.web.server.pagedata import png

    colors, names = project.view().colors, project.grouping.names
    objects, places = project.objects(number), project.places(number)
    return png(draw_overlay(project.image(number), objects, places, colors=colors, names=names))


def contact_sheet(project: Project) -> bytes:
    """Return the contact sheet of all groups, PNG."""
    from packed_scenes.aggregate import ContactSheet
    from packed_scenes.web.server.pagedata import png

    photos = [p for p in project.photos if p.source is not None]
    sheet = ContactSheet(
        [(p.name, project.objects(p.number)) for p in photos],
        colors=project.view().colors,
        names=project.grouping.names,
    )
    wanted = set(sheet.scenes_needed)
    for photo in photos:
        if photo.name in wanted:
            sheet.add(photo.name, project.image(photo.number))
    return png(sheet.draw())


def report(project: Project, number: int) -> ShelfReport:
    """Return the shelf report of one photo."""
    from packed_scenes.aggregate import shelf_report

    names = project.grouping.names
    return shelf_report(project.objects(number), scene=project.photo(number).name, names=names)


def report_page(project: Project, number: int) -> bytes:
    """Return the shelf report of one photo as one HTML page."""
    from packed_scenes.aggregate import draw_overlay, shelf_page

    image, colors = project.image(number), project.view().colors
    names = project.grouping.names
    drawn = draw_overlay(image, project.objects(number), project.places(number), colors=colors, names=names)
    return shelf_page(report(project, number), image, drawn, colors=colors).encode()


def run_zip(project: Project) -> bytes:
    """Return the project as a run folder of ``analyze``, zipped."""
    from packed_scenes.web.project.runs import to_analysis

    with tempfile.TemporaryDirectory(prefix=ASIDE, dir=project.folder.path) as aside:
        return _zipped(to_analysis(project).save(Path(aside) / "run"))


def _zipped(folder: Path) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(folder).as_posix())
    return out.getvalue()
