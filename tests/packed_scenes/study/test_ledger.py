"""The table of scores survives kills; labels come back; keys say what a model was made from."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.cluster.search import Model
from packed_scenes.data import InputError
from packed_scenes.study.labelstore import LabelStore
from packed_scenes.study.ledger import COLUMNS, Ledger, Row, model_key

ROW = Row(
    "k0", 0, "default", "pca60+minmax", 12, "kmeans", "kmeans k=3", 0, 100, 3, 0.0, 0.5, 0.0, 0.25, 0.2, 100,
    "all rows", 12.5, 1.25, 99.0, float("nan"), float("nan"), float("nan"), 0, 0.5, 0.25, 0.125, 200.0, "",
)  # fmt: skip


def rows(count):
    return [replace(ROW, key=f"k{i}", clusters=i, note='over 3 micro-clusters, "sampled"') for i in range(count)]


def test_rows_come_back(tmp_path):
    ledger = Ledger(tmp_path / "s" / "scores.csv")
    for row in rows(3):
        ledger.add(row)
    again = Ledger(tmp_path / "s" / "scores.csv")
    assert repr(list(again)) == repr(rows(3))  # NaN is not equal to itself
    assert "k1" in again
    assert len(again) == 3
    again.write_parquet(tmp_path / "scores.parquet")
    frame = pd.read_parquet(tmp_path / "scores.parquet")
    assert list(frame) == COLUMNS
    assert frame.ari.isna().all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2000))
def test_a_table_torn_anywhere_goes_on(tmp_path_factory, cut):
    file = tmp_path_factory.mktemp("torn") / "scores.csv"
    ledger = Ledger(file)
    for row in rows(4):
        ledger.add(row)
    content = file.read_bytes()
    file.write_bytes(content[: min(cut, len(content))])
    whole = max(content[: min(cut, len(content))].count(b"\n") - 1, 0)
    again = Ledger(file)
    assert [row.key for row in again] == [f"k{i}" for i in range(whole)]
    again.add(replace(ROW, key="new"))
    assert [row.key for row in Ledger(file)][-1] == "new"


def test_another_table_is_not_written_over(tmp_path):
    file = tmp_path / "scores.csv"
    file.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"scores\.csv"):
        Ledger(file)
    assert file.read_text() == "a,b\n1,2\n"


def test_labels_come_back(tmp_path):
    store = LabelStore(tmp_path / "labels")
    for labels in (np.full(5, -1), np.arange(300) - 1, np.arange(70_000) % 40_000 - 1, np.zeros(0, np.int64)):
        store.write("a", labels)
        assert np.array_equal(store.read("a"), labels)
    assert "a" in store
    with pytest.raises(InputError):
        store.read("b")
    (tmp_path / "labels" / "b.labels").write_bytes(b"bdamaged")
    with pytest.raises(InputError):
        store.read("b")


def test_keys_differ_by_everything_that_matters():
    model = Model.parse("kmeans k=3")
    keys = {
        model_key("c", "pca60", model, 0), model_key("d", "pca60", model, 0), model_key("c", "unit", model, 0),
        model_key("c", "pca60", Model.parse("kmeans k=4"), 0), model_key("c", "pca60", model, 1),
    }  # fmt: skip
    assert len(keys) == 5
