"""What was seen comes back whole, and only for the same picture and settings."""

import numpy as np
import pytest

from packed_scenes.data import InputError, Objects
from packed_scenes.observe import Observation
from packed_scenes.settings import Settings
from packed_scenes.stage import Staged, load_stage, save_stage, stage_key


def staged(count: int) -> Staged:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(count, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    boxes = np.c_[np.arange(count), np.zeros(count), np.arange(count) + 2, np.full(count, 3)].reshape(-1, 4)
    objects = Objects.from_boxes(boxes, embedding=vectors)
    return Staged(Observation(objects, {"detect": 0.5}, {"input": 640}, ("capped",)), (30, 40))


@pytest.mark.parametrize("count", [0, 1, 7])
def test_round_trip(tmp_path, count):
    value = staged(count)
    save_stage(tmp_path / "s.parquet", value, "key")
    back = load_stage(tmp_path / "s.parquet", "key")
    assert back is not None
    assert back.size == value.size
    assert back.observation.objects == value.observation.objects
    assert back.observation.seconds == {"detect": 0.5}
    assert back.observation.warnings == ("capped",)


def test_another_key_a_damaged_file_and_no_file_give_nothing(tmp_path):
    path = tmp_path / "s.parquet"
    assert load_stage(path, "key") is None
    save_stage(path, staged(3), "key")
    assert load_stage(path, "other") is None
    path.write_bytes(path.read_bytes()[:100])
    assert load_stage(path, "key") is None


def test_the_key_follows_what_decides_the_boxes_and_nothing_else():
    boxes = Objects.from_boxes([[0, 0, 1, 1]])
    base = stage_key("picture", Settings(), None)
    assert base == stage_key("picture", Settings(threshold=0.3, reach=1.0, clusterer="hdbscan"), None)
    changed = [
        stage_key("other", Settings(), None),
        stage_key("picture", Settings(confidence=0.3), None),
        stage_key("picture", Settings(embedder="colour"), None),
        stage_key("picture", Settings(), boxes),
        stage_key("picture", Settings(), boxes.replace(object_id=np.array(["a"]))),
    ]
    assert len({base, *changed}) == 6


def test_settings_refuse_nonsense():
    for bad in (
        {"device": "gpu"},
        {"confidence": 1.5},
        {"threshold": 3},
        {"reach": -1},
        {"max_objects": 0},
        {"image_size": 8},
    ):
        with pytest.raises(InputError):
            Settings(**bad)
