"""The second shipped network: it looks where the first one's rule says so, whatever the user's threshold."""

from __future__ import annotations

import dataclasses
import json
import pickle

import numpy as np
import pytest

from packed_scenes.data.shipped import ASSETS
from packed_scenes.detect import Detector
from packed_scenes.detect.networks import Card
from packed_scenes.detect.novelty import FEATURES, NoveltyRule
from tests.detect.fakes import Rectangles, picture

# Novel (above 0) with fewer than four objects.
RULE = NoveltyRule({**dict.fromkeys(FEATURES, 0.0), "count": -1.0}, 2.0, 0.5, "many things")


@dataclasses.dataclass
class Second:
    """Counts how often it is loaded."""

    sha256: str = "b"
    loaded: int = 0

    def load(self) -> Rectangles:
        self.loaded += 1
        return Rectangles(Card(object_px=40.0, confidence=0.3, sha256="b"))


def detector(second: Second | None, *, above: float = 0.0, confidence: float = 0.3) -> Detector:
    card = Card(object_px=40.0, confidence=0.3, sha256="a", novelty_rule=RULE, general_above=above)
    return Detector(Rectangles(card), confidence=confidence, image_size=400, general=second)  # type: ignore[arg-type]


@pytest.mark.parametrize("confidence", [0.05, 0.3, 0.95])
def test_the_rule_alone_says_who_looks(confidence: float) -> None:
    many, few = picture(400, 300, size=40, gap=20)[0], picture(130, 100, size=40, gap=20)[0]
    second = Second()
    made = detector(second, confidence=confidence)
    _, info = made.detect_with_info(many)
    assert info.sha256 == "a"
    assert second.loaded == 0
    objects, info = made.detect_with_info(few)
    assert info.sha256 == "b"
    assert second.loaded == 1
    assert info.confidence == confidence
    if confidence < 0.9:
        assert len(objects) == len(picture(130, 100, size=40, gap=20)[1])
    assert not any("unlike" in line for line in info.warnings)  # the second network's own rule, it has none


def test_without_a_second_network_or_a_line_nothing_changes() -> None:
    few = picture(130, 100, size=40, gap=20)[0]
    assert detector(None).detect_with_info(few)[1].sha256 == "a"
    assert detector(Second(), above=float("inf")).detect_with_info(few)[1].sha256 == "a"


def test_the_shipped_pair() -> None:
    cards = [json.loads((ASSETS / f"{name}.json").read_text("utf-8")) for name in ("detector", "detector-general")]
    made = Detector.load(device="cpu")
    assert made.weights_hash == "+".join(
        card["sha256"][f"{name}.onnx"] for card, name in zip(cards, ("detector", "detector-general"), strict=True)
    )
    assert Detector.load(ASSETS / "detector.onnx", device="cpu").general is None
    again = pickle.loads(pickle.dumps(made))
    street = np.random.default_rng(0).integers(0, 255, (200, 260, 3), np.uint8)
    objects, info = again.detect_with_info(street)
    assert info.sha256 == cards[1]["sha256"]["detector-general.onnx"]
    assert len(objects) == len(made.detect(street))
