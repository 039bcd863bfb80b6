"""The catalogue as COCO, CSV and Parquet: everything is there, under the names the user gave."""

import csv
import json

import numpy as np
import pandas as pd
import pytest

from packed_scenes.data import InputError
from packed_scenes.data.coco import read_coco
from tests.packed_scenes.catalogue.made import identities_of


def test_coco(filled, tmp_path):
    filled.rename(identities_of(filled, "a")[0], "tea")
    assert filled.export(tmp_path / "all.json") == 10
    scenes = {s.name: s for s in read_coco(tmp_path / "all.json")}
    assert set(scenes) == {"a", "b", "c"}
    a = scenes["a"]
    assert a.categories[a.truth.cluster[0]] == "tea"
    assert a.categories[a.truth.cluster[2]] == f"#{identities_of(filled, 'a')[2]}"
    assert a.truth.xyxy[1].tolist() == [30, 5, 50, 45]
    assert json.loads((tmp_path / "all.json").read_text())["images"][0]["height"] == 50


def test_csv(filled, tmp_path):
    filled.export(tmp_path / "all.csv")
    with open(tmp_path / "all.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    assert [int(r["identity"]) for r in rows if r["scene"] == "b"] == identities_of(filled, "b")
    assert rows[0]["x2"] == "20.0"


def test_parquet_answers_questions(filled, tmp_path):
    file = tmp_path / "all.parquet"
    filled.export(file, "parquet")
    held = filled.vectors()
    frame = pd.read_parquet(file)
    assert np.array_equal(np.stack(frame["vector"]), held.vector)
    answer = frame.groupby("identity").size().items()
    assert list(answer) == sorted((i.identity_id, i.n_objects) for i in filled.identities())


@pytest.mark.parametrize("suffix", ["json", "csv", "parquet"])
def test_an_empty_catalogue(catalogue, tmp_path, suffix):
    assert catalogue.export(tmp_path / f"none.{suffix}") == 0
    assert (tmp_path / f"none.{suffix}").stat().st_size


def test_an_unknown_format(filled, tmp_path):
    with pytest.raises(InputError, match="unknown format 'xls'"):
        filled.export(tmp_path / "all.xls")
    assert not list(tmp_path.glob("*.xls"))
