"""Detection scores by COCO's rules: AP over IoU .50:.95, AP50, AP75, AR at 300 and 1000, precision and recall at IoU
.5.

Own code, because pycocotools prints AP = -1 unless 100 is among its caps, and treats ignore regions by the matching
threshold. Checked against hand-made cases and against pycocotools where both apply. Detections of all scenes are
pooled, as COCO does. A scene's score needs detections down to a low confidence: AP of thresholded detections is
lower, because the recall beyond the threshold is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from packed_scenes.data import Objects
from packed_scenes.data.overlaps import pairwise_iou
from packed_scenes.detect.matching import greedy, inside_ignored
from packed_scenes.detect.nms import best_first

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
MAX_DETECTIONS = 1000  # detections per scene that count


@dataclass(frozen=True)
class DetectionScores:
    """Scores in [0, 1]; a score is NaN-free: 0 where nothing could be found, 1 where nothing was there and nothing
    was said.

    Attributes:
        AP, AP50, AP75: average precision over IoU .50:.95, at .50, at .75.
        AR300, AR1000: mean over IoU .50:.95 of the recall with 300 and 1000 detections per scene.
        precision50, recall50: at IoU .5 with all detections of at least ``confidence``.
        balanced_confidence: the score threshold at which precision and recall at IoU .5 are nearest to each other.
        balanced50: their mean there.
        n_detected, n_true: detections of at least ``confidence`` that count, and true objects.
    """

    AP: float
    AP50: float
    AP75: float
    AR300: float
    AR1000: float
    precision50: float
    recall50: float
    balanced_confidence: float
    balanced50: float
    n_detected: int
    n_true: int

    def to_dict(self) -> dict[str, float]:
        """Plain values for JSON."""
        return asdict(self)


def evaluate(
    scenes: Iterable[tuple[Objects, Objects, npt.ArrayLike | None]], *, confidence: float = 0.0
) -> DetectionScores:
    """Score detections.

    Args:
        scenes: (detections, true objects, ignore regions (K, 4) or None) of each scene. A detection that matches
            nothing and lies mostly inside an ignore region counts neither way.
        confidence: operating point for ``precision50``, ``recall50`` and ``n_detected``.
    """
    score: list[npt.NDArray[np.float32]] = []
    right: list[npt.NDArray[np.bool_]] = []
    counted: list[npt.NDArray[np.bool_]] = []
    recalled = np.zeros((2, len(THRESHOLDS)))
    n_true = 0
    for found, truth, ignore in scenes:
        order = best_first(found.xyxy, found.score)[:MAX_DETECTIONS]
        found = found.select(order)
        matched = greedy(pairwise_iou(found.xyxy, truth.xyxy), np.arange(len(found)), THRESHOLDS) >= 0
        score.append(found.score)
        right.append(matched)
        counted.append(matched | ~inside_ignored(found, ignore)[None])
        recalled += np.stack([matched[:, :300].sum(1), matched.sum(1)])
        n_true += len(truth)
    if not score:
        score, right, counted = [np.zeros(0, np.float32)], [np.zeros((10, 0), bool)], [np.zeros((10, 0), bool)]
    scores, hits, counts = np.concatenate(score), np.concatenate(right, 1), np.concatenate(counted, 1)
    order = np.argsort(-scores, kind="stable")
    scores, hits, counts = scores[order], hits[:, order], counts[:, order]
    precisions = np.array([_average_precision(h[c], n_true) for h, c in zip(hits, counts, strict=True)])
    empty = float(n_true == 0 and not counts.any())
    recall = recalled.mean(1) / n_true if n_true else np.full(2, empty)
    scores50, hits50 = scores[counts[0]], hits[0][counts[0]]
    above = scores50 >= confidence
    balance, balanced = _balance(scores50, hits50, n_true)
    return DetectionScores(
        AP=float(precisions.mean()) if n_true else empty,
        AP50=float(precisions[0]) if n_true else empty,
        AP75=float(precisions[5]) if n_true else empty,
        AR300=float(recall[0]),
        AR1000=float(recall[1]),
        precision50=float(hits50[above].mean()) if above.any() else float(n_true == 0),
        recall50=float(hits50[above].sum() / n_true) if n_true else 1.0,
        balanced_confidence=balance,
        balanced50=balanced,
        n_detected=int(above.sum()),
        n_true=n_true,
    )


def _average_precision(hit: npt.NDArray[np.bool_], n_true: int) -> float:
    """Mean over 101 recall levels of the best precision at that recall or above."""
    if not n_true or not len(hit):
        return 0.0
    found = np.cumsum(hit)
    recall = found / n_true
    precision = np.maximum.accumulate((found / np.arange(1, len(hit) + 1))[::-1])[::-1]
    at = np.searchsorted(recall, RECALLS, side="left")
    return float(np.append(precision, 0.0)[at].mean())


def _balance(score: npt.NDArray[np.float32], hit: npt.NDArray[np.bool_], n_true: int) -> tuple[float, float]:
    """Threshold where precision and recall are closest, and their mean there."""
    if not n_true or not len(hit):
        return 0.5, 0.0
    found = np.cumsum(hit)
    precision, recall = found / np.arange(1, len(hit) + 1), found / n_true
    ends = np.append(score[1:] != score[:-1], True)  # equal scores pass a threshold together
    gap = np.where(ends & (found > 0), np.abs(precision - recall), np.inf)
    best = int(gap.argmin())
    return float(score[best]), float((precision[best] + recall[best]) / 2)
