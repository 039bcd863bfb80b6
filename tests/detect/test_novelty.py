import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.data import InputError, Objects
from packed_scenes.detect import Detector
from packed_scenes.detect.networks import Card
from packed_scenes.detect.novelty import FEATURES, NoveltyRule, features, uncertain_boxes
from packed_scenes.detect.training.novelty_rule import Row, fit_rule
from tests.detect.fakes import Rectangles, picture


def shelf(rng: np.random.Generator, count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Rows of goods of two sizes, flush, with high scores."""
    size = np.where(np.arange(count) % 20 < 10, 30, 45) * rng.uniform(0.97, 1.03, count)
    x, y = np.arange(count) % 20 * 47.0, np.arange(count) // 20 * 100.0
    return (
        np.stack([x, y, x + size, y + 2 * size], 1).astype(np.float32),
        rng.uniform(0.7, 0.95, count).astype(np.float32),
    )


def street(rng: np.random.Generator, count: int = 9) -> tuple[np.ndarray, np.ndarray]:
    """A few boxes of all sizes anywhere, with low scores."""
    low, size = rng.uniform(0, 700, (count, 2)), np.exp(rng.uniform(2.5, 5.5, (count, 2)))
    return np.concatenate([low, low + size], 1).astype(np.float32), rng.uniform(0.35, 0.7, count).astype(np.float32)


def described(boxes: np.ndarray, score: np.ndarray) -> dict[str, float]:
    return features(boxes, score, width=960, height=960)


def test_goods_have_kin_and_a_street_has_not() -> None:
    rng = np.random.default_rng(0)
    goods, other = described(*shelf(rng)), described(*street(rng))
    assert goods["kin"] == 1
    assert other["kin"] < 0.5
    assert other["score"] < goods["score"]
    assert goods["count"] == pytest.approx(np.log2(40))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 30), st.sampled_from([0.5, 2.0, 4.0]))
def test_neither_order_nor_resolution_matters(seed: int, count: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    boxes, score = street(rng, count)
    mixed = rng.permutation(count)
    whole = described(boxes, score)
    assert set(whole) == set(FEATURES)
    assert np.isfinite(list(whole.values())).all()
    assert described(boxes[mixed], score[mixed]) == pytest.approx(whole, abs=1e-5)
    side = round(960 * factor)
    assert features((boxes * factor).astype(np.float32), score, width=side, height=side) == pytest.approx(
        whole, abs=1e-3
    )


def test_a_box_is_doubtful_by_its_score_or_alone_in_its_size() -> None:
    boxes = np.array([[0, 0, 20, 20], [30, 0, 50, 20], [60, 0, 80, 20], [0, 50, 90, 70]], np.float32)
    score = np.array([0.9, 0.4, 0.9, 0.9], np.float32)
    assert uncertain_boxes(boxes, score, doubtful=0.5).tolist() == [False, True, False, True]
    assert uncertain_boxes(boxes[:1], score[:1], doubtful=0.5).tolist() == [True]


def rule() -> NoveltyRule:
    rng = np.random.default_rng(1)
    good = [Row(described(*shelf(rng, int(rng.integers(10, 80)))), 0.9, in_domain=True) for _ in range(20)]
    bad = [Row(described(*street(rng, int(rng.integers(4, 20)))), 0.1) for _ in range(20)]
    return NoveltyRule.read(fit_rule([*good, *bad], learned="drawn shelves"))


@pytest.mark.slow
def test_a_fitted_rule_tells_the_two_kinds_apart() -> None:
    rng, novelty_rule = np.random.default_rng(2), rule()
    for _ in range(20):
        for kind, expected in ((shelf, False), (street, True)):
            boxes, score = kind(rng)
            objects = Objects.from_boxes(boxes, score=score)
            told = novelty_rule.warn(objects, confidence=0.3, width=960, height=960)
            assert bool(told) is expected
            if told:
                assert "unlike the pictures that the detector learned from (drawn shelves)" in told[0]
                assert f"of {len(objects)} boxes are doubtful" in told[0]


@pytest.mark.slow
def test_a_lower_threshold_of_the_user_raises_no_alarm() -> None:
    rng, novelty_rule = np.random.default_rng(3), rule()
    boxes, score = shelf(rng)
    noise, _ = street(rng, 60)
    every = Objects.from_boxes(np.concatenate([boxes, noise]), score=np.append(score, np.full(60, 0.05, np.float32)))
    assert novelty_rule.warn(every, confidence=0.35, width=960, height=960) == ()


def test_where_nothing_is_found_the_sentence_says_so() -> None:
    told = rule().warn(Objects.from_boxes(np.zeros((0, 4))), confidence=0.3, width=960, height=960)
    assert told[0].startswith("nothing was found: this looks unlike")


def test_one_kind_alone_cannot_be_fitted() -> None:
    with pytest.raises(InputError, match="both needed"):
        fit_rule([Row(described(*shelf(np.random.default_rng(5))), 0.9)] * 4, learned="shelves")


def test_a_card_that_lacks_a_number_is_refused() -> None:
    with pytest.raises(InputError, match="cannot be read"):
        NoveltyRule.read({"weights": {"score": 1.0}, "bias": 0.0, "doubtful": 0.5, "learned": "shelves"})


def test_the_detector_warns_by_the_rule_of_its_card_only() -> None:
    image, _ = picture(400, 300, size=40, gap=20)
    alarm = NoveltyRule(dict.fromkeys(FEATURES, 0.0), 1.0, 0.5, "nothing")
    for novelty_rule, count in ((None, 0), (alarm, 1)):
        network = Rectangles(dataclasses.replace(Card(object_px=40.0, confidence=0.3), novelty_rule=novelty_rule))
        _, info = Detector(network, confidence=0.3, image_size=400).detect_with_info(image)
        assert sum("unlike" in line for line in info.warnings) == count


def test_few_and_many_boxes_have_the_same_kin(monkeypatch):
    rng = np.random.default_rng(5)
    xyxy = np.concatenate([np.zeros((300, 2)), rng.uniform(5, 60, (300, 2))], 1).astype(np.float32)
    score = np.ones(300, np.float32)

    def kin():
        return uncertain_boxes(xyxy, score, doubtful=0.5), features(xyxy, score, width=100, height=100)["kin"]

    few = kin()
    monkeypatch.setattr("packed_scenes.detect.novelty.ALL_PAIRS_ROWS", 0)
    many = kin()
    assert 0 < few[0].sum() < len(xyxy)
    np.testing.assert_array_equal(few[0], many[0])
    assert few[1] == many[1]
