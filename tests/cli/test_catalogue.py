"""catalogue.py as a user runs it, in this process (one start-up for all commands)."""

import json

import pytest
from typer.testing import CliRunner

from packed_scenes.catalogue import Catalogue
from packed_scenes.cli.commands import application
from packed_scenes.data import InputError
from tests.cli.test_analyze import command
from tests.packed_scenes.catalogue.made import EMBEDDING, entry


@pytest.fixture(scope="module")
def app():
    return application("catalogue")


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setattr("packed_scenes.catalogue.store.SYNCHRONOUS", "OFF")
    there = Catalogue.create(tmp_path / "shop")
    there.add([entry("monday", [0, 0, 1], taken="2026-01-05T09:00:00")], embedding=EMBEDDING)
    there.add([entry("friday", [1, 2], taken="2026-01-09T09:00:00")], embedding=EMBEDDING)
    return there


@pytest.fixture
def say(app, shop):
    def run(name, *arguments):
        done = CliRunner().invoke(app, [name, str(shop.folder), *map(str, arguments)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def test_name_merge_split_and_take_back(say, shop):
    assert "is tea now" in say("rename", 1, "tea")
    rows = json.loads(say("list", "--json"))
    assert rows[0] | {"first_seen": None, "last_seen": None} == {
        "identity_id": 1, "name": "tea", "n_objects": 2, "n_scenes": 1, "first_seen": None, "last_seen": None,
    }  # fmt: skip
    say("merge", "tea", 2)
    assert [r["scene"] for r in json.loads(say("show", "tea", "--json"))] == ["friday", "monday", "monday", "monday"]
    assert "new from tea: #4" in say("split", "tea", "--threshold", 0.18)
    assert "undone" in say("undo")
    assert shop.identity("tea").n_objects == 4
    assert "new from tea: #5" in say("split", "tea", 1)
    say("move", 1, "--to", "tea")
    say("remove", "friday")
    assert shop.identity("tea").n_objects == 3
    say("undo")
    assert "redone" in say("redo")
    kinds = [e["kind"] for e in json.loads(say("history", "--json"))]
    assert kinds[:4] == ["redo", "undo", "remove", "move"]


def test_questions(say):
    assert [r["identity_id"] for r in json.loads(say("new", "--since", "2026-01-09", "--json"))] == [3]
    assert [r["identity_id"] for r in json.loads(say("gone", "--since", "2026-01-09", "--json"))] == [1]
    shares = json.loads(say("share", "--scenes", "mon*", "--json"))
    assert [(r["identity_id"], round(r["share_area"], 3)) for r in shares] == [(1, 0.667), (2, 0.333)]
    assert [r["name"] for r in json.loads(say("scenes", "--json"))] == ["friday", "monday"]


def test_tables_for_people(say):
    say("rename", 1, "[red] tea")
    listed = say("list", "--limit", 2)
    assert "[red] tea" in listed
    assert "2026-01-05 09:00" in listed
    assert "… and 1 more" in listed
    assert "66.7%" in say("share")
    assert "30,5,50,45" in say("show", 1)
    assert "rename" in say("history")
    assert "monday" in say("scenes")
    assert "nothing" in say("new", "--since", "2030-01-01")


def test_export(say, tmp_path):
    assert "5 objects" in say("export", tmp_path / "all.parquet")
    assert (tmp_path / "all.parquet").stat().st_size


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "9"], "no identity '9'"),
        (["new", "--since", "soon"], "is no date"),
        (["undo", "77"], "no edit 77"),
        (["split", "1", "--threshold", "0.5"], "does not fall apart"),
        (["export", "all.xls"], "unknown format 'xls'"),
    ],
)
def test_bad_input_is_one_clear_error(app, shop, arguments, said):
    with pytest.raises(InputError, match=said):
        CliRunner().invoke(app, [arguments[0], str(shop.folder), *arguments[1:]], catch_exceptions=False)


def test_the_error_reaches_the_shell(tmp_path):
    done = command("catalogue.py", "list", tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"error: {tmp_path}: no catalogue here. Make one: packed-scenes analyze PHOTOS --catalogue DIR."
    ]
