"""``AverageLinkage``: merge the two clusters with the nearest mean cosine until the cut; nothing is noise."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.base import Clusterer, Hints, Vectors
from packed_scenes.cluster.choose import merge_by_silhouette, silhouette_cut
from packed_scenes.cluster.constraints import close
from packed_scenes.cluster.decision.deciding import Evidence
from packed_scenes.cluster.dense import DENSE_LIMIT, average_tree, cosine_distances
from packed_scenes.cluster.labels import Labels, cluster_sums
from packed_scenes.cluster.near_threshold import cluster_near
from packed_scenes.cluster.reciprocal import reciprocal_merge
from packed_scenes.cluster.scene_shift import remove_scene_shifts
from packed_scenes.cluster.spatial import spatial_distances
from packed_scenes.data import InputError
from packed_scenes.data.thresholds import UNCALIBRATED

MARGIN_FLOP_LIMIT = 2e11  # a few seconds on two cores


class Cut(StrEnum):
    """How the threshold is found when it is not a number."""

    ADAPTIVE = "adaptive"
    CALIBRATED = "calibrated"
    SILHOUETTE = "silhouette"


class AverageLinkage(Clusterer):
    """Exact average linkage on cosine distance (UPGMA), for any N.

    Up to ``DENSE_LIMIT`` rows the whole tree is built (scipy); above, reciprocal merging of mean vectors down to the
    threshold (:mod:`packed_scenes.cluster.reciprocal`), with the same labels and without an N x N matrix.

    Args:
        threshold: mean cosine distance up to which clusters merge: a number in [0, 2]; ``"adaptive"`` (near the
            embedder's own, by a silhouette that does not merge unlike singles, see :mod:`packed_scenes.cluster.choose`;
            where groups are large and there are no constraints, by their dense cores, see
            :mod:`packed_scenes.cluster.density_cores`); ``"calibrated"`` (the embedder's own); or ``"silhouette"`` (the
            usual rule: merges too much where most identities are single).
        calibrated: the embedder's own threshold, from its card. ``"adaptive"`` does without: then it is the decision
            (:mod:`packed_scenes.cluster.decision`).
        spatial: use the boxes, if ``fit`` gets them (:mod:`packed_scenes.cluster.spatial`); up to ``DENSE_LIMIT`` rows.
        scene_shift: take out what the light of each scene adds, if ``fit`` gets several scenes
            (:mod:`packed_scenes.cluster.scene_shift`).

    Attributes:
        threshold_: the cosine distance that was used (by cores: up to which a row joins the nearest core).
    """

    _uses_constraints = True
    threshold_: float

    def __init__(
        self,
        threshold: float | str = "adaptive",
        *,
        calibrated: float | None = None,
        spatial: bool = True,
        scene_shift: bool = True,
    ) -> None:
        self.threshold = threshold
        self.calibrated = calibrated
        self.spatial = spatial
        self.scene_shift = scene_shift

    def _cluster(self, X: Vectors, hints: Hints) -> tuple[Labels, npt.NDArray[Any]]:
        rule = _parse(self.threshold)
        if self.calibrated is None:
            if rule is Cut.ADAPTIVE:
                return self._decided(X, hints)
            if rule is Cut.CALIBRATED:
                raise InputError("no calibrated threshold is given", remedy="Give one, or a number as threshold.")
        elif not 0 < self.calibrated <= 2:
            raise InputError(f"calibrated must be a cosine distance in (0, 2], got {self.calibrated}")
        if self.scene_shift and hints.scene is not None and len(X) > 1:
            X = remove_scene_shifts(X, hints.scene, threshold=self._scale)
        if self.spatial and hints.xyxy is not None and len(X) > DENSE_LIMIT:
            self.warnings_.append(f"the places of the boxes were not used: {len(X)} rows, limit {DENSE_LIMIT}")
        if rule is Cut.ADAPTIVE:
            labels, self.threshold_ = cluster_near(X, hints, self._scale, spatial=self.spatial)
        else:
            labels = self._whole_tree(X, hints, rule) if len(X) <= DENSE_LIMIT else self._merged(X, hints, rule)
        return labels, membership(X, labels, self.threshold_)

    @property
    def _scale(self) -> float:
        return UNCALIBRATED if self.calibrated is None else self.calibrated

    def _decided(self, X: Vectors, hints: Hints) -> tuple[Labels, npt.NDArray[Any]]:
        found = Evidence(X, hints, boxes=self.spatial, scene_shift=self.scene_shift).decide()
        self.threshold_ = found.boundary
        return found.labels, found.probability

    def _whole_tree(self, X: Vectors, hints: Hints, rule: float | Cut) -> Labels:
        distance = cosine_distances(X)
        if self.spatial and hints.xyxy is not None:
            distance = spatial_distances(distance, hints.xyxy, hints.scene, reach=self._scale)
        tree = average_tree(distance, close(len(X), hints))
        if rule is Cut.SILHOUETTE:
            self.threshold_ = silhouette_cut(tree, distance)
        else:
            self.threshold_ = self._scale if isinstance(rule, Cut) else rule
        return tree.cut(self.threshold_)

    def _merged(self, X: Vectors, hints: Hints, rule: float | Cut) -> Labels:
        constraints = close(len(X), hints) if hints.constrained else None
        start = None if constraints is None else constraints.group
        cannot_link = None if constraints is None else constraints.cannot_link
        if rule is Cut.SILHOUETTE:
            labels, self.threshold_ = merge_by_silhouette(X, self._scale, start=start, cannot_link=cannot_link)
            return labels
        self.threshold_ = self._scale if isinstance(rule, Cut) else rule
        return reciprocal_merge(X, self.threshold_, start=start, cannot_link=cannot_link)


def membership(X: Vectors, labels: Labels, threshold: float) -> npt.NDArray[np.float64]:
    """Return (N,) strengths b / (a + b) in [0, 1]: a the mean distance to the own cluster, b to the nearest other one.

    For a single row a is the threshold, the distance at which it would have got company. 0.5 is a row between two
    clusters. Where all N x K distances would take more than seconds, b is the threshold as well.
    """
    sums, sizes = cluster_sums(X, labels)
    own = np.einsum("nd,nd->n", X, sums[labels]) - 1
    others = np.maximum(sizes[labels] - 1, 1)
    a = np.where(sizes[labels] > 1, np.clip(1 - own / others, 0, 2), threshold)
    b = np.full(len(X), max(threshold, 1e-12))
    if len(sizes) > 1 and 2.0 * X.size * len(sizes) <= MARGIN_FLOP_LIMIT:
        means = (sums / sizes[:, None]).astype(np.float32)
        for low in range(0, len(X), 1024):
            similarity = X[low : low + 1024] @ means.T
            similarity[np.arange(len(similarity)), labels[low : low + 1024]] = -np.inf
            b[low : low + 1024] = np.clip(1 - similarity.max(axis=1), 0, 2)
    return np.asarray(b / np.maximum(a + b, 1e-12))


def _parse(threshold: float | str) -> float | Cut:
    if isinstance(threshold, str):
        try:
            return Cut(threshold)
        except ValueError as error:
            raise InputError(
                f"unknown threshold {threshold!r}", remedy=f"Give a number or one of: {', '.join(Cut)}"
            ) from error
    if not 0 <= threshold <= 2:
        raise InputError(f"threshold must be a cosine distance in [0, 2], got {threshold}")
    return float(threshold)
