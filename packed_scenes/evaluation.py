"""Scores of the whole toolkit on labelled scenes: detection, identities, both together, congregations.

Each scene is clustered on its own unless ``joint``. Overall figures: ARI, AMI, V and BCubed F are means over scenes;
pairwise F pools the pairs within scenes; detection pools all boxes as COCO does. With ``joint`` the pairs across
scenes count too and ``overall`` is scored on all scenes as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from packed_scenes.aggregate.metrics import CongregationScore, congregation_score
from packed_scenes.data.errors import InputError
from packed_scenes.data.naming import distinct
from packed_scenes.data.objects import NOISE, Objects
from packed_scenes.end_to_end import EndToEnd, end_to_end
from packed_scenes.identify import congregate, identify
from packed_scenes.observe import Observer, reason
from packed_scenes.second_look import PENALTY
from packed_scenes.settings import Settings

if TYPE_CHECKING:
    from packed_scenes.data.labelled import LabelledScene

MATCH_IOU = 0.5
MIN_CONFIDENCE = 0.01  # below it lie thousands of boxes that add nothing to average precision

Progress = Callable[[Iterable["LabelledScene"], str, int], Iterable["LabelledScene"]]


class Boxes(StrEnum):
    """Which boxes are clustered: the true ones, or those the detector finds."""

    TRUTH = "truth"
    DETECTED = "detected"


@dataclass(frozen=True)
class _Observed:
    """One labelled scene after detection and embedding.

    ``detected`` holds the detections at every confidence, for average precision; None for true boxes.
    ``truth`` holds the true boxes whose identity is certain. ``found`` holds the boxes that are clustered: the same
    ones, or the detections that count. ``match`` names the row of ``truth`` for each row of ``found``, -1 = false
    alarm.
    """

    label: LabelledScene
    size: tuple[int, int]
    truth: Objects
    found: Objects
    match: np.ndarray[Any, np.dtype[np.int64]]
    detected: Objects | None


def evaluate(
    scenes: Sequence[LabelledScene],
    *,
    boxes: Boxes | str = Boxes.TRUTH,
    joint: bool = False,
    settings: Settings | None = None,
    progress: Progress | None = None,
    observer: Observer | None = None,
    found: Callable[[LabelledScene, Objects], None] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Score detection, identities and congregations on labelled scenes.

    Args:
        scenes: what :func:`packed_scenes.data.coco.read_coco` returns.
        boxes: cluster the true boxes or the detected ones; with ``truth`` no detector runs.
        joint: cluster all scenes together and score pairs across scenes too.
        settings: every choice of the run; single ones may be given as keywords.
        progress: wraps the loop over scenes, given (scenes, label, total).
        observer: models to use again.
        found: receives each scene and what was found in it.
        **options: fields of :class:`Settings`.

    Returns:
        ``{"overall": {...}, "scenes": {name: {...}}}`` with the sections ``clustering`` (truth), ``detection`` and
        ``end_to_end`` (detected) and ``congregations``; noise counts as singletons and its share is given.

    Raises:
        InputError: if there is no scene, or no picture can be used; single bad ones are listed under ``errors``.
    """
    if not scenes:
        raise InputError("no labelled scene", remedy="Give a COCO file that lists pictures and annotations.")
    try:
        boxes = Boxes(boxes)
    except ValueError as error:
        raise InputError(f"boxes must be truth or detected, got {boxes!r}") from error
    settings = replace(settings or Settings(), **options)
    observer = observer or Observer(settings)
    names = distinct([scene.name for scene in scenes])
    scenes = [replace(scene, name=name) for scene, name in zip(scenes, names, strict=True)]
    observer.load(detect=boxes is Boxes.DETECTED)  # a model that cannot be had is no fault of one scene
    observed, errors = _observe_all(progress(scenes, "scenes", len(scenes)) if progress else scenes, observer, boxes)
    card = observer.embedder.card
    parts, thresholds = _identify(observed, joint=joint, settings=settings, card=card)
    sizes = [s.size for s in observed]
    parts, _ = congregate(parts, sizes, settings=settings)
    truths, _ = congregate([s.truth for s in observed], sizes, settings=settings)
    confidence = observer.detector.confidence if boxes is Boxes.DETECTED else 0.0
    rows = [_score(s, part, truth, boxes, confidence) for s, part, truth in zip(observed, parts, truths, strict=True)]
    result: dict[str, Any] = {
        "overall": _overall(observed, parts, truths, rows, joint=joint, confidence=confidence),
        "scenes": {s.label.name: row.report for s, row in zip(observed, rows, strict=True)},
    }
    if found is not None:
        for one, part in zip(observed, parts, strict=True):
            found(one.label, part)
    warnings = [line for scene in scenes for line in scene.warnings]
    if warnings:
        result["warnings"] = warnings
    if errors:
        result["errors"] = [{"file": file, "reason": why} for file, why in errors]
    result["settings"] = settings.to_json() | {"boxes": str(boxes), "joint": joint, "thresholds": thresholds}
    return result


def _identify(
    observed: Sequence[_Observed], *, joint: bool, settings: Settings, card: Mapping[str, Any]
) -> tuple[list[Objects], list[float]]:
    """Cluster all scenes together or each alone; the boxes with their clusters, and the thresholds that were chosen."""
    parts: list[Objects] = []
    thresholds: list[float] = []
    for group in [observed] if joint else [[s] for s in observed]:
        grouped, info = identify([s.found for s in group], settings=settings, card=card)
        parts += grouped
        thresholds += [info["threshold"]] if "threshold" in info else []
    return parts, thresholds


def _observe_all(
    scenes: Iterable[LabelledScene], observer: Observer, boxes: Boxes
) -> tuple[list[_Observed], list[tuple[str, str]]]:
    """Observe all scenes; (file, reason) of those that could not be.

    Raises:
        InputError: the first reason, if none could be observed.
    """
    observed: list[_Observed] = []
    errors: list[tuple[str, str]] = []
    first: InputError | None = None
    for label in scenes:
        try:
            observed.append(_observe(label, observer, boxes))
        except InputError as error:
            first = first or error
            errors.append((str(label.image), reason(error)))
    if first is not None and not observed:
        raise first
    return observed, errors


def _observe(label: LabelledScene, observer: Observer, boxes: Boxes) -> _Observed:
    scene = label.load()
    truth, ignore = label.truth, label.ignore
    assert label.identity_uncertain is not None  # set by LabelledScene itself
    certain = ~label.identity_uncertain
    size = (scene.height, scene.width)
    if boxes is Boxes.TRUTH:
        known = truth.select(certain)
        found = observer.observe(scene, known.replace(cluster=None)).objects
        return _Observed(label, size, known, found, np.arange(len(known)), None)
    from packed_scenes.detect.matching import match_boxes

    found = observer.observe(scene).objects
    # Average precision needs the unsure detections, too; identities are judged on what a user would get.
    every = replace(observer.detector, confidence=MIN_CONFIDENCE).detect(scene.image)
    every = with_low_scores(every, found, observer.detector.confidence)
    matched = match_boxes(found, truth, ignore=ignore, iou_threshold=MATCH_IOU)
    uncertain_hit = (
        (matched.truth >= 0) & ~certain[np.maximum(matched.truth, 0)] if len(truth) else np.zeros(len(found), bool)
    )
    counts = ~matched.ignored & ~uncertain_hit
    row_of_certain = np.cumsum(certain) - 1
    match = np.where(matched.truth >= 0, row_of_certain[np.maximum(matched.truth, 0)] if len(truth) else -1, -1)
    return _Observed(label, size, truth.select(certain), found.select(counts), match[counts].astype(np.int64), every)


def with_low_scores(every: Objects, found: Objects, confidence: float) -> Objects:
    """Give detections that the second look left out the score that it gave them, and add the boxes that it made."""
    kept = set(map(tuple, found.xyxy.tolist()))
    known = set(map(tuple, every.xyxy.tolist()))
    made = found.select(np.array([tuple(box) not in known for box in found.xyxy.tolist()], bool))
    made = Objects.from_boxes(made.xyxy, score=made.score, class_id=made.class_id)
    left_out = np.array([tuple(box) not in kept for box in every.xyxy.tolist()], bool) & (every.score >= confidence)
    every = every.replace(score=np.where(left_out, every.score * np.float32(PENALTY), every.score))
    return Objects.concat([every, made.replace(object_id=np.char.add("made", made.object_id))])


@dataclass(frozen=True)
class _Row:
    report: dict[str, Any]
    end_to_end: EndToEnd
    congregations: CongregationScore


def _score(observed: _Observed, part: Objects, truth: Objects, boxes: Boxes, confidence: float) -> _Row:
    """Score one scene."""
    report: dict[str, Any] = {}
    joined = end_to_end(_labels(truth), _labels(part), observed.match)
    if boxes is Boxes.TRUTH and len(truth):
        report["clustering"] = _clustering(_labels(truth), _labels(part))
    if boxes is Boxes.DETECTED:
        report["detection"] = _detection([observed], confidence)
        report["end_to_end"] = {"pairwise_f": joined.pairwise_f, "bcubed_f": joined.bcubed_f}
    places = congregation_score(truth, part, observed.match)
    report["congregations"] = _places(places)
    return _Row(report, joined, places)


def _overall(
    observed: Sequence[_Observed],
    parts: Sequence[Objects],
    truths: Sequence[Objects],
    rows: Sequence[_Row],
    *,
    joint: bool,
    confidence: float,
) -> dict[str, Any]:
    overall: dict[str, Any] = {"n_scenes": len(observed)}
    if observed[0].detected is None:
        scored = [row.report["clustering"] for row in rows if "clustering" in row.report]
        if joint and scored:
            overall["clustering"] = _clustering(_joined(truths), _joined(parts))
        elif scored:
            from packed_scenes.cluster.metrics import pair_counts, pooled_pairs

            pooled = pooled_pairs(
                pair_counts(_labels(t), _labels(p)) for t, p in zip(truths, parts, strict=True) if len(t)
            )
            means = {
                name: float(np.mean([s[name] for s in scored]))
                for name in ("ARI", "AMI", "V", "bcubed_f", "noise_share")
            }
            totals = {name: sum(s[name] for s in scored) for name in ("k_pred", "k_true")}
            off = float(np.mean([s["count_error"] for s in scored]))
            overall["clustering"] = (
                means | {"pairwise_f": pooled.f} | totals | {"count_error": off, "noise_policy": "singletons"}
            )
    else:
        overall["detection"] = _detection(observed, confidence)
        pooled_ends = _across(observed, truths, parts) if joint else sum((row.end_to_end for row in rows), EndToEnd())
        mean = float(np.mean([row.end_to_end.bcubed_f for row in rows]))
        overall["end_to_end"] = {
            "pairwise_f": pooled_ends.pairwise_f,
            "bcubed_f": pooled_ends.bcubed_f if joint else mean,
        }
    overall["congregations"] = _places(sum((row.congregations for row in rows), CongregationScore()))
    overall["congregations"]["count_error"] = float(np.mean([row.congregations.count_error for row in rows]))
    return overall


def _across(observed: Sequence[_Observed], truths: Sequence[Objects], parts: Sequence[Objects]) -> EndToEnd:
    offsets = np.cumsum([0, *[len(t) for t in truths]])
    match = np.concatenate(
        [np.where(s.match >= 0, s.match + o, NOISE) for s, o in zip(observed, offsets[:-1], strict=True)]
    )
    return end_to_end(_joined(truths), _joined(parts), match)


def _joined(parts: Sequence[Objects]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.concatenate([_labels(part) for part in parts])


def _labels(objects: Objects) -> np.ndarray[Any, np.dtype[np.int64]]:
    assert objects.cluster is not None
    return objects.cluster


def _clustering(true: Any, predicted: Any) -> dict[str, Any]:
    from packed_scenes.cluster.metrics import score

    return score(true, predicted).to_dict()


def _detection(observed: Sequence[_Observed], confidence: float) -> dict[str, Any]:
    """COCO detection scores over all true boxes, those of uncertain identity included."""
    from packed_scenes.detect.metrics import evaluate as evaluate_detection

    rows = [(s.detected, s.label.truth, s.label.ignore) for s in observed if s.detected is not None]
    return evaluate_detection(rows, confidence=confidence).to_dict()


def _places(score: CongregationScore) -> dict[str, Any]:
    return {
        "pairwise_f": score.pairwise_f,
        "count_error": score.count_error,
        "n_predicted": score.n_predicted,
        "n_true": score.n_true,
    }
