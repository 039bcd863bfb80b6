"""The results folder beyond the tables: sorted crops, sheets, maps, curves, outliers and the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from packed_scenes.crops.folders import FolderKind, sort_into_folders
from packed_scenes.data.errors import InputError, named
from packed_scenes.study.labelstore import LabelStore
from packed_scenes.study.ledger import Row
from packed_scenes.study.options import StudyOptions
from packed_scenes.study.study import StudyResult, prepared_of

Track = Callable[[Iterable[Any], str, int], Iterator[Any]]


def write_results(
    result: StudyResult,
    options: StudyOptions,
    *,
    model: str | None = None,
    show: int | None = None,
    folders: str = "none",
    track: Track | None = None,
) -> list[Path]:
    """Write what a person looks at; return the files that matter most, the report first.

    Args:
        result: from :func:`packed_scenes.study.run_study`.
        options: of the study.
        model: key of the model to show; None = the winner.
        show: also write a sheet of this cluster (-1 = noise).
        folders: a folder per cluster: ``links``, ``copies`` or ``none``.
        track: wraps loops for a progress bar.

    Raises:
        InputError: for an unknown model or cluster, or if there are no crops to show.
    """
    kind = named(FolderKind, folders, "kind of cluster folders")
    row = _chosen(result, model)
    if row is None:
        return [result.out / "scores.csv"]
    labels = LabelStore(result.out / "labels").read(row.key)
    written: list[Path] = []
    if show is not None or kind is not FolderKind.NONE:
        from packed_scenes.study.crops import show_cluster

        paths = result.collection.paths
        if paths is None:
            raise InputError("there are no crops to show: only matrices were given")
        if show is not None:
            written.append(show_cluster(paths, labels, show, result.out))
        if kind is not FolderKind.NONE:
            written.append(sort_into_folders(paths, labels, result.out / "clusters", kind=kind))
    if options.figures:
        from packed_scenes.study.figures import write_figures

        written[:0] = write_figures(result, row, labels, prepared_of(result, row), options, track)
    return [*written, result.out / "best_clustering.csv", result.out / "scores.csv"]


def _chosen(result: StudyResult, key: str | None) -> Row | None:
    if key is None:
        return result.winner
    found = [row for row in result.rows if row.key.startswith(key)]
    if len(found) != 1:
        raise InputError(f"{len(found)} models have a key that starts with {key!r}", remedy="Keys stand in scores.csv.")
    return found[0]
