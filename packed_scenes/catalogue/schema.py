"""The tables of a catalogue, its format number, and the steps from older formats to this one.

The format number is SQLite's ``user_version``; ``application_id`` says that the file is a catalogue at all. A step
never looks at today's table definitions, so that it still does what it did on the day it was written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

APPLICATION_ID = 0x50534354  # "PSCT"
FORMAT = 2

TABLES = (
    # What the whole catalogue rests on: embedder, its weights, dimension, threshold.
    "CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE runs (
        run_id INTEGER PRIMARY KEY AUTOINCREMENT,
        added TEXT NOT NULL,               -- UTC, ISO 8601
        record TEXT NOT NULL,              -- JSON: how the run was made
        finished INTEGER NOT NULL DEFAULT 0
    )""",
    """CREATE TABLE scenes (
        scene_id INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id INTEGER NOT NULL REFERENCES runs,
        name TEXT NOT NULL,
        fingerprint TEXT NOT NULL,         -- SHA-256 of the picture
        source TEXT,                       -- path when it was added
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        taken TEXT NOT NULL,               -- ISO 8601: the camera's time, else when it was added
        shown INTEGER NOT NULL DEFAULT 0,  -- 0 while being added, after undo, after removal
        preview BLOB                       -- JPEG
    )""",
    "CREATE UNIQUE INDEX scene_fingerprint ON scenes (fingerprint) WHERE shown = 1",
    "CREATE UNIQUE INDEX scene_name ON scenes (name) WHERE shown = 1",
    "CREATE INDEX scene_run ON scenes (run_id)",
    "CREATE TABLE identities (identity_id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT)",
    """CREATE TABLE objects (
        object_id INTEGER PRIMARY KEY AUTOINCREMENT,
        scene_id INTEGER NOT NULL REFERENCES scenes,
        key TEXT NOT NULL,                 -- the object's id within its scene
        x1 REAL NOT NULL, y1 REAL NOT NULL, x2 REAL NOT NULL, y2 REAL NOT NULL,
        score REAL NOT NULL,
        class_id INTEGER NOT NULL,
        noise INTEGER NOT NULL,            -- 1: the clusterer called it noise; it is an identity seen once then
        probability REAL NOT NULL,
        identity_id INTEGER REFERENCES identities,
        vector BLOB NOT NULL               -- float32, little endian
    )""",
    "CREATE INDEX object_scene ON objects (scene_id)",
    "CREATE INDEX object_identity ON objects (identity_id)",
    # Apart from the objects, so that a walk over the objects does not read the pictures.
    "CREATE TABLE crops (object_id INTEGER PRIMARY KEY REFERENCES objects, jpeg BLOB NOT NULL)",
    """CREATE TABLE edits (
        edit_id INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,
        kind TEXT NOT NULL,
        detail TEXT NOT NULL,              -- JSON, for people
        reverts INTEGER REFERENCES edits   -- the edit that this one takes back
    )""",
    "CREATE INDEX edit_reverts ON edits (reverts)",
    """CREATE TABLE changes (
        edit_id INTEGER NOT NULL REFERENCES edits,
        field TEXT NOT NULL,
        row_id INTEGER NOT NULL,
        before, after,
        PRIMARY KEY (edit_id, field, row_id)
    ) WITHOUT ROWID""",
)


def create(connection: sqlite3.Connection) -> None:
    """Make all tables; the caller holds a write transaction."""
    for statement in TABLES:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring an older format to :data:`FORMAT`, whole or not at all: the caller holds a write transaction."""
    for number in range(version, FORMAT):
        STEPS[number](connection)
    connection.execute(f"PRAGMA user_version = {FORMAT}")


def _from_1(connection: sqlite3.Connection) -> None:
    """Format 1 had no time of the picture and no preview: the time of adding stands in."""
    connection.execute("ALTER TABLE scenes ADD COLUMN taken TEXT NOT NULL DEFAULT ''")
    connection.execute("ALTER TABLE scenes ADD COLUMN preview BLOB")
    connection.execute("UPDATE scenes SET taken = (SELECT added FROM runs WHERE runs.run_id = scenes.run_id)")


STEPS: dict[int, Callable[[sqlite3.Connection], None]] = {1: _from_1}
