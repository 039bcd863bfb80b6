"""The file: several processes, kill -9, older and newer formats, what is no catalogue."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from packed_scenes.catalogue import Catalogue
from packed_scenes.catalogue.schema import APPLICATION_ID, FORMAT
from packed_scenes.data import InputError
from tests.packed_scenes.catalogue.made import EMBEDDING, crop_vectors, entry, identities_of, partition

WRITER = """
import sys
from packed_scenes.catalogue import Catalogue
from tests.packed_scenes.catalogue.made import EMBEDDING, entry
folder, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
there = Catalogue.create(folder)
for number in range(count):
    there.add([entry(f"{name}{number}", [number % 7, 20, (number + 3) % 7], picture=True)], embedding=EMBEDDING)
    print(number, flush=True)
"""


def writer(folder, name, count):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), name, str(count)], stdout=subprocess.PIPE, text=True
    )


def check(folder):
    with sqlite3.connect(folder / "catalogue.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.slow
def test_two_processes_add_at_once(tmp_path):
    folder = tmp_path / "shared"
    processes = [writer(folder, name, 12) for name in ("left", "right")]
    assert [p.wait(timeout=120) for p in processes] == [0, 0]
    there = Catalogue(folder)
    check(folder)
    assert len(there.scenes()) == 24
    assert len(there.identities()) == 8
    expected = {}
    for name in ("left", "right"):
        for number in range(12):
            for key, product in enumerate([number % 7, 20, (number + 3) % 7]):
                expected.setdefault(product, set()).add((f"{name}{number}", str(key)))
    assert partition(there) == {frozenset(group) for group in expected.values()}
    for _ in range(24):
        there.undo()
    assert there.scenes() == []


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, 0.004, 0.011, 0.02])
def test_a_killed_process_loses_nothing_and_tears_nothing(tmp_path, delay):
    folder = tmp_path / "killed"
    process = writer(folder, "s", 10_000)
    said = [process.stdout.readline() for _ in range(3)]
    time.sleep(delay)  # so that it dies at another point each time
    process.kill()
    said += process.stdout.readlines()
    process.wait()
    committed = int([line for line in said if line.strip()][-1]) + 1
    there = Catalogue(folder)
    check(folder)
    names = {s.name for s in there.scenes()}
    assert {f"s{i}" for i in range(committed)} <= names <= {f"s{i}" for i in range(committed + 1)}
    assert all(len(there.in_scene(name)) == 3 for name in names)
    assert len(there.history()) == len(names)
    there.add([entry("after", [20])], embedding=EMBEDDING)
    assert identities_of(there, "after") == [identities_of(there, "s0")[1]]


def hidden_too(folder):
    """Rows of runs, scenes, objects and crops, hidden ones counted."""
    with sqlite3.connect(folder / "catalogue.sqlite") as connection:
        return [
            connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0]
            for t in ("runs", "scenes", "objects", "crops")
        ]


def failing(name, error):
    def broken():
        raise error

    return replace(entry(name, [4]), picture=broken)


def test_an_add_that_is_interrupted_leaves_no_rows(filled):
    before = hidden_too(filled.folder)
    with pytest.raises(KeyboardInterrupt):
        filled.add([entry("first", [4, 4], picture=True), failing("second", KeyboardInterrupt)], embedding=EMBEDDING)
    assert hidden_too(filled.folder) == before
    assert [p.name for p in filled.folder.iterdir()] == ["catalogue.sqlite"]


def test_the_same_picture_twice_leaves_no_rows(filled, monkeypatch):
    """Also where another writer adds it while it is being added, hidden."""
    filled.add([entry("d", [1, 2])], embedding=EMBEDDING)
    before = hidden_too(filled.folder)
    assert filled.add([entry("d", [1, 2])], embedding=EMBEDDING).scenes == ()
    assert hidden_too(filled.folder) == before

    def meanwhile():
        filled.add([entry("e", [1], picture=True)], embedding=EMBEDDING)
        return np.zeros((50, 60, 3), np.uint8)

    mine = filled.add(
        [replace(entry("f", [1, 2]), picture=meanwhile), entry("e", [1], picture=True)], embedding=EMBEDDING
    )
    assert (mine.scenes, mine.skipped) == (("f",), (("e", "e"),))
    assert hidden_too(filled.folder) == [n + m for n, m in zip(before, [2, 2, 3, 3], strict=True)]
    check(filled.folder)


ADDS_AND_WAITS = """
import sys
from dataclasses import replace
from packed_scenes.catalogue import Catalogue
from tests.packed_scenes.catalogue.made import EMBEDDING, entry

def wait():
    print("staged", flush=True)
    sys.stdin.read()

Catalogue(sys.argv[1]).add(
    [entry("one", [3, 4]), replace(entry("two", [5]), picture=wait)], embedding=EMBEDDING
)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no locks there")
def test_the_rows_of_a_killed_process_go_at_the_next_add_and_those_of_a_living_one_stay(filled):
    before = hidden_too(filled.folder)
    command = [sys.executable, "-c", ADDS_AND_WAITS, str(filled.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "staged\n"
        filled.add([entry("d", [1])], embedding=EMBEDDING)
        assert hidden_too(filled.folder) == [n + m for n, m in zip(before, [2, 2, 3, 0], strict=True)]
        process.kill()
    assert len(list(filled.folder.iterdir())) == 2, "the mark of the killed process"
    filled.add([entry("e", [1])], embedding=EMBEDDING)
    assert hidden_too(filled.folder) == [n + m for n, m in zip(before, [2, 2, 2, 0], strict=True)]
    assert [p.name for p in filled.folder.iterdir()] == ["catalogue.sqlite"]
    check(filled.folder)


def test_without_locks_a_day_decides(filled, monkeypatch):
    monkeypatch.setattr("packed_scenes.data.locks.is_held", lambda path: None)
    with filled._store.write() as connection:
        for added in ("2020-01-01T00:00:00", "2999-01-01T00:00:00"):
            connection.execute("INSERT INTO runs (added, record) VALUES (?, '{}')", (added,))
    before = hidden_too(filled.folder)[0]
    filled.add([entry("d", [1])], embedding=EMBEDDING)
    assert hidden_too(filled.folder)[0] == before


def test_threads_share_one_catalogue(catalogue):
    def add(name):
        catalogue.add([entry(name, [1, 2])], embedding=EMBEDDING)

    threads = [threading.Thread(target=add, args=(f"t{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(catalogue.scenes()) == 6
    assert len(catalogue.identities()) == 2


V1 = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (run_id INTEGER PRIMARY KEY AUTOINCREMENT, added TEXT NOT NULL, record TEXT NOT NULL,
    finished INTEGER NOT NULL DEFAULT 0);
CREATE TABLE scenes (scene_id INTEGER PRIMARY KEY AUTOINCREMENT, run_id INTEGER NOT NULL REFERENCES runs,
    name TEXT NOT NULL, fingerprint TEXT NOT NULL, source TEXT, width INTEGER NOT NULL,
    height INTEGER NOT NULL, shown INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX scene_fingerprint ON scenes (fingerprint) WHERE shown = 1;
CREATE UNIQUE INDEX scene_name ON scenes (name) WHERE shown = 1;
CREATE INDEX scene_run ON scenes (run_id);
CREATE TABLE identities (identity_id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);
CREATE TABLE objects (object_id INTEGER PRIMARY KEY AUTOINCREMENT, scene_id INTEGER NOT NULL REFERENCES scenes,
    key TEXT NOT NULL, x1 REAL NOT NULL, y1 REAL NOT NULL, x2 REAL NOT NULL, y2 REAL NOT NULL,
    score REAL NOT NULL, class_id INTEGER NOT NULL, noise INTEGER NOT NULL, probability REAL NOT NULL,
    identity_id INTEGER REFERENCES identities, vector BLOB NOT NULL);
CREATE INDEX object_scene ON objects (scene_id);
CREATE INDEX object_identity ON objects (identity_id);
CREATE TABLE crops (object_id INTEGER PRIMARY KEY REFERENCES objects, jpeg BLOB NOT NULL);
CREATE TABLE edits (edit_id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, kind TEXT NOT NULL,
    detail TEXT NOT NULL, reverts INTEGER REFERENCES edits);
CREATE INDEX edit_reverts ON edits (reverts);
CREATE TABLE changes (edit_id INTEGER NOT NULL REFERENCES edits, field TEXT NOT NULL, row_id INTEGER NOT NULL,
    before, after,
    PRIMARY KEY (edit_id, field, row_id)) WITHOUT ROWID;
"""


def version_1(folder):
    """A catalogue as format 1 wrote it: one scene with two objects of one identity named tea."""
    folder.mkdir()
    connection = sqlite3.connect(folder / "catalogue.sqlite")
    connection.executescript(V1)
    connection.execute(
        """INSERT INTO about VALUES ('embedding', '{"name": "synthetic", "weights": "%s", "threshold": 0.18}')"""
        % ("a" * 64)
    )
    connection.execute("INSERT INTO runs VALUES (1, '2025-12-24T18:00:00', '{}', 1)")
    connection.execute("INSERT INTO scenes VALUES (1, 1, 'old', 'f', NULL, 60, 50, 1)")
    connection.execute("INSERT INTO identities VALUES (1, 'tea')")
    rows = crop_vectors([0, 0])
    for number in (1, 2):
        values = (number, 1, str(number), 0, 0, 20, 40, 1, 0, 0, 1, 1, rows[number - 1].tobytes())
        connection.execute("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    connection.execute("INSERT INTO edits VALUES (1, '2025-12-24T18:00:00', 'add', '{}', NULL)")
    connection.execute("INSERT INTO changes VALUES (1, 'shown', 1, 0, 1)")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()


def tables(folder):
    with sqlite3.connect(folder / "catalogue.sqlite") as connection:
        names = [n for (n,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        return {n: sorted(row[1:4] for row in connection.execute(f"PRAGMA table_info({n})")) for n in names}


def test_format_1_is_brought_up_to_date(tmp_path, catalogue):
    version_1(tmp_path / "old")
    there = Catalogue(tmp_path / "old")
    assert tables(there.folder) == tables(catalogue.folder)
    assert there.identity("tea").n_objects == 2
    assert there.scenes()[0].taken == "2025-12-24T18:00:00"
    there.add([entry("new", [0, 1], picture=True)], embedding=EMBEDDING)
    assert there.in_scene("new")[0].name == "tea"
    there.undo()
    there.undo(1)
    assert there.scenes() == []
    check(there.folder)


def test_a_failing_migration_leaves_format_1(tmp_path, monkeypatch):
    from packed_scenes.catalogue import schema

    version_1(tmp_path / "old")
    before = tables(tmp_path / "old")

    def half(connection):
        schema._from_1(connection)
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setitem(schema.STEPS, 1, half)
        with pytest.raises(RuntimeError):
            Catalogue(tmp_path / "old")
    assert tables(tmp_path / "old") == before
    assert Catalogue(tmp_path / "old").identity("tea").n_objects == 2


def test_a_newer_format_is_refused(catalogue):
    with sqlite3.connect(catalogue.folder / "catalogue.sqlite") as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    with pytest.raises(InputError, match="Update the project"):
        Catalogue(catalogue.folder)


def test_what_is_no_catalogue(tmp_path):
    with pytest.raises(InputError, match="no catalogue here"):
        Catalogue(tmp_path)
    (tmp_path / "catalogue.sqlite").write_bytes(b"something else " * 99)
    with pytest.raises(InputError, match="damaged or no catalogue"):
        Catalogue(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    with sqlite3.connect(other / "catalogue.sqlite") as connection:
        connection.execute("CREATE TABLE t (x)")
    with pytest.raises(InputError, match="no catalogue"):
        Catalogue(other)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot make"):
        Catalogue.create(tmp_path / "file")


def test_a_writer_that_never_ends_is_said(catalogue):
    impatient = Catalogue(catalogue.folder, wait=0.05)
    with sqlite3.connect(catalogue.folder / "catalogue.sqlite") as busy:
        busy.execute("BEGIN IMMEDIATE")
        with pytest.raises(InputError, match="another program"):
            impatient.add([entry("a", [0])], embedding=EMBEDDING)
        assert impatient.scenes() == []  # readers go on


def test_statements_of_others_in_it_are_not_run(catalogue):
    with sqlite3.connect(catalogue.folder / "catalogue.sqlite") as connection:
        connection.execute(
            "CREATE VIEW endless AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
        )
    with pytest.raises(InputError, match="views or triggers"):
        Catalogue(catalogue.folder)
