"""The second half: vectors of all scenes -> joint identities -> congregations per scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE, Objects
from packed_scenes.exclusive_threshold import exclusive_threshold
from packed_scenes.settings import Settings

if TYPE_CHECKING:
    from packed_scenes.aggregate import Congregation
    from packed_scenes.cluster.base import Clusterer


def assumptions(card: Mapping[str, Any]) -> list[str]:
    """A warning if the embedder's file did not say how it wants its pixels, and what was taken instead."""
    assumed = card.get("assumed", [])
    if not assumed:
        return []
    name = card.get("name", "the embedder")
    return [f"{name} does not say how it wants its pixels; taken: {', '.join(assumed)} (say it in {name}.json)"]


def identify(
    parts: Sequence[Objects],
    *,
    settings: Settings,
    card: Mapping[str, Any],
    constraints: Mapping[str, Any] | None = None,
) -> tuple[list[Objects], dict[str, Any]]:
    """Group the objects of all scenes into identities that are joint over the scenes.

    Args:
        parts: embedded objects, one per scene.
        settings: names the clusterer and may fix its threshold.
        card: the embedder's card, whose calibration the clusterer reads.
        constraints: on the objects of all scenes
            (:func:`packed_scenes.clustering_constraints.clustering_constraints`).

    Returns:
        The objects with ``cluster`` and ``probability`` set, in the same order, and what happened: clusterer,
        threshold, number of clusters, share of noise, warnings.
    """
    counts = [len(part) for part in parts]
    bounds = np.cumsum([0, *counts])
    total = int(bounds[-1])
    info: dict[str, Any] = {
        "clusterer": settings.clusterer,
        "n_objects": total,
        "n_clusters": 0,
        "noise_share": 0.0,
        "warnings": [],
    }
    labels, probability = np.zeros(0, np.int64), np.zeros(0, np.float32)
    if total:
        full = [part for part in parts if len(part)]
        vectors = np.concatenate([part.embedding for part in full if part.embedding is not None])
        estimator = _estimator(settings, card, vectors, constraints or {})
        scene = np.repeat(np.arange(len(parts)), counts)
        estimator.fit(vectors, xyxy=np.concatenate([part.xyxy for part in full]), scene=scene, **(constraints or {}))
        labels, probability = estimator.labels_, estimator.probabilities_
        info |= {
            "n_clusters": int(estimator.n_clusters_),
            "noise_share": float(np.mean(labels == NOISE)),
            "warnings": list(getattr(estimator, "warnings_", ())),
        }
        threshold = getattr(estimator, "threshold_", None)
        if threshold is not None:
            info["threshold"] = float(threshold)
    grouped = [
        part.replace(cluster=labels[start:stop], probability=np.clip(probability[start:stop], 0, 1))
        for part, start, stop in zip(parts, bounds[:-1], bounds[1:], strict=True)
    ]
    return grouped, info


def _estimator(
    settings: Settings, card: Mapping[str, Any], vectors: npt.NDArray[np.float32], constraints: Mapping[str, Any]
) -> Clusterer:
    """Make the estimator that the settings name; it reads the calibration of the embedder if it can use one."""
    from packed_scenes import cluster

    estimator = cluster.make(settings.clusterer)
    known = estimator.get_params()
    if settings.threshold is not None:
        if "threshold" not in known:
            raise InputError(
                f"clusterer {settings.clusterer!r} has no threshold",
                remedy="Leave --threshold out, or take another clusterer.",
            )
        estimator.set_params(threshold=settings.threshold)
    if "calibrated" in known and "threshold" in card.get("calibration", {}):
        estimator.set_params(calibrated=card["calibration"]["threshold"])
    if settings.threshold is None and settings.cut == "equal-error":
        distance = card.get("calibration", {}).get("equal_error", {}).get("distance")
        if distance is None and "exclusive" in constraints:
            distance = exclusive_threshold(vectors, constraints["exclusive"])
        if distance is not None and "threshold" in known:  # else the clusterer chooses
            estimator.set_params(threshold=distance)
    if settings.once and "spatial" in known:  # its neighbours in a picture are just what a person is not
        estimator.set_params(spatial=False)
    if settings.linked and "scene_shift" in known:  # frames of one camera have one light
        estimator.set_params(scene_shift=False)
    if "random_state" in known:
        estimator.set_params(random_state=settings.seed)
    return estimator


def congregate(
    parts: Sequence[Objects], sizes: Sequence[tuple[int, int]], *, settings: Settings
) -> tuple[list[Objects], list[list[Congregation]]]:
    """Find the congregations of every scene.

    Args:
        parts: objects with identities, one per scene.
        sizes: (height, width) of the scenes in pixels.
        settings: gives the closing reach, and whether congregations are of one identity.

    Returns:
        The objects with ``congregation`` set, and the congregations, per scene.
    """
    if settings.congregate == "height":
        from packed_scenes.people_groups import group_people

        done = [group_people(part, size, reach=settings.reach) for part, size in zip(parts, sizes, strict=True)]
        return [objects for objects, _ in done], [found for _, found in done]
    from packed_scenes.aggregate import aggregate

    done = [aggregate(part, size, reach=settings.reach) for part, size in zip(parts, sizes, strict=True)]
    return [objects for objects, _ in done], [found for _, found in done]
