import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.data import Objects
from packed_scenes.detect.matching import match_boxes
from packed_scenes.detect.metrics import evaluate


def objects(*boxes: tuple[float, float, float, float], score: list[float] | None = None) -> Objects:
    return Objects.from_boxes(np.array(boxes, np.float32).reshape(-1, 4), score=score)


A, B, C = (0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10)


def test_all_found() -> None:
    scores = evaluate([(objects(A, B), objects(A, B), None)])
    assert (scores.AP, scores.AP50, scores.AP75, scores.AR300, scores.AR1000) == (1, 1, 1, 1, 1)
    assert (scores.precision50, scores.recall50, scores.n_detected, scores.n_true) == (1, 1, 2, 2)


def test_half_found_then_one_false() -> None:
    # recall .5 at precision 1: 51 of the 101 recall levels
    scores = evaluate([(objects(A, C, score=[0.9, 0.8]), objects(A, B), None)])
    assert pytest.approx(51 / 101) == scores.AP50
    assert (scores.precision50, scores.recall50) == (0.5, 0.5)
    assert (scores.balanced_confidence, scores.balanced50) == (pytest.approx(0.8), 0.5)


def test_a_false_alarm_before_the_hit_halves_precision() -> None:
    assert pytest.approx(0.5) == evaluate([(objects(C, A, score=[0.9, 0.8]), objects(A), None)]).AP50


def test_a_second_box_on_the_same_object_is_false() -> None:
    scores = evaluate([(objects(A, (0, 0, 10, 9.5), score=[0.9, 0.8]), objects(A), None)])
    assert (scores.AP50, scores.precision50) == (1, 0.5)


def test_iou_of_three_quarters_counts_to_that_threshold() -> None:
    scores = evaluate([(objects((0, 0, 10, 7.6)), objects(A), None)])
    assert (1, 1, pytest.approx(0.6)) == (scores.AP50, scores.AP75, scores.AP)


def test_detections_inside_ignore_regions_count_neither_way() -> None:
    region = np.array([[35, -5, 60, 20]], np.float32)
    scores = evaluate([(objects(C, A, score=[0.9, 0.8]), objects(A), region)])
    assert (scores.AP50, scores.precision50, scores.n_detected) == (1, 1, 1)


def test_an_object_inside_an_ignore_region_is_still_found() -> None:
    scores = evaluate([(objects(A), objects(A), np.array([[-5, -5, 20, 20]], np.float32))])
    assert (scores.AP50, scores.n_detected) == (1, 1)


def test_nothing_there() -> None:
    assert evaluate([(objects(), objects(), None)]).AP == 1
    assert evaluate([(objects(A), objects(), None)]).AP == 0
    assert evaluate([(objects(), objects(A), None)]).AP == 0
    assert evaluate([]).n_true == 0


def test_confidence_sets_the_operating_point_only() -> None:
    scene = (objects(A, C, score=[0.9, 0.3]), objects(A, B), None)
    low, high = evaluate([scene]), evaluate([scene], confidence=0.5)
    assert (low.AP, low.recall50) == (high.AP, high.recall50)
    assert (low.precision50, high.precision50, high.n_detected) == (0.5, 1, 1)


def test_ar_counts_three_hundred_or_a_thousand() -> None:
    truth = objects(*[(20.0 * i, 0, 20.0 * i + 10, 10) for i in range(500)])
    scores = evaluate([(truth.replace(score=np.linspace(1, 0.5, 500)), truth, None)])
    assert (pytest.approx(0.6), 1) == (scores.AR300, scores.AR1000)


def scene(rng: np.random.Generator) -> tuple[Objects, Objects]:
    count = int(rng.integers(0, 25))
    low = rng.uniform(0, 120, (count, 2)).round()
    truth = np.concatenate([low, low + rng.integers(8, 40, (count, 2))], 1)
    found = np.concatenate(
        [truth + rng.normal(0, 2.5, truth.shape), truth[: count // 2] + rng.normal(0, 6, (count // 2, 4))]
    )
    found = found[(found[:, 2] > found[:, 0] + 1) & (found[:, 3] > found[:, 1] + 1)]
    score = rng.permutation(len(found)) / max(1, len(found)) * 0.98 + 0.01
    return Objects.from_boxes(found, score=score), Objects.from_boxes(truth)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_equals_pycocotools(seed: int) -> None:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    rng = np.random.default_rng(seed)
    scenes = [scene(rng) for _ in range(3)]
    if not any(len(t) for _, t in scenes) or not any(len(f) for f, _ in scenes):
        return

    def rows(part: Objects, image: int) -> list[dict[str, object]]:
        sides = np.concatenate([part.xyxy[:, :2], part.size], 1).astype(float)
        return [
            {"image_id": image, "category_id": 1, "bbox": b.tolist(), "area": float(b[2] * b[3]), "iscrowd": 0,
             "score": float(s)}
            for b, s in zip(sides, part.score, strict=True)
        ]  # fmt: skip

    truth, found = ([r for i, pair in enumerate(scenes) for r in rows(pair[k], i + 1)] for k in (1, 0))
    for number, row in enumerate(truth, 1):
        row["id"] = number
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {"images": [{"id": i + 1} for i in range(3)], "annotations": truth, "categories": [{"id": 1}]}
        coco.createIndex()
        run = COCOeval(coco, coco.loadRes(found), "bbox")
        run.params.maxDets = [100, 300, 1000]
        run.evaluate()
        run.accumulate()
    precision, recall = run.eval["precision"][:, :, 0, 0, 2], run.eval["recall"][:, 0, 0, :]
    own = evaluate([(f, t, None) for f, t in scenes])
    expected = precision.mean(), precision[0].mean(), precision[5].mean(), recall[:, 1].mean(), recall[:, 2].mean()
    assert pytest.approx(expected, abs=1e-6) == (own.AP, own.AP50, own.AP75, own.AR300, own.AR1000)


def test_matching_names_rows() -> None:
    found = objects(C, (1, 0, 11, 10), A, score=[0.5, 0.9, 0.8])
    matched = match_boxes(found, objects(B, A), ignore=np.array([[35, 0, 60, 10]], np.float32))
    assert matched.truth.tolist() == [-1, 1, -1]
    assert matched.ignored.tolist() == [True, False, False]
    assert matched.iou == pytest.approx([0, 9 / 11, 0])


def test_matching_nothing() -> None:
    assert match_boxes(objects(), objects(A)).truth.shape == (0,)
    assert match_boxes(objects(A), objects()).truth.tolist() == [-1]
