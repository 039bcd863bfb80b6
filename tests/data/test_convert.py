"""Conversions at the edge: supervision as installed, FiftyOne by a light stand-in, Label Studio as JSON."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from packed_scenes.data import InputError, Objects
from packed_scenes.data.convert import (
    from_fiftyone,
    from_label_studio,
    from_supervision,
    to_fiftyone,
    to_label_studio,
    to_supervision,
)
from tests.data.strategies import objects

quick = settings(max_examples=30, deadline=None)
MADE = Objects.from_boxes([[10, 20, 30, 60], [0, 0, 5, 5]], score=[0.5, 1], object_id=["a", "b"], cluster=[3, -1])


@quick
@given(objects())
def test_supervision_round_trip(made: Objects) -> None:
    pytest.importorskip("supervision")
    assert from_supervision(to_supervision(made)) == made


def test_supervision_keeps_rows_together() -> None:
    sv = pytest.importorskip("supervision")
    detections = to_supervision(MADE)
    assert from_supervision(detections[np.array([1, 0])]) == MADE.select([1, 0])
    assert from_supervision(detections[detections.confidence < 0.9]) == MADE.select([0])
    bare = from_supervision(sv.Detections(xyxy=np.array([[1.0, 2, 3, 4]])))
    assert bare == Objects.from_boxes([[1, 2, 3, 4]])
    assert len(from_supervision(sv.Detections.empty())) == 0


@pytest.fixture
def fiftyone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for the three classes that are used, with their documented attributes."""

    class Label:
        def __init__(self, **fields: Any) -> None:
            self.confidence = None
            self.__dict__.update(fields)

    class Sample(dict[str, Any]):
        def __init__(self, filepath: str) -> None:
            super().__init__()
            self.filepath = filepath

    module = ModuleType("fiftyone")
    vars(module).update(Detection=Label, Detections=Label, Sample=Sample)
    monkeypatch.setitem(sys.modules, "fiftyone", module)


@pytest.mark.usefixtures("fiftyone")
def test_fiftyone_there_and_back() -> None:
    sample: Any = to_fiftyone(Path("x.jpg"), MADE, size=(100, 200))
    assert sample.filepath == "x.jpg"
    first, second = sample["objects"].detections
    assert first.bounding_box == pytest.approx([0.1, 0.1, 0.2, 0.2])
    assert (first.label, second.label) == ("3", "noise")
    assert (first.object_id, first.cluster, first.confidence) == ("a", 3, 0.5)
    assert from_fiftyone(sample, size=(100, 200)) == MADE
    named: Any = to_fiftyone("x.jpg", MADE, size=(100, 200), field="f", labels=["x", "y"])
    assert [d.label for d in named["f"].detections] == ["x", "y"]
    with pytest.raises(InputError, match="no detections in 'objects'"):
        from_fiftyone(named, size=(100, 200))
    for detection in named["f"].detections:
        detection.bounding_box = [2, 2, 1, 1]
    with pytest.raises(InputError, match="detection 0: the box lies outside"):
        from_fiftyone(named, size=(100, 200), field="f")
    assert len(from_fiftyone(to_fiftyone("x.jpg", Objects.empty(), size=(1, 1)), size=(1, 1))) == 0


def test_a_library_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fiftyone", "supervision"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=r"fiftyone is not installed\. Install it: pip install .packed-scenes"):
        to_fiftyone("x.jpg", MADE, size=(1, 1))
    with pytest.raises(InputError, match="supervision is not installed"):
        to_supervision(MADE)


@quick
@given(objects(complete=False))
def test_label_studio_round_trip(made: Objects) -> None:
    task = json.loads(json.dumps(to_label_studio("https://x/a.jpg", made, size=(1000, 1000))))
    found, labels = from_label_studio([task])["https://x/a.jpg"]
    assert found.object_id.tolist() == made.object_id.tolist()
    np.testing.assert_allclose(found.xyxy, made.xyxy, atol=1e-3)
    np.testing.assert_allclose(found.score, made.score)
    assert labels == ["object"] * len(made)


def test_label_studio_labels_and_corrections() -> None:
    task = to_label_studio("a.jpg", MADE, size=(100, 200))
    assert task["predictions"][0]["result"][0]["value"] | {"rotation": None} == {
        "x": 10, "y": 10, "width": 20, "height": 20, "rotation": None, "rectanglelabels": ["3"],
    }  # fmt: skip
    found, labels = from_label_studio([task])["a.jpg"]
    assert labels == ["3", "noise"]
    assert found.cluster is not None
    assert found.cluster.tolist() == [0, -1]
    task["annotations"] = [{"result": [task["predictions"][0]["result"][0], {"type": "choices"}]}]
    assert len(from_label_studio([task])["a.jpg"][0]) == 1


def region(**changes: Any) -> dict[str, Any]:
    made = to_label_studio("a.jpg", MADE, size=(100, 200))
    made["predictions"][0]["result"][0]["value"] |= changes
    return made


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        (5, "must be a list"),
        ([1], "task 0: is no task"),
        ([{"data": {"image": 5}}], "task 0: has no data that names a picture"),
        ([{"data": {"image": "a"}, "annotations": [{"result": 7}]}], "task 0: has no result"),
        ([region(), region()], r"the picture 'a\.jpg' appears twice \(task 1\)"),
        ([region(x="1")], r"1 left out: x must be a number, got '1' \(task 0, region 0\)"),
        ([region(width=-5)], r"the box is reversed \(task 0, region 0\)"),
        ([region(x=float("nan"))], "x must be finite"),
    ],
)
def test_label_studio_wrong(tasks: Any, message: str, caplog: pytest.LogCaptureFixture) -> None:
    told = ""
    try:
        from_label_studio(tasks)
    except InputError as error:
        told = str(error)
    assert re.search(message, told or caplog.text)
