"""What was seen comes back whole, and only for the same picture and settings."""

import numpy as np
import pytest

from packed_scenes.data import InputError, Objects
from packed_scenes.observation import Observation, load_observation, observation_key, save_observation
from packed_scenes.settings import Settings


def observed(count: int) -> Observation:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(count, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    boxes = np.c_[np.arange(count), np.zeros(count), np.arange(count) + 2, np.full(count, 3)].reshape(-1, 4)
    objects = Objects.from_boxes(boxes, embedding=vectors)
    return Observation(
        objects=objects, size=(30, 40), seconds={"detect": 0.5}, detection={"input": 640}, warnings=("capped",)
    )


@pytest.mark.parametrize("count", [0, 1, 7])
def test_round_trip(tmp_path, count):
    value = observed(count)
    save_observation(tmp_path / "s.parquet", value, "key")
    back = load_observation(tmp_path / "s.parquet", "key")
    assert back is not None
    assert back.size == value.size
    assert back.objects == value.objects
    assert back.seconds == {"detect": 0.5}
    assert back.warnings == ("capped",)


def test_another_key_a_damaged_file_and_no_file_give_nothing(tmp_path):
    path = tmp_path / "s.parquet"
    assert load_observation(path, "key") is None
    save_observation(path, observed(3), "key")
    assert load_observation(path, "other") is None
    path.write_bytes(path.read_bytes()[:100])
    assert load_observation(path, "key") is None


def test_the_key_follows_what_decides_the_boxes_and_nothing_else():
    boxes = Objects.from_boxes([[0, 0, 1, 1]])
    base = observation_key("picture", Settings(), None)
    assert base == observation_key("picture", Settings(threshold=0.3, reach=1.0, clusterer="hdbscan"), None)
    changed = [
        observation_key("other", Settings(), None),
        observation_key("picture", Settings(confidence=0.3), None),
        observation_key("picture", Settings(embedder="colour"), None),
        observation_key("picture", Settings(), boxes),
        observation_key("picture", Settings(), boxes.replace(object_id=np.array(["a"]))),
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


@pytest.mark.parametrize(
    "about",
    [
        {"size": ["a", "b"]}, {"size": [0, 4]}, {"size": 3}, {"seconds": [1]}, {"seconds": {"read": "x"}},
        {"detection": 5}, {"warnings": 7}, {"key": None},
    ],
)  # fmt: skip
def test_a_record_of_other_values_gives_nothing(tmp_path, about):
    import json

    import pyarrow.parquet as pq

    path = tmp_path / "s.parquet"
    save_observation(path, observed(3), "key")
    table = pq.read_table(path)
    known = json.loads(table.schema.metadata[b"scene"])
    pq.write_table(table.replace_schema_metadata({"scene": json.dumps(known | about)}), path)
    assert load_observation(path, "key") is None
