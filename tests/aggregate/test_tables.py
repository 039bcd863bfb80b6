from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from packed_scenes.aggregate import aggregate, congregations_json, objects_csv
from packed_scenes.data import InputError, Objects
from tests.aggregate.scenes import boxes_of


def scene() -> Objects:
    objects = boxes_of(
        (0.125, 0, 60, 100), (62, -0.001, 122, 100), (190, 0, 250, 100), (300, 1, 310, 90), cluster=[4, 4, 4, -1]
    )
    return objects.replace(
        object_id=['a,"b"', "ü", "c", "d"], probability=np.array([1, 0.33333, 0.5, 0]), score=[1, 0.9, 0.5, 0.1]
    )


def test_csv_has_the_columns_of_the_contract_and_every_object() -> None:
    objects, found = aggregate(scene(), (100, 400))
    text = objects_csv(objects, found)
    assert text.splitlines()[0] == "object_id,x1,y1,x2,y2,score,cluster,probability,congregation"
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["object_id"] for row in rows] == ['a,"b"', "ü", "c", "d"]
    assert [row["congregation"] for row in rows] == ["4_1", "4_1", "4_2", ""]
    assert [row["probability"] for row in rows] == ["1", "0.3333", "0.5", "0"]
    assert [rows[0]["x1"], rows[1]["y1"], rows[3]["cluster"]] == ["0.12", "0", "-1"]
    assert objects_csv(objects, found) == text


def test_json_has_the_fields_of_the_contract() -> None:
    _, found = aggregate(scene(), (100, 400))
    rows = json.loads(congregations_json(found))
    assert [sorted(row) for row in rows] == [["bbox", "cluster", "index", "label", "object_ids", "polygons"]] * 2
    assert [row["label"] for row in rows] == ["4_1", "4_2"]
    assert rows[1]["polygons"] == [[[[190, 0], [190, 100], [250, 100], [250, 0]]]]
    assert rows[0]["object_ids"] == ['a,"b"', "ü"]
    assert json.loads(congregations_json([])) == []


def test_no_objects_give_a_head_line() -> None:
    empty = Objects.empty().replace(cluster=np.zeros(0, int))
    assert objects_csv(empty, []).count("\n") == 1


def test_foreign_congregations_are_refused() -> None:
    objects, found = aggregate(scene(), (100, 400))
    with pytest.raises(InputError, match="not among the objects"):
        objects_csv(objects.select([0]), found)
    with pytest.raises(InputError, match="no cluster"):
        objects_csv(objects.replace(cluster=None), found)


def test_names_are_a_last_column_that_no_spreadsheet_runs() -> None:
    objects = Objects.from_boxes([[0, 0, 9, 9], [20, 0, 29, 9], [40, 0, 49, 9]], cluster=[1, 0, -1])
    lines = objects_csv(objects, [], names={1: '=cmd("x"), or so'}).splitlines()
    assert lines[0].endswith("congregation,name")
    assert next(csv.reader(lines[1:]))[-1] == '\'=cmd("x"), or so'
    assert [line[-1] for line in csv.reader(lines[2:])] == ["", ""]
    assert "name" not in objects_csv(objects, [])
