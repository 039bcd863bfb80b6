"""The run folder: every file of the contract, each written whole or not at all.

``OUT/<scene>/overlay.jpg, objects.csv, congregations.json`` per scene; ``OUT/clusters.png``, ``OUT/objects.parquet``,
``OUT/report.html``, ``OUT/run.json`` and, if something had to be left out, ``OUT/errors.csv`` over all scenes.
"""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import write_csv, write_json, write_text
from packed_scenes.data.locks import sweep
from packed_scenes.data.naming import same_name
from packed_scenes.data.read_ahead import try_ahead
from packed_scenes.data.text import load_json
from packed_scenes.objects_table import save_parquet
from packed_scenes.observe import reason
from packed_scenes.provenance import command_line, machine, versions
from packed_scenes.titles import drawn_titles

if TYPE_CHECKING:
    from packed_scenes.aggregate.colors import Color
    from packed_scenes.results import Analysis, SceneResult

DRAWERS = 2  # scenes drawn at once
SCENE_FILES = (  # of one scene, by all commands
    "overlay.jpg", "objects.csv", "congregations.json", "shelf.html", "differences.csv", "differences.png",
)  # fmt: skip
OVERLAY_QUALITY = 90  # JPEG: halves the file against 95, no visible difference at normal size

Track = Callable[[Iterable[Any], str, int], Iterable[Any]]


def save_run(
    analysis: Analysis, out: Path, *, progress: Track | None = None, drawn: dict[str, str] | None = None
) -> Path:
    """Write the run folder of an analysis.

    Args:
        analysis: what to write.
        out: the folder, made if it is not there; files of the same name are replaced.
        progress: wraps the loop over scenes, given (scenes, label, total).
        drawn: what this process has drawn here before, by scene; a scene whose overlay would be the same is not drawn
            again, and this is brought up to date. The caller takes out scenes whose picture changed.

    Memory: a few decoded pictures and the crops of the contact sheet.

    Raises:
        InputError: if the folder cannot be written.
    """
    from packed_scenes.aggregate import ContactSheet, assign_colors
    from packed_scenes.data.images import write_image

    drawn = {} if drawn is None else drawn
    start = time.perf_counter()
    if out.exists() and not out.is_dir():
        raise InputError("is a file, not a folder", file=out, remedy="Choose another --out.")
    sweep(out, below=True)  # of a run that was killed
    remove_scenes(out, but={scene.name for scene in analysis.scenes})
    scenes = analysis.scenes
    colors = assign_colors([scene.objects for scene in scenes])
    titles = drawn_titles(analysis.names, analysis.identities)
    sheet = ContactSheet([(scene.name, scene.objects) for scene in scenes], colors=colors, names=titles)

    seen, wanted = itertools.count(1), set(sheet.scenes_needed)
    with ThreadPoolExecutor(1) as aside:
        written: list[Future[None]] = []

        def draw(scene: SceneResult) -> None:
            looks = appearance(scene, colors, analysis.titles) + analysis.settings.overlay
            again = drawn.get(scene.name) != looks or not (out / scene.name / "overlay.jpg").exists()
            adding: Future[None] | None = None
            try:
                if again or scene.name in wanted:
                    picture = analysis.pictures.get(scene.source).image
                    adding = aside.submit(sheet.add, scene.name, picture)  # beside the overlay
            finally:
                if next(seen) == len(scenes):  # no more crops will come
                    written.append(aside.submit(lambda: write_image(out / "clusters.png", sheet.draw())))
            if again:
                save_overlay(
                    scene, picture, out / scene.name, colors, show=analysis.settings.overlay, names=analysis.names,
                    identities=analysis.identities,
                )  # fmt: skip
                drawn[scene.name] = looks
            save_tables(scene, out / scene.name, names=analysis.names, identities=analysis.identities)
            if adding is not None:
                adding.result()  # until then the picture is held

        errors = analysis.left_out
        drawing = try_ahead(draw, scenes, workers=DRAWERS)
        for scene, failure in progress(drawing, "drawing", len(scenes)) if progress else drawing:
            if isinstance(failure, Exception):  # a picture that vanished since it was observed, a full disk
                if len(scenes) == 1:
                    raise failure
                errors.append((scene.source.where, reason(failure)))
        for sheet_written in written:
            sheet_written.result()
    save_report(analysis, out, errors, overlays=out, colors=colors, crops=sheet.first_crops())
    save_summary(analysis, out, errors, seconds=time.perf_counter() - start)
    return out


def remove_scenes(out: Path, *, but: Collection[str]) -> None:
    """Remove the folders of scenes that the record of an earlier run here lists and the new run has not.

    Only what runs write is removed; a folder that holds something else stays with that.
    """
    try:
        listed = load_json((out / "run.json").read_text(encoding="utf-8"))["scenes"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    kept = {same_name(name) for name in but}
    for name in listed if isinstance(listed, dict) else ():
        folder = out / name
        if same_name(name) in kept or Path(name).name != name or folder.is_symlink() or not folder.is_dir():
            continue
        for written in SCENE_FILES:
            (folder / written).unlink(missing_ok=True)
        with suppress(OSError):  # not empty
            folder.rmdir()


def save_summary(analysis: Analysis, out: Path, errors: Sequence[tuple[str, str]], *, seconds: float) -> None:
    """Write what is of all scenes: the table of all objects, the errors, and last the record of the run."""
    save_parquet(analysis.scenes, out / "objects.parquet", names=analysis.names, identities=analysis.identities)
    if errors:
        write_csv(out / "errors.csv", [("file", "reason"), *errors])
    else:
        (out / "errors.csv").unlink(missing_ok=True)  # of an earlier run into this folder
    write_json(out / "run.json", run_record(analysis) | {"seconds_write": round(seconds, 4)})


def save_report(
    analysis: Analysis,
    out: Path,
    errors: Sequence[tuple[str, str]],
    *,
    overlays: Path,
    colors: Mapping[int, Color],
    crops: Mapping[int, npt.NDArray[np.uint8]],
) -> None:
    """Write the page to read; ``overlays`` holds ``<scene>/overlay.jpg``, ``crops`` a picture a cluster."""
    from packed_scenes.report import report_page

    page = report_page(analysis, errors, run_record(analysis), overlays=overlays, colors=colors, crops=crops)
    write_text(out / "report.html", page)


def appearance(scene: SceneResult, colors: Mapping[int, Color], titles: Mapping[int, str] | None = None) -> str:
    """Hash everything that decides how a scene's overlay looks, but the picture itself."""
    from packed_scenes.aggregate import congregations_json

    cluster = scene.objects.cluster
    assert cluster is not None
    here = [(c, colors[c], (titles or {}).get(c, "")) for c in np.unique(cluster[cluster >= 0]).tolist()]
    text = f"{here}{congregations_json(scene.congregations)}".encode()
    return hashlib.sha256(scene.objects.xyxy.tobytes() + cluster.tobytes() + text).hexdigest()


def save_overlay(
    scene: SceneResult,
    picture: npt.NDArray[np.uint8],
    folder: Path,
    colors: Mapping[int, Color],
    *,
    show: str = "both",
    names: Mapping[int, str] | None = None,
    identities: Mapping[int, int] | None = None,
) -> None:
    """Draw one scene's overlay into its folder; options as of :func:`packed_scenes.people_groups.draw_scene`."""
    from packed_scenes.data.images import write_image
    from packed_scenes.people_groups import draw_scene

    overlay = draw_scene(
        picture, scene.objects, scene.congregations, colors=colors, show=show, names=names, identities=identities
    )
    write_image(folder / "overlay.jpg", overlay, quality=OVERLAY_QUALITY)


def save_tables(
    scene: SceneResult,
    folder: Path,
    *,
    names: Mapping[int, str] | None = None,
    identities: Mapping[int, int] | None = None,
) -> None:
    """Write one scene's table and congregations; a file that says the same already is left alone."""
    from packed_scenes.aggregate import congregations_json, objects_csv

    texts = {
        "objects.csv": objects_csv(scene.objects, scene.congregations, names=names, identities=identities),
        "congregations.json": congregations_json(scene.congregations),
    }
    for name, text in texts.items():
        try:
            same = (folder / name).read_bytes() == text.encode(errors="backslashreplace")
        except OSError:
            same = False
        if not same:
            write_text(folder / name, text)


def run_record(analysis: Analysis) -> dict[str, Any]:
    """Say how the run was made: parameters, versions, weights, times, counts, warnings, as JSON values."""
    scenes = {
        scene.name: {
            "source": None if scene.source.path is None else str(scene.source.path),
            "size": {"height": scene.size[0], "width": scene.size[1]},
            "n_objects": len(scene.objects),
            "n_congregations": len(scene.congregations),
            "detection": scene.detection,
            "seconds": {name: round(value, 4) for name, value in scene.seconds.items()},
        }
        for scene in analysis.scenes
    }
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command_line(),
        "settings": analysis.settings.to_json(),
        "seed": analysis.settings.seed,
        "versions": versions(),
        "machine": machine(),
        "weights_sha256": analysis.weights,
        "clustering": analysis.clustering,
        "counts": {
            "scenes": len(scenes),
            "errors": len(analysis.left_out),
            "objects": sum(len(s.objects) for s in analysis.scenes),
            "clusters": analysis.clustering["n_clusters"],
            "congregations": sum(len(s.congregations) for s in analysis.scenes),
        },
        "seconds": {name: round(value, 4) for name, value in analysis.seconds.items()},
        "warnings": analysis.warnings,
        **{
            key: {str(cluster): value for cluster, value in sorted(known.items())}
            for key, known in (("names", analysis.names), ("identities", analysis.identities))
            if known is not None
        },
        "scenes": scenes,
    }
