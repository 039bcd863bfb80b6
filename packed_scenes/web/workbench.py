"""The state behind one browser session: an analysis, edits of it, and what is drawn, recomputed only where needed.

Vectors stay as they are; moving the threshold runs the clustering again, moving the reach only the congregations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.objects import Objects
from packed_scenes.identify import congregate, identify
from packed_scenes.results import Analysis
from packed_scenes.web.edits import Grouping, History, apply, halves, merge, move, regroup, rename, split

if TYPE_CHECKING:
    from packed_scenes.aggregate import Congregation
    from packed_scenes.aggregate.colors import Color

FALLBACK_THRESHOLD = 0.18  # where there was nothing to cluster
Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class View:
    """What is to be drawn now.

    Attributes:
        parts: objects per scene with clusters and congregations.
        congregations: per scene.
        colors: cluster -> (red, green, blue).
    """

    parts: list[Objects]
    congregations: list[list[Congregation]]
    colors: dict[int, Color]


class Workbench:
    """An analysis that is being edited.

    Args:
        analysis: the result of :func:`packed_scenes.analyze`.
        card: the card of the embedder it was made with, whose calibration grouping anew reads, too.
    """

    def __init__(self, analysis: Analysis, *, card: Mapping[str, Any]) -> None:
        self.analysis = analysis
        self._card = card
        self.reach = analysis.settings.reach
        self._seen = [scene.objects for scene in analysis.scenes]
        self.sizes = [scene.size for scene in analysis.scenes]
        self.vectors = _stack([part.embedding for part in self._seen])
        labels = [part.cluster for part in self._seen if part.cluster is not None]
        self._anchor = np.concatenate([np.zeros(0, np.int64), *labels])
        threshold = analysis.clustering.get("threshold")
        start = Grouping(self._anchor, FALLBACK_THRESHOLD if threshold is None else float(threshold))
        self.history = History.start(start)
        self._applied: tuple[Grouping, list[Objects]] | None = None
        self._view: tuple[Grouping, float, View] | None = None

    @property
    def grouping(self) -> Grouping:
        """The present clusters."""
        return self.history.now.grouping

    @property
    def names(self) -> list[str]:
        """The scenes' names."""
        return [scene.name for scene in self.analysis.scenes]

    @property
    def starts(self) -> list[int]:
        """The first row of each scene among all rows, and their number at the end."""
        return [0, *np.cumsum([len(part) for part in self._seen]).tolist()]

    @property
    def boxes(self) -> npt.NDArray[np.float32]:
        """(N, 4) boxes of all rows, in pixels of their own scenes."""
        return np.concatenate([np.zeros((0, 4), np.float32), *(part.xyxy for part in self._seen)])

    def scene_of(self, row: int) -> int:
        """Return the number of the scene that a row is in."""
        return int(np.searchsorted(self.starts, row, side="right")) - 1

    def image(self, scene: int) -> Image:
        """Return a scene's picture, (H, W, 3) uint8 RGB."""
        return self.analysis.pictures.get(self.analysis.scenes[scene].source).image

    def view(self) -> View:
        """Return what is to be drawn, from memory if nothing has changed."""
        grouping = self.grouping
        if self._view is None or self._view[0] is not grouping or self._view[1] != self.reach:
            from packed_scenes.aggregate import assign_colors

            if self._applied is None or self._applied[0] is not grouping:
                self._applied = grouping, apply(grouping, self._seen)
            settings = replace(self.analysis.settings, reach=self.reach)
            parts, found = congregate(self._applied[1], self.sizes, settings=settings)
            self._view = grouping, self.reach, View(parts, found, assign_colors(parts))
        return self._view[2]

    def result(self) -> Analysis:
        """Return the analysis as edited, for saving, reports and the catalogue."""
        view = self.view()
        scenes = tuple(
            replace(scene, objects=part, congregations=found)
            for scene, part, found in zip(self.analysis.scenes, view.parts, view.congregations, strict=True)
        )
        cluster = self.grouping.cluster
        clustering = self.analysis.clustering | {
            "threshold": self.grouping.threshold,
            "n_clusters": len(self.grouping.clusters),
            "noise_share": float(np.mean(cluster < 0)) if len(cluster) else 0.0,
            "edits": [step.label for step in (*self.history.past, self.history.now)[1:]],
        }
        settings = replace(self.analysis.settings, reach=self.reach)
        return replace(self.analysis, scenes=scenes, clustering=clustering, settings=settings)

    # Edits; each raises InputError and changes nothing if it cannot be done

    def set_threshold(self, threshold: float) -> None:
        """Group everything that nobody edited anew."""
        grouping = self.grouping
        if threshold == grouping.threshold:
            return
        free, bounds = grouping.free, self.starts
        rest = [part.select(free[a:b]) for part, a, b in zip(self._seen, bounds[:-1], bounds[1:], strict=True)]
        parts, _ = identify(rest, settings=replace(self.analysis.settings, threshold=threshold), card=self._card)
        fresh = np.concatenate([np.zeros(0, np.int64), *(p.cluster for p in parts if p.cluster is not None)])
        after = regroup(grouping, fresh, threshold=threshold, anchor=self._anchor)
        self.history = self.history.do("Similarity changed", after, fold=True)

    def rename(self, cluster: int, name: str) -> None:
        """Name a cluster."""
        after = rename(self.grouping, cluster, name)
        self.history = self.history.do(f"{self.grouping.label(cluster)} renamed", after)

    def merge(self, clusters: Sequence[int]) -> None:
        """Make several clusters one."""
        self.history = self.history.do(f"{len(set(clusters))} groups merged", merge(self.grouping, clusters))

    def move(self, rows: Sequence[int], to: int | None) -> int:
        """Give objects to another cluster, to noise (-1) or to a new one (None); returns which."""
        after, target = move(self.grouping, rows, to)
        what = "1 object" if len(set(rows)) == 1 else f"{len(set(rows))} objects"
        self.history = self.history.do(f"{what} moved to {after.label(target)}", after)
        return target

    def split(self, cluster: int) -> None:
        """Split a cluster in two where it is widest."""
        rows = np.flatnonzero(self.grouping.cluster == cluster)
        after = split(self.grouping, cluster, halves(self.vectors[rows]))
        self.history = self.history.do(f"{self.grouping.label(cluster)} split", after)

    def undo(self) -> None:
        """Take the last edit back."""
        self.history = self.history.undo()

    def redo(self) -> None:
        """Do it again."""
        self.history = self.history.redo()


def _stack(parts: Sequence[npt.NDArray[np.float32] | None]) -> npt.NDArray[np.float32]:
    full = [part for part in parts if part is not None and len(part)]
    return np.concatenate(full) if full else np.zeros((0, 1), np.float32)
