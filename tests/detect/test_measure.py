from pathlib import Path

import numpy as np

from packed_scenes.data import Objects
from packed_scenes.detect import Detector
from packed_scenes.detect.training.measure import GENERATED, measure, sets
from tests.detect.fakes import Rectangles, picture


def test_sets_without_real_pictures_are_the_generated_ones(tmp_path: Path) -> None:
    named = dict(sets(tmp_path))
    assert list(named) == list(GENERATED)
    image, truth, ignore = next(named["generator, 5-120 objects"])
    assert image.dtype == np.uint8
    assert len(truth)
    assert ignore is not None


def test_scores_are_at_the_detectors_own_confidence() -> None:
    image, boxes = picture(400, 300, size=40, gap=20)
    small = image.copy()
    small[:62, :62] = 10
    small[22:28, 22:28] = 255  # in place of the first: score near .5
    truth = Objects.from_boxes(boxes)
    for confidence, count in ((0.3, len(boxes)), (0.7, len(boxes) - 1)):
        scores = measure(Detector(Rectangles(), confidence=confidence, image_size=400), iter([(small, truth, None)]))
        assert scores.n_detected == count
        assert scores.AP50 > 0.9
