"""Shelf reports of painted shelves: counts, and what changed between two photos."""

import pandas as pd
import pytest

from packed_scenes import analyze
from packed_scenes.data import InputError, Scene
from packed_scenes.shelves import save_shelf_reports
from tests.packed_scenes.conftest import paint

OLD = [[0, 0, 1], [2, 2, 2]]
NEW = [[0, 0, 1], [2, None, 3]]


@pytest.fixture
def both(observer):
    return analyze([Scene(paint(NEW), "new"), Scene(paint(OLD), "old")], observer=observer)


def test_facings_are_counted(both, tmp_path):
    pages = save_shelf_reports(both, tmp_path)
    assert [p.parent.name for p in pages] == ["new", "old"]
    table = pd.read_csv(tmp_path / "shelf.csv")
    assert table["row"].min() == 1  # no total among the rows
    assert table["share_count"].sum() == pytest.approx(2, abs=0.01)
    totals = pd.read_csv(tmp_path / "totals.csv")
    old = totals[totals["scene"] == "old"]
    assert sorted(old["facings"]) == [1, 2, 3]
    assert old["share_count"].sum() == pytest.approx(1, abs=0.01)


def test_two_photos_are_compared(both, tmp_path):
    save_shelf_reports(both, tmp_path, before="old")
    changes = pd.read_csv(tmp_path / "new" / "differences.csv")
    assert sorted(changes.iloc[:, 0]) == ["extra", "missing", "missing"]
    assert (tmp_path / "new" / "differences.png").exists()
    assert not (tmp_path / "old" / "differences.csv").exists()


def test_a_plan_that_agrees_has_no_differences(both, tmp_path):
    from packed_scenes.aggregate.planogram import layout_of, planogram_csv
    from packed_scenes.aggregate.shelf import shelf_report

    (tmp_path / "plan.csv").write_text(planogram_csv(layout_of(shelf_report(both.scenes[1].objects))))
    save_shelf_reports(both, tmp_path, plan=tmp_path / "plan.csv")
    assert len(pd.read_csv(tmp_path / "old" / "differences.csv")) == 0
    assert len(pd.read_csv(tmp_path / "new" / "differences.csv")) == 3


def test_nonsense_is_refused(both, tmp_path):
    with pytest.raises(InputError, match="no photo named"):
        save_shelf_reports(both, tmp_path, before="x")
    with pytest.raises(InputError, match="not both"):
        save_shelf_reports(both, tmp_path, before="old", plan=tmp_path / "plan.csv")
    with pytest.raises(InputError, match=r"plan\.csv"):
        save_shelf_reports(both, tmp_path, plan=tmp_path / "plan.csv")


def test_a_plan_takes_the_names_of_a_catalogue(both, tmp_path):
    from packed_scenes.aggregate.planogram import layout_of, planogram_csv
    from packed_scenes.aggregate.shelf import shelf_report
    from packed_scenes.catalogue import Catalogue

    shop = Catalogue.create(tmp_path / "shop")
    assert shop.recognise(both).titles == {}
    shop.add_analysis(both)
    assert set(shop.recognise(both).titles.values()) == {f"#{identity.identity_id}" for identity in shop.identities()}
    for identity in shop.identities():
        shop.rename(identity.identity_id, f"Tea $x^{identity.identity_id}$")
    known = shop.recognise(both)
    names = known.titles
    assert set(names.values()) == {identity.name for identity in shop.identities()}
    plan = tmp_path / "plan.csv"
    plan.write_text(planogram_csv(layout_of(shelf_report(both.scenes[1].objects, names=names))))
    save_shelf_reports(known, tmp_path / "out", plan=plan)
    assert len(pd.read_csv(tmp_path / "out" / "old" / "differences.csv")) == 0
    with pytest.raises(InputError, match="no product of the plan") as error:
        save_shelf_reports(both, tmp_path / "none", plan=plan)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "none").exists()
