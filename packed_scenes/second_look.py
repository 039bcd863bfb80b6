"""A second look with what the scene repeats: a faint detection that is like nothing else in the scene is doubtful.

A packed scene says itself what its objects look like: most of them repeat, in look or at least in size. A detection
with a low score that has neither the look of any sure one nor the size of its nearest is a false alarm more often than
not. Its score is halved, as that of a nested box is (:mod:`packed_scenes.detect.nested_boxes`), and it is left out if
that falls under the confidence. Sure detections alone decide what is alike, so that the confidence stays a filter.

Parameters were chosen on generated scenes (20 walls of stacks, 16 mixed ones), nuclei and cells; figures, and what else
was tried, stand in ``detect/README.md``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from packed_scenes.data.objects import Objects

SURE_SCORE = 0.5  # score from which a detection is not doubted, and says what the scene's objects are like
MIN_SURE = 6  # sure detections below which a scene says nothing
LOOK = (
    0.6  # cosine to the most similar sure one under which a look is unlike: nine in ten pairs of one identity reach it
)
MAX_SIZE_RATIO = 0.35  # mean of the log ratio of sides to the two nearest in size, over which a size is unlike
MAX_UNLIKE_SHARE = 0.2  # share of the sure detections that are unlike the others, over which nothing repeats
PENALTY = 0.5


def doubtful(objects: Objects, *, block: int = 500_000) -> npt.NDArray[np.bool_]:
    """Say which detections have a low score and are unlike all sure ones.

    Args:
        objects: of one scene, with score and embedding.
        block: pairs compared at a time; 500,000 take some 30 MB.

    Returns:
        (N,) bool; all False where fewer than :data:`MIN_SURE` are sure, or where the sure ones are unlike each other.
    """
    result = np.zeros(len(objects), bool)
    sure = np.flatnonzero(objects.score >= SURE_SCORE)
    if objects.embedding is None or len(sure) < MIN_SURE:
        return result
    step = max(1, block // len(sure))

    def unlike(rows: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        parts = [_unlike(objects, rows[i : i + step], sure) for i in range(0, len(rows), step)]
        return np.concatenate([np.zeros(0, bool), *parts])

    faint = np.flatnonzero(objects.score < SURE_SCORE)
    if len(faint) and unlike(sure).mean() <= MAX_UNLIKE_SHARE:
        result[faint] = unlike(faint)
    return result


def _unlike(objects: Objects, rows: npt.NDArray[np.intp], sure: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    assert objects.embedding is not None
    itself = rows[:, None] == sure[None]
    cosine = np.where(itself, -1.0, objects.embedding[rows] @ objects.embedding[sure].T)
    side = np.log(np.maximum(objects.xyxy[:, 2:] - objects.xyxy[:, :2], 1e-3)).astype(np.float64)
    apart = np.abs(side[rows, None] - side[sure][None]).max(2)
    apart = np.partition(np.where(itself, np.inf, apart), 1, axis=1)[:, :2].mean(1)
    unlike: npt.NDArray[np.bool_] = (cosine.max(1) < LOOK) & (apart > MAX_SIZE_RATIO)
    return unlike


def second_scores(objects: Objects) -> npt.NDArray[np.float32]:
    """(N,) scores, halved where :func:`doubtful` says so."""
    return np.where(doubtful(objects), objects.score * np.float32(PENALTY), objects.score)


def rescore_doubtful(objects: Objects, *, confidence: float) -> Objects:
    """Halve the scores of doubtful detections and leave out those that fall under the confidence; best first, ids
    "0", "1", …
    """
    score = second_scores(objects)
    if np.array_equal(score, objects.score):
        return objects
    order = np.argsort(-score, kind="stable")
    order = order[score[order] >= confidence]
    ids = np.array([str(i) for i in range(len(order))], np.str_)
    return objects.replace(score=score).select(order).replace(object_id=ids)
