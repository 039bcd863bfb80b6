"""All pictures of a study, and the report that holds them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from packed_scenes.cluster.labels import Labels
from packed_scenes.data.files import write_text
from packed_scenes.data.images import write_image
from packed_scenes.study import curves
from packed_scenes.study.ledger import Row
from packed_scenes.study.maps import choose_rows, draw_maps, make_maps, write_page
from packed_scenes.study.options import StudyOptions
from packed_scenes.study.outliers import SHOWN, write_outliers
from packed_scenes.study.report import Pictures, report_page
from packed_scenes.study.study import StudyResult

Track = Callable[[Iterable[Any], str, int], Iterator[Any]]


def write_figures(
    result: StudyResult, row: Row, labels: Labels, prepared: Path, options: StudyOptions, track: Track | None = None
) -> list[Path]:
    """Draw everything about one model and write the report; return the report and the interactive maps.

    Args:
        result: the study.
        row: the model to show.
        labels: (N,) its labels.
        prepared: .npy of its space.
        options: of the study.
        track: wraps the loop over pictures for a progress bar.
    """
    X = np.load(prepared, mmap_mode="r", allow_pickle=False)
    drawing = _Drawing(result, row, labels, X, options)
    steps = [drawing.curves, drawing.counts, drawing.maps, drawing.sheet, drawing.outliers]
    for step in steps if track is None else track(steps, "pictures", len(steps)):
        step()
    page = result.out / "report.html"
    write_text(page, report_page(result, row, labels, drawing.pictures))
    return [page, *drawing.pages]


class _Drawing:
    """The pictures of one model, each made by one step."""

    def __init__(self, result: StudyResult, row: Row, labels: Labels, X: Any, options: StudyOptions) -> None:
        self.result, self.row, self.labels, self.X, self.options = result, row, labels, X, options
        self.pictures = Pictures()
        self.pages: list[Path] = []

    def curves(self) -> None:
        rows, best, out = self.result.rows, self.result.true_best, self.result.out
        if any(row.method == "kmeans" for row in rows):
            self.pictures.kmeans = out / "kmeans.png"
            curves.draw_kmeans(rows, self.pictures.kmeans)
        self.pictures.scores = out / "scores.png"
        curves.draw_scores(rows, self.pictures.scores)
        if best is not None:
            self.pictures.truth = out / "scores_against_truth.png"
            curves.draw_against_truth(rows, self.pictures.truth, winner=self.result.winner or self.row, best=best)

    def counts(self) -> None:
        self.pictures.counts = self.result.out / "clusters.png"
        curves.draw_counts(self.labels, self.pictures.counts, title=f"{self.row.space} · {self.row.model}")

    def maps(self) -> None:
        out, truth = self.result.out, self.result.collection.truth
        rows = choose_rows(len(self.labels), seed=self.options.seed)
        shown = "all" if len(rows) == len(self.labels) else f"a sample of {len(rows)} of"
        self.pictures.shown = f"{shown} {len(self.labels)} rows"
        maps = make_maps(self.X[rows], seed=self.options.seed)
        labels = self.labels[rows]
        self.pictures.maps = out / "maps.png"
        draw_maps(maps, labels, self.pictures.maps, title=f"{self.row.space}: clusters, {self.pictures.shown}")
        for one in maps:
            draw_maps([one], labels, out / f"{_slug(one.name)}_{one.dimensions}d.png", title=self.row.space)
        if truth is not None:
            self.pictures.truth_maps = out / "maps_truth.png"
            names = dict(enumerate(self.result.collection.truth_names))
            draw_maps(maps, truth[rows], self.pictures.truth_maps, title=f"{self.row.space}: truth", names=names)
        paths = self.result.collection.paths
        hover = [paths[row].name if paths else f"row {row}" for row in rows.tolist()]
        for one in maps:
            if one.name == "UMAP":
                page = out / f"umap_{one.dimensions}d.html"
                write_page(one, labels, page, title=f"{self.row.space} · {self.row.model}", hover=hover)
                self.pages.append(page)

    def sheet(self) -> None:
        from packed_scenes.crops import cluster_sheet
        from packed_scenes.study.crops import strengths

        paths = self.result.collection.paths
        if paths is not None:
            self.pictures.sheet = self.result.out / "clusters.jpg"
            strength = strengths(self.X, self.labels)
            write_image(
                self.pictures.sheet, cluster_sheet(paths, self.labels, strength, rows=40, cell=(96, 96)), quality=85
            )

    def outliers(self) -> None:
        from packed_scenes.crops import crop_grid

        out, paths = self.result.out, self.result.collection.paths
        error = next((d.errors for d in self.result.collection.descriptors if d.errors is not None), None)
        errors = None if error is None else np.load(error, allow_pickle=False)
        order = write_outliers(self.X, out / "outliers.csv", paths=paths, reconstruction=errors, seed=self.options.seed)
        if paths is not None:
            self.pictures.outliers = out / "outliers.jpg"
            write_image(self.pictures.outliers, crop_grid([paths[row] for row in order[:SHOWN].tolist()]), quality=85)


def _slug(name: str) -> str:
    return name.lower().replace("-", "")
