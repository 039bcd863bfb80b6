"""Hidden rows that nobody will show: of writers that died, and of pictures that another writer added first.

A writer holds a locked file beside the catalogue while it adds (:func:`mark`). The system takes the lock away with its
process, so the next writer knows who is dead, whatever clocks and process numbers say.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from packed_scenes.data import locks

UNKNOWN_FOR = timedelta(days=1)  # where the system has no locks, a run that began longer ago is taken for dead


def mark(folder: Path, run: int) -> AbstractContextManager[None]:
    """Hold the file that says that a run's writer lives, while the block runs."""
    return locks.hold_file(_file(folder, run))


def sweep(connection: sqlite3.Connection, folder: Path) -> None:
    """Delete what writers that died left; the caller holds the write transaction."""
    limit = (datetime.now(UTC) - UNKNOWN_FOR).strftime("%Y-%m-%dT%H:%M:%S")
    dead = []
    for run, added in connection.execute("SELECT run_id, added FROM runs WHERE NOT finished").fetchall():
        held = locks.is_held(_file(folder, run))
        if held is False or (held is None and added < limit):
            dead.append(run)
    if dead:
        delete_runs(connection, dead)
    locks.sweep(folder)


def delete_runs(connection: sqlite3.Connection, runs: Iterable[int]) -> None:
    """Delete runs with their scenes, none of which was ever shown; their numbers are given again."""
    for run in runs:
        scenes = connection.execute("SELECT scene_id FROM scenes WHERE run_id = ?", (run,)).fetchall()
        delete_scenes(connection, [scene for (scene,) in scenes])
        connection.execute("DELETE FROM runs WHERE run_id = ?", (run,))
    _rewind(connection, "runs", "run_id")


def delete_scenes(connection: sqlite3.Connection, scenes: Iterable[int]) -> None:
    """Delete scenes that were never shown, with their objects; their numbers are given again."""
    for scene in scenes:
        connection.execute(
            "DELETE FROM crops WHERE object_id IN (SELECT object_id FROM objects WHERE scene_id = ?)", (scene,)
        )
        connection.execute("DELETE FROM objects WHERE scene_id = ?", (scene,))
        connection.execute("DELETE FROM scenes WHERE scene_id = ?", (scene,))
    _rewind(connection, "scenes", "scene_id")
    _rewind(connection, "objects", "object_id")


def _rewind(connection: sqlite3.Connection, table: str, column: str) -> None:
    """Go on counting after the highest number there is."""
    highest = f"(SELECT coalesce(max({column}), 0) FROM {table})"
    connection.execute(f"UPDATE sqlite_sequence SET seq = {highest} WHERE name = ?", (table,))


def _file(folder: Path, run: int) -> Path:
    return folder / f"{locks.PREFIX}run{run}"
