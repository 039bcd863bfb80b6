"""The report of a run: one HTML page that holds its pictures, runs no script and asks nothing of the network."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.aggregate.colors import NOISE_COLOR, Color, is_light
from packed_scenes.aggregate.page import data_uri, fitted
from packed_scenes.aggregate.sheet import MIN_PROBABILITY
from packed_scenes.data.errors import InputError
from packed_scenes.data.faults import entries, left_out
from packed_scenes.data.files import read_bytes
from packed_scenes.data.hidden import html_text
from packed_scenes.data.images import read_image
from packed_scenes.data.objects import NOISE
from packed_scenes.markup import page, table

if TYPE_CHECKING:
    from packed_scenes.results import Analysis, SceneResult

PICTURES = 24  # photos whose overlays are in the page
MAX_SIDE = 1400  # pixels of the longer side of overlays that are too large to go in as they are
MAX_BYTES = 12_000_000  # of all overlays in the page, as text
ROWS = 200  # lines of a table or list
KINDS_OF_NUMBERS = (
    "A number with # is an identity of the catalogue, which keeps it; a number without # is a group of this run, as "
    "in the column cluster of its tables."
)
MORE = """
.zoom{display:block;position:relative;cursor:zoom-in;overflow:auto}
.zoom input{position:absolute;opacity:0}
.zoom:has(input:focus-visible){outline:3px solid #3b82f6}
.zoom:has(input:checked){cursor:zoom-out;max-height:90vh}
.zoom input:checked+img.scene{width:auto;max-width:none}
h3{font-size:1rem;margin:1.4em 0 .4em;overflow-wrap:anywhere}
td,li{overflow-wrap:anywhere}
td.n{overflow-wrap:normal;white-space:nowrap}
"""


def report_page(
    analysis: Analysis,
    errors: Sequence[tuple[str, str]],
    record: Mapping[str, Any],
    *,
    overlays: Path,
    colors: Mapping[int, Color],
    crops: Mapping[int, npt.NDArray[np.uint8]],
) -> str:
    """Write the page.

    Args:
        analysis: what was found.
        errors: (file, reason) of what was left out: pictures, while drawing too, and entries of box files.
        record: how the run was made (:func:`packed_scenes.runfolder.run_record`); its times and
            its command are not used, so that the page does not depend on the folder's name.
        overlays: folder with ``<scene>/overlay.jpg``.
        colors: cluster -> colour, as on the overlays.
        crops: cluster -> a picture of it, (H, W, 3) uint8 RGB.

    Returns:
        HTML text. Names are hostile text: escaped, control and direction characters shown. The same input gives the
        same text. Of many photos the first ``PICTURES`` are shown, as far as ``MAX_BYTES`` reach.
    """
    counts = record["counts"]
    figures = [
        ("photos", counts["scenes"]), ("objects", counts["objects"]), ("identities", counts["clusters"]),
        ("congregations", counts["congregations"]), ("left out", sum(entries(why) for _, why in errors)),
    ]  # fmt: skip
    warnings = [line for line in analysis.warnings if left_out(line) is None]
    parts = ["<h1>What was found</h1>", '<div class="figures">']
    parts += [f"<div><b>{value:,}</b><span>{name}</span></div>" for name, value in figures]
    parts += [
        "</div>",
        "<h2>Photos</h2>", *_photos(analysis), *_overlays(analysis.scenes, overlays, {file for file, _ in errors}),
        "<h2>Groups</h2>", *_groups(analysis, colors, crops),
        "<h2>Doubtful objects</h2>", *_doubtful(analysis),
        "<h2>Left out</h2>", *_list([f"{file}: {why}" for file, why in errors], "Nothing was left out.", "errors.csv"),
        "<h2>Warnings</h2>", *_list(warnings, "There are no warnings.", "run.json"),
        "<h2>How it was made</h2>", *_made(record),
    ]  # fmt: skip
    return page("What was found", parts, style=MORE)


def _photos(analysis: Analysis) -> list[str]:
    rows = [
        [html_text(s.name), f"{len(s.objects):,}", f"{len(np.setdiff1d(_clusters(s), [NOISE])):,}",
         f"{len(s.congregations):,}", f"{int((_clusters(s) == NOISE).sum()):,}"]
        for s in analysis.scenes[:ROWS]
    ]  # fmt: skip
    head = ("photo", "objects", "identities", "congregations", "in no group")
    return [table(head, rows, numbers=(1, 2, 3, 4)), *_rest(len(analysis.scenes), "photos", "run.json")]


def _overlays(scenes: Sequence[SceneResult], folder: Path, lost: set[str]) -> list[str]:
    share = MAX_BYTES // max(1, min(len(scenes), PICTURES))
    parts, used, shown = ["<p>Click or tap a photo to see it larger, and again to see all of it.</p>"], 0, 0
    for scene in scenes[:PICTURES]:
        uri = "" if scene.source.where in lost else _overlay(folder / scene.name / "overlay.jpg", share)
        if used + len(uri) > MAX_BYTES:
            break
        shown, used = shown + 1, used + len(uri)
        name = html_text(scene.name)
        parts.append(f"<h3>{name}</h3>")
        parts.append(
            f'<label class="zoom"><input type="checkbox" aria-label="larger: {name}">'
            f'<img class="scene" alt="{name} with its groups" src="{uri}"></label>'
            if uri
            else "<p>Its overlay could not be drawn.</p>"
        )
    left = [html_text(scene.name) for scene in scenes[shown : shown + ROWS]]
    if left:
        more = len(scenes) - shown - len(left)
        parts.append(
            f"<p>To keep this page small, the overlays of {len(scenes) - shown:,} photos are only in their folders "
            f"(overlay.jpg): {', '.join(left)}{f' and {more:,} more' if more else ''}.</p>"
        )
    return parts


def _overlay(file: Path, most: int) -> str:
    """Hold an overlay as it is where that takes no more than ``most`` characters, else reduced."""
    try:
        content = read_bytes(file)
        if len(content) * 4 / 3 < most:
            return "data:image/jpeg;base64," + base64.b64encode(content).decode("ascii")
        return data_uri(fitted(read_image(file), longest=MAX_SIDE))
    except InputError:  # not drawn
        return ""


def _groups(analysis: Analysis, colors: Mapping[int, Color], crops: Mapping[int, npt.NDArray[np.uint8]]) -> list[str]:
    scenes = analysis.scenes
    ids, count = np.unique(_joined(scenes), return_counts=True)
    photos = np.unique(np.concatenate([np.zeros(0, np.int64), *(np.unique(_clusters(s)) for s in scenes)]),
                       return_counts=True)[1]  # fmt: skip
    stands = np.array([c.cluster for s in scenes for c in s.congregations], np.int64)
    standing = dict(zip(*(a.tolist() for a in np.unique(stands, return_counts=True)), strict=True))
    order = np.lexsort((ids, -count, ids == NOISE)).tolist()
    rows = [
        [_crop(crops.get(int(ids[at]))), *_called(int(ids[at]), analysis, colors), f"{count[at]:,}",
         f"{standing.get(int(ids[at]), 0):,}", f"{photos[at]:,}"]
        for at in order[:ROWS]
    ]  # fmt: skip
    if not rows:
        return ["<p>There are no objects.</p>"]
    head = ("", *_columns(analysis), "objects", "congregations", "photos")
    return [
        *([] if analysis.identities is None else [f"<p>{KINDS_OF_NUMBERS}</p>"]),
        table(head, rows, numbers=range(len(head) - 3, len(head))),
        *_rest(len(order), "groups", "objects.parquet"),
    ]


def _crop(crop: npt.NDArray[np.uint8] | None) -> str:
    return "" if crop is None else f'<img alt="" src="{data_uri(crop)}">'


def _columns(analysis: Analysis) -> list[str]:
    """What the columns of :func:`_called` are."""
    catalogue = [] if analysis.identities is None else ["catalogue"]
    return [*catalogue, "group", *([] if analysis.names is None else ["name"])]


def _called(cluster: int, analysis: Analysis, colors: Mapping[int, Color] | None = None) -> list[str]:
    """How a cluster is called: its number in the catalogue, its number in this run, its name, as far as asked for.

    Args:
        cluster: its number in this run.
        analysis: whose cluster it is.
        colors: for a tag as on the photos.
    """
    cells = ["in no group" if cluster == NOISE else str(cluster)]
    if analysis.identities is not None:
        cells.insert(0, f"#{analysis.identities[cluster]}" if cluster in analysis.identities else "")
    if colors is not None:
        color = NOISE_COLOR if cluster == NOISE else colors[cluster]
        paint = f"background:rgb({','.join(str(int(v)) for v in color)});color:{'#000' if is_light(color) else '#fff'}"
        cells[0] = f'<span class="tag" style="{paint}">{cells[0]}</span>'
    return cells if analysis.names is None else [*cells, html_text(analysis.names.get(cluster, ""))]


def _doubtful(analysis: Analysis) -> list[str]:
    """List members of groups of two or more whose membership is below ``MIN_PROBABILITY``, the least sure first."""
    scenes = analysis.scenes
    ids, count = np.unique(_joined(scenes), return_counts=True)
    grouped = ids[(ids != NOISE) & (count > 1)]
    found = []
    for place, scene in enumerate(scenes):
        if scene.objects.probability is not None:
            sure = np.round(scene.objects.probability, 4)  # as objects.csv; the last bits change with the threads
            rows = np.flatnonzero((sure < MIN_PROBABILITY) & np.isin(_clusters(scene), grouped))
            found += [(float(sure[row]), place, row) for row in rows.tolist()]
    found.sort()
    if not found:
        return [f"<p>No member of a group has a membership below {MIN_PROBABILITY}.</p>"]
    lines = []
    for sure_of, place, row in found[:ROWS]:
        objects = scenes[place].objects
        box = ", ".join(f"{value:.0f}" for value in objects.xyxy[row].tolist())
        cluster = int(_clusters(scenes[place])[row])
        about = [html_text(scenes[place].name), html_text(objects.object_id[row])]
        lines.append([*about, *_called(cluster, analysis), f"{sure_of:.2f}", box])
    head = ("photo", "object", *_columns(analysis), "membership", "x1, y1, x2, y2 (pixels)")
    return [
        f"<p>Members of groups with a membership below {MIN_PROBABILITY}, the least sure first: {len(found):,}.</p>",
        table(head, lines, numbers=(len(head) - 2,)),
        *_rest(len(found), "doubtful objects", "objects.parquet"),
    ]


def _list(lines: Sequence[str], nothing: str, file: str) -> list[str]:
    if not lines:
        return [f"<p>{nothing}</p>"]
    return [
        "<ul>",
        *(f"<li>{html_text(line)}</li>" for line in lines[:ROWS]),
        "</ul>",
        *_rest(len(lines), "lines", file),
    ]


def _made(record: Mapping[str, Any]) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    settings = [
        [html_text(key), f"<code>{html_text(json.dumps(value))}</code>"] for key, value in record["settings"].items()
    ]
    return [
        f"<p>Versions: {html_text(versions)}. The command, hashes of the weights and times are in run.json.</p>",
        table(("setting", "value"), settings),
    ]


def _rest(count: int, what: str, file: str) -> list[str]:
    return [f"<p>{count - ROWS:,} more {what} are in {file}.</p>"] if count > ROWS else []


def _clusters(scene: SceneResult) -> npt.NDArray[np.int64]:
    assert scene.objects.cluster is not None
    return scene.objects.cluster


def _joined(scenes: Sequence[SceneResult]) -> npt.NDArray[np.int64]:
    return np.concatenate([np.zeros(0, np.int64), *(_clusters(scene) for scene in scenes)])
