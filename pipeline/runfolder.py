"""The run folder: every file of the contract, each written whole or not at all.

``OUT/<scene>/overlay.jpg, objects.csv, congregations.json`` per scene; ``OUT/clusters.png``, ``OUT/objects.parquet``,
``OUT/run.json`` and, if something had to be left out, ``OUT/errors.csv`` over all scenes.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.errors import InputError
from data.files import atomic_write, write_json
from pipeline.look import reason
from pipeline.overlap import ahead_of
from pipeline.provenance import command_line, machine, versions

if TYPE_CHECKING:
    import pyarrow as pa

    from aggregate.colors import Color
    from pipeline.analysis import Analysis, SceneResult

DRAWERS = 2  # scenes drawn at once
OVERLAY_QUALITY = 90  # JPEG: halves the file against 95, no visible difference at normal size

Track = Callable[[Iterable[Any], str, int], Iterable[Any]]


def save_run(analysis: Analysis, out: Path, *, progress: Track | None = None) -> Path:
    """Write the run folder of an analysis.

    Args:
        analysis: what to write.
        out: the folder, made if it is not there; files of the same name are replaced.
        progress: wraps the loop over scenes, given (scenes, label, total).

    Memory: a few decoded pictures and the crops of the contact sheet.

    Raises:
        InputError: if the folder cannot be written.
    """
    from aggregate import ContactSheet, assign_colors

    start = time.perf_counter()
    if out.exists() and not out.is_dir():
        raise InputError("is a file, not a folder", file=out, remedy="Choose another --out.")
    for stale in out.rglob(".writing-*"):  # of a run that was killed; a run folder has one writer
        stale.unlink(missing_ok=True)
    scenes = analysis.scenes
    colors = assign_colors([scene.objects for scene in scenes])
    sheet = ContactSheet([(scene.name, scene.objects) for scene in scenes], colors=colors)

    def draw(scene: SceneResult) -> None:
        picture = analysis.pictures.get(scene.source).image
        save_scene(scene, picture, out / scene.name, colors)
        sheet.add(scene.name, picture)

    errors = list(analysis.errors)
    drawn = ahead_of(scenes, draw, workers=DRAWERS)
    for scene, failure in progress(drawn, "drawing", len(scenes)) if progress else drawn:
        if isinstance(failure, Exception):  # a picture that vanished since it was seen, a full disk
            if len(scenes) == 1:
                raise failure
            errors.append((str(scene.source.path or scene.name), reason(failure)))
    from data.images import write_image

    write_image(out / "clusters.png", sheet.draw())
    save_parquet(scenes, out / "objects.parquet")
    if errors:
        with atomic_write(out / "errors.csv") as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([("file", "reason"), *errors])
    else:
        (out / "errors.csv").unlink(missing_ok=True)  # of an earlier run into this folder
    write_json(out / "run.json", run_record(analysis) | {"seconds_write": round(time.perf_counter() - start, 4)})
    return out


def save_scene(
    scene: SceneResult, picture: np.ndarray[Any, np.dtype[np.uint8]], folder: Path, colors: Mapping[int, Color]
) -> None:
    """Write one scene's overlay, table and congregations."""
    from aggregate import congregations_json, draw_overlay, objects_csv
    from data.files import write_text
    from data.images import write_image

    overlay = draw_overlay(picture, scene.objects, scene.congregations, colors=colors)
    write_image(folder / "overlay.jpg", overlay, quality=OVERLAY_QUALITY)
    write_text(folder / "objects.csv", objects_csv(scene.objects, scene.congregations))
    write_text(folder / "congregations.json", congregations_json(scene.congregations))


def save_parquet(scenes: Iterable[SceneResult], path: Path) -> None:
    """Write the objects of all scenes as one Parquet file, embeddings as fixed-size lists, a row group per scene."""
    import pyarrow.parquet as pq

    with atomic_write(path) as temporary:
        writer = None
        for scene in scenes:
            table = _arrow(scene)
            writer = writer or pq.ParquetWriter(temporary, table.schema)
            writer.write_table(table)
        if writer is not None:
            writer.close()


def _arrow(scene: SceneResult) -> pa.Table:
    import pyarrow as pa

    objects = scene.objects
    assert objects.embedding is not None
    assert objects.cluster is not None
    count, width = objects.embedding.shape
    columns = {
        "scene": pa.array([scene.name] * count, pa.string()),
        "object_id": pa.array(objects.object_id.tolist(), pa.string()),
        **{name: pa.array(objects.xyxy[:, i]) for i, name in enumerate(("x1", "y1", "x2", "y2"))},
        "score": pa.array(objects.score),
        "class_id": pa.array(objects.class_id),
        "cluster": pa.array(objects.cluster),
        "probability": pa.array(objects.probability),
        "congregation": pa.array(objects.congregation),
        "embedding": pa.FixedSizeListArray.from_arrays(pa.array(objects.embedding.ravel()), max(width, 1)),
    }
    return pa.table(columns)


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
            "errors": len(analysis.errors),
            "objects": sum(len(s.objects) for s in analysis.scenes),
            "clusters": analysis.clustering["n_clusters"],
            "congregations": sum(len(s.congregations) for s in analysis.scenes),
        },
        "seconds": {name: round(value, 4) for name, value in analysis.seconds.items()},
        "warnings": analysis.warnings,
        "scenes": scenes,
    }
