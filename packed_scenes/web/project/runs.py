"""Run folders of ``packed-scenes analyze`` as projects, and projects as run folders."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import read_bytes, sha256_file
from packed_scenes.data.objects import Objects
from packed_scenes.data.text import load_json
from packed_scenes.objects_table import read_objects
from packed_scenes.pictures import Source
from packed_scenes.settings import Settings
from packed_scenes.web.edits import MAX_NAME
from packed_scenes.web.project.adding import add_scene
from packed_scenes.web.project.project import Project

if TYPE_CHECKING:
    from packed_scenes.results import Analysis

MAX_JSON_BYTES = 64 << 20


def is_run(path: Path) -> bool:
    """Whether a folder is one of ``analyze``."""
    return (path / "run.json").is_file() and (path / "objects.parquet").is_file()


def run_id(path: Path) -> dict[str, str]:
    """Which run a folder holds: where it lies, and the hash of its record."""
    return {"folder": str(path), "sha256": sha256_file(path / "run.json")}


def opened_before(path: Path, root: Path) -> Path | None:
    """The project below ``root`` that was made of this run, if there is one: work goes on there."""
    run = run_id(path)
    for known in sorted(root.iterdir()) if root.is_dir() else ():
        with suppress(OSError, ValueError, AttributeError):
            if load_json((known / "project.json").read_text(encoding="utf-8")).get("run") == run:
                return known
    return None


def read_run(path: Path) -> tuple[dict[str, Any], dict[str, Objects]]:
    """Read the record of a run and its objects by scene.

    Raises:
        InputError: if it is no run folder, or damaged.
    """
    try:
        record = load_json(read_bytes(path / "run.json", max_bytes=MAX_JSON_BYTES, what="run").decode())
        whose, _, every = read_objects(path)
        scenes = {str(name): every.select(whose == name) for name in np.unique(whose)}
        for name, about in record["scenes"].items():
            scenes.setdefault(name, Objects.empty())
            _source(about), _size(about)
        dict(record["settings"]), float(record["clustering"].get("threshold") or 0)
        {int(cluster): str(title) for cluster, title in (record.get("names") or {}).items()}
    except InputError:
        raise
    except (OSError, KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise InputError("the run folder cannot be read", file=path, remedy="Make it again with analyze.") from error
    return record, scenes


def _source(about: dict[str, Any]) -> str | None:
    source = about.get("source")
    if not isinstance(source, str | None):
        raise TypeError(f"a source is {source!r}")
    return source


def _size(about: dict[str, Any]) -> tuple[int, int]:
    return int(about["size"]["height"]), int(about["size"]["width"])


def fill_from_run(project: Project, path: Path) -> list[tuple[str, str]]:
    """Put a run into an empty project; photos are taken by reference.

    Returns:
        (scene, reason) of scenes whose photo is not there any more.
    """
    record, scenes = read_run(path)
    errors = []
    offset: dict[str, Any] = {}
    for name, about in record["scenes"].items():
        source = _source(about)
        if source is None or not os.path.isfile(source):  # noqa: PTH113  (Path.is_file fails on overlong names)
            errors.append((name, "its photo is not where it was, or was given from memory"))
            continue
        file = Path(source).resolve()
        objects = scenes[name]
        if objects.embedding is None:
            objects = objects.replace(embedding=np.zeros((0, 0), np.float32))
        size = _size(about)
        first = len(project.document)
        add_scene(project, name, size, objects, sha256=sha256_file(file), where={"path": str(file)}, detection={})
        offset[name] = first
    columns, patches = project.document, {}
    rows = [np.arange(first, first + len(scenes[name])) for name, first in offset.items()]
    labels = [scenes[name].cluster for name in offset]
    if rows:
        at = np.concatenate(rows)
        patches = columns.patch("cluster", at, np.concatenate([c for c in labels if c is not None]))
    # Every box of the run is shown; with the first photo that is added, the detector's own score is the lowest again.
    values: dict[str, Any] = {"reach": record["settings"].get("reach", 0.3), "confidence": None}
    if record["clustering"].get("threshold") is not None:
        values["threshold"] = float(record["clustering"]["threshold"])
    for cluster, name in (record.get("names") or {}).items():
        values |= {f"name/{int(cluster)}": str(name)[:MAX_NAME], f"pinned/{int(cluster)}": True}
    project.commit("Run opened", columns=patches, values=values)
    project.history.settle()
    return errors


def settings_of(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The settings and weights of a run, for a project made of it."""
    record, _ = read_run(path)
    known = {k: v for k, v in record["settings"].items() if k in Settings.__dataclass_fields__}
    return known | {"threshold": None}, dict(record.get("weights_sha256", {}))


def to_analysis(project: Project) -> Analysis:
    """The project as an analysis: for a run folder, reports, the catalogue."""
    from packed_scenes.identify import congregate
    from packed_scenes.results import Analysis, SceneResult

    grouping, scenes = project.grouping, []
    settings = project.settings
    for photo in project.photos:
        if photo.source is None:
            continue
        source = Source(photo.name, path=photo.source.path)
        part, found = congregate([project.objects(photo.number)], [photo.size], settings=settings)
        scenes.append(SceneResult(source, photo.size, part[0], found[0]))
    if not scenes:
        raise InputError("the project has no photos")
    clustering = {
        "clusterer": settings.clusterer,
        "n_objects": len(grouping.cluster),
        "n_clusters": len(grouping.clusters),
        "noise_share": float(np.mean(grouping.cluster < 0)) if len(grouping.cluster) else 0.0,
        "threshold": grouping.threshold,
        "edits": [change.what for change in project.history.done[: project.history.at]],
        "warnings": [],
    }
    return Analysis(tuple(scenes), replace(settings), clustering, weights=project.weights, names=dict(grouping.names))
