"""What can be taken away from the web app: tables, COCO, pictures, the report page, as bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from packed_scenes.data.objects import NOISE
from packed_scenes.web.webdata import png
from packed_scenes.web.workbench import Workbench

if TYPE_CHECKING:
    from packed_scenes.aggregate import ShelfReport
    from packed_scenes.catalogue import Added, Catalogue

COLUMNS = ("scene", "object_id", "x1", "y1", "x2", "y2", "score", "cluster", "name", "probability", "congregation")


def objects_table(bench: Workbench) -> bytes:
    """Return all objects as CSV (UTF-8); texts that a spreadsheet would run as formulas are made harmless."""
    from packed_scenes.aggregate.shelf import csv_text
    from packed_scenes.aggregate.tables import congregation_labels

    view, lines = bench.view(), []
    for name, part, found in zip(bench.names, view.parts, view.congregations, strict=True):
        assert part.cluster is not None
        assert part.probability is not None
        labels = congregation_labels(part, found).tolist()
        for k in range(len(part)):
            box = (f"{v:.2f}" for v in part.xyxy[k].tolist())
            cluster = int(part.cluster[k])
            title = bench.grouping.names.get(cluster, "")
            lines.append(
                (name, str(part.object_id[k]), *box, f"{part.score[k]:.4f}", cluster, title,
                 f"{part.probability[k]:.4f}", labels[k])
            )  # fmt: skip
    return csv_text(COLUMNS, lines).encode()


def coco(bench: Workbench) -> bytes:
    """Return all scenes as COCO JSON whose categories are the groups, by name where they have one."""
    from packed_scenes.data.coco import to_coco
    from packed_scenes.data.labelled import LabelledScene

    grouping, view = bench.grouping, bench.view()
    highest = max(grouping.clusters, default=NOISE)
    titles = tuple(grouping.names.get(c, str(c)) for c in range(highest + 1))
    scenes = [
        LabelledScene(Path(f"{name}.jpg"), name, part, size=(size[1], size[0]), categories=titles)
        for name, part, size in zip(bench.names, view.parts, bench.sizes, strict=True)
    ]
    return json.dumps(to_coco(scenes), ensure_ascii=False, allow_nan=False).encode()


def overlay(bench: Workbench, scene: int) -> bytes:
    """Return one scene with its congregations drawn, PNG."""
    from packed_scenes.aggregate import draw_overlay

    view = bench.view()
    return png(draw_overlay(bench.image(scene), view.parts[scene], view.congregations[scene], colors=view.colors))


def contact_sheet(bench: Workbench) -> bytes:
    """Return the contact sheet of all groups, PNG."""
    from packed_scenes.aggregate import ContactSheet

    view = bench.view()
    sheet = ContactSheet(list(zip(bench.names, view.parts, strict=True)), colors=view.colors)
    for number, name in enumerate(bench.names):
        sheet.add(name, bench.image(number))
    return png(sheet.draw())


def report(bench: Workbench, scene: int) -> ShelfReport:
    """Return the shelf report of one scene."""
    from packed_scenes.aggregate import shelf_report

    return shelf_report(bench.view().parts[scene], scene=bench.names[scene], names=bench.grouping.names)


def report_page(bench: Workbench, scene: int) -> bytes:
    """Return the shelf report of one scene as one HTML page."""
    from packed_scenes.aggregate import draw_overlay, shelf_page

    view, image = bench.view(), bench.image(scene)
    drawn = draw_overlay(image, view.parts[scene], view.congregations[scene], colors=view.colors)
    return shelf_page(report(bench, scene), image, drawn, colors=view.colors).encode()


def add_named(bench: Workbench, catalogue: Catalogue) -> Added:
    """Add the scenes as edited to a catalogue; names go to identities that have none yet.

    Raises:
        InputError: as :meth:`packed_scenes.catalogue.Catalogue.add_analysis`.
    """
    result = bench.result()
    added = catalogue.add_analysis(result)
    skipped = {given for given, _ in added.skipped}
    fresh = iter(added.scenes)
    taken = {identity.name for identity in catalogue.identities()}
    for scene in result.scenes:
        if scene.name in skipped:
            continue
        there = {sighting.key: sighting for sighting in catalogue.in_scene(next(fresh))}
        for cluster, name in bench.grouping.names.items():
            assert scene.objects.cluster is not None
            ids = scene.objects.object_id[scene.objects.cluster == cluster].tolist()
            whose = {there[key].identity_id for key in ids if key in there and there[key].name is None}
            if len(whose) == 1 and name not in taken:
                catalogue.rename(whose.pop(), name)
                taken.add(name)
    return added
