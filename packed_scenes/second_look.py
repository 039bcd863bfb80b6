"""Second look: a detection with a low score that resembles nothing else in its scene is probably a false alarm.

Most objects of a packed scene repeat, in appearance or at least in size. A detection with a low score that has neither
the appearance of any confident one nor the size of its nearest is a false alarm more often than not. Its score is
halved, as that of a nested box is (:mod:`packed_scenes.detect.nested_boxes`), and it is left out if that falls below
the confidence. Only confident detections are compared with, so that the confidence stays a filter.

Parameters were chosen on generated scenes (20 walls of stacks, 16 mixed ones), nuclei and cells; figures, and what else
was tried, stand in ``detect/README.md``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from packed_scenes.data.objects import Objects

CONFIDENT_SCORE = 0.5  # score from which a detection is confident
MIN_CONFIDENT = 6  # fewer confident detections are too few to compare with
MIN_COSINE = 0.6  # to the most similar confident one; nine in ten pairs of one identity reach it
MAX_SIZE_RATIO = 0.35  # mean of the log ratio of sides to the two nearest in size, over which a size is an outlier
MAX_UNLIKE_SHARE = 0.2  # share of outliers among the confident detections, over which nothing repeats
PENALTY = 0.5


def doubtful(objects: Objects, *, block: int = 500_000) -> npt.NDArray[np.bool_]:
    """Return which detections have a low score and resemble no confident one.

    Args:
        objects: of one scene, with score and embedding.
        block: pairs compared at a time; 500,000 take some 30 MB.

    Returns:
        (N,) bool; all False where fewer than :data:`MIN_CONFIDENT` are confident, or where those do not resemble each
        other.
    """
    result = np.zeros(len(objects), bool)
    confident = np.flatnonzero(objects.score >= CONFIDENT_SCORE)
    if objects.embedding is None or len(confident) < MIN_CONFIDENT:
        return result
    step = max(1, block // len(confident))

    def outlier(rows: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        parts = [_outliers(objects, rows[i : i + step], confident) for i in range(0, len(rows), step)]
        return np.concatenate([np.zeros(0, bool), *parts])

    low = np.flatnonzero(objects.score < CONFIDENT_SCORE)
    if len(low) and outlier(confident).mean() <= MAX_UNLIKE_SHARE:
        result[low] = outlier(low)
    return result


def _outliers(objects: Objects, rows: npt.NDArray[np.intp], confident: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    assert objects.embedding is not None
    itself = rows[:, None] == confident[None]
    cosine = np.where(itself, -1.0, objects.embedding[rows] @ objects.embedding[confident].T)
    side = np.log(np.maximum(objects.xyxy[:, 2:] - objects.xyxy[:, :2], 1e-3)).astype(np.float64)
    apart = np.abs(side[rows, None] - side[confident][None]).max(2)
    apart = np.partition(np.where(itself, np.inf, apart), 1, axis=1)[:, :2].mean(1)
    outlier: npt.NDArray[np.bool_] = (cosine.max(1) < MIN_COSINE) & (apart > MAX_SIZE_RATIO)
    return outlier


def rescored(objects: Objects) -> npt.NDArray[np.float32]:
    """(N,) scores, halved where :func:`doubtful` says so."""
    return np.where(doubtful(objects), objects.score * np.float32(PENALTY), objects.score)


def rescore_doubtful(objects: Objects, *, confidence: float) -> Objects:
    """Halve the scores of doubtful detections and leave out those that fall under the confidence; best first, ids
    "0", "1", …
    """
    score = rescored(objects)
    if np.array_equal(score, objects.score):
        return objects
    order = np.argsort(-score, kind="stable")
    order = order[score[order] >= confidence]
    ids = np.array([str(i) for i in range(len(order))], np.str_)
    return objects.replace(score=score).select(order).replace(object_id=ids)
