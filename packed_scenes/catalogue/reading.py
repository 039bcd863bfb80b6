"""Questions to a catalogue: who is there, where was it seen, how much of the shelf, what came, what went.

Functions take a connection of :meth:`Store.read`. They see shown scenes only. Measured on 416,314 objects (README):
none takes over a second.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import numpy as np

from packed_scenes.catalogue.records import Embedding, Identity, SceneRecord, Share, Sighting, Vectors
from packed_scenes.data.errors import InputError
from packed_scenes.data.text import load_json

_SHOWN = "objects JOIN scenes USING (scene_id) WHERE shown = 1"
_IDENTITY = """
    SELECT identity_id, identities.name, count(*), count(DISTINCT scene_id), min(taken), max(taken)
    FROM identities JOIN objects USING (identity_id) JOIN scenes USING (scene_id) WHERE shown = 1 {where}
    GROUP BY identity_id {having} ORDER BY {order}
"""


def state(connection: sqlite3.Connection) -> int:
    """Return the number of the last edit: it grows with every change."""
    return int(connection.execute("SELECT coalesce(max(edit_id), 0) FROM edits").fetchone()[0])


def embedding(connection: sqlite3.Connection) -> Embedding | None:
    """Return which vectors the catalogue holds; None before anything was added."""
    row = connection.execute("SELECT value FROM about WHERE key = 'embedding'").fetchone()
    return None if row is None else Embedding(**load_json(row[0]))


def vectors(connection: sqlite3.Connection) -> Vectors:
    """Return the vectors of all shown objects."""
    count = connection.execute(f"SELECT count(*) FROM {_SHOWN}").fetchone()[0]
    cursor = connection.execute(f"SELECT object_id, identity_id, vector FROM {_SHOWN} ORDER BY object_id")
    ids, flat = np.empty((count, 2), np.int64), np.zeros((0, 0), np.float32)
    low = 0
    while rows := cursor.fetchmany(10_000):
        if not low:
            flat = np.empty((count, len(rows[0][2]) // 4), np.float32)
        high = low + len(rows)
        ids[low:high] = [row[:2] for row in rows]
        flat[low:high] = np.frombuffer(b"".join(row[2] for row in rows), "<f4").reshape(len(rows), -1)
        low = high
    return Vectors(ids[:, 0], ids[:, 1], flat, state(connection))


def identities(connection: sqlite3.Connection) -> list[Identity]:
    """Return all identities that have been seen, most objects first."""
    return [Identity(*row) for row in connection.execute(_IDENTITY.format(where="", having="", order="3 DESC, 1"))]


def identity_named(connection: sqlite3.Connection, name: str) -> Identity | None:
    """Return the identity of that name, if one that has been seen has it."""
    sql = _IDENTITY.format(where="AND identities.name = ?", having="", order="1")
    row = connection.execute(sql, (name,)).fetchone()
    return None if row is None else Identity(*row)


def find_identity(connection: sqlite3.Connection, which: int | str) -> Identity:
    """Return one identity by its number or name.

    Raises:
        InputError: if there is none.
    """
    text = str(which).removeprefix("#")
    if text.isdecimal():
        sql = _IDENTITY.format(where="AND identity_id = ?", having="", order="1")
        rows = connection.execute(sql, (min(int(text), 2**63 - 1),)).fetchall()  # SQLite knows no larger numbers
        found = Identity(*rows[0]) if rows else None
    else:
        found = identity_named(connection, str(which))
    if found is None:
        raise InputError(f"there is no identity {which!r}", remedy="List them: packed-scenes catalogue list DIR.")
    return found


def new(connection: sqlite3.Connection, since: str, scenes: str = "*") -> list[Identity]:
    """Return the identities first seen at or after ``since``, in scenes whose name matches; newest first."""
    sql = _IDENTITY.format(where="AND scenes.name GLOB ?", having="HAVING min(taken) >= ?", order="5 DESC, 1")
    return [Identity(*row) for row in connection.execute(sql, (scenes, since))]


def gone(connection: sqlite3.Connection, since: str, scenes: str = "*") -> list[Identity]:
    """Return the identities seen before ``since`` and not again, in scenes whose name matches; last seen first.

    Raises:
        InputError: if no such scene was taken since: then nothing can be said to have gone.
    """
    looked = connection.execute(
        "SELECT count(*) FROM scenes WHERE shown = 1 AND taken >= ? AND name GLOB ?", (since, scenes)
    ).fetchone()[0]
    if not looked:
        raise InputError(
            f"no scene {'' if scenes == '*' else f'like {scenes!r} '}was taken since {since}",
            remedy="Add newer photos.",
        )
    sql = _IDENTITY.format(where="AND scenes.name GLOB ?", having="HAVING max(taken) < ?", order="6 DESC, 1")
    return [Identity(*row) for row in connection.execute(sql, (scenes, since))]


def seen(connection: sqlite3.Connection, identity_id: int) -> list[Sighting]:
    """Return every sighting of an identity, newest scene first."""
    return _sightings(connection, "AND identity_id = ? ORDER BY taken DESC, scene_id, object_id", (identity_id,))


def in_scene(connection: sqlite3.Connection, scene: str) -> list[Sighting]:
    """Return every object of a scene, in the order of its analysis."""
    return _sightings(connection, "AND scenes.name = ? ORDER BY object_id", (scene,))


def sightings(connection: sqlite3.Connection, object_ids: list[int]) -> list[Sighting]:
    """Return objects by their numbers, in the order asked; unknown and hidden ones are left out."""
    if not object_ids:
        return []
    found: dict[int, Sighting] = {}
    for low in range(0, len(object_ids), 500):  # SQLite's old limit is 999 parameters
        part = object_ids[low : low + 500]
        marks = ", ".join("?" * len(part))
        found |= {s.object_id: s for s in _sightings(connection, f"AND object_id IN ({marks})", tuple(part))}
    return [found[i] for i in object_ids if i in found]


def _sightings(connection: sqlite3.Connection, rest: str, values: tuple[Any, ...]) -> list[Sighting]:
    sql = f"""
        SELECT object_id, key, scenes.name, taken, x1, y1, x2, y2, score, identity_id, identities.name, probability
        FROM objects JOIN scenes USING (scene_id) JOIN identities USING (identity_id) WHERE shown = 1 {rest}
    """
    rows = connection.execute(sql, values)
    return [Sighting(i, key, scene, at, (a, b, c, d), *more) for i, key, scene, at, a, b, c, d, *more in rows]


def scenes(connection: sqlite3.Connection) -> list[SceneRecord]:
    """Return all shown scenes, newest first."""
    sql = """
        SELECT scene_id, scenes.name, source, width, height, taken, added, run_id,
            count(object_id), count(DISTINCT identity_id)
        FROM scenes JOIN runs USING (run_id) LEFT JOIN objects USING (scene_id) WHERE shown = 1
        GROUP BY scene_id ORDER BY taken DESC, scene_id DESC
    """
    return [SceneRecord(*row) for row in connection.execute(sql)]


def share(connection: sqlite3.Connection, pattern: str = "*") -> list[Share]:
    """Return each identity's share of each scene whose name matches, by count and area; largest first."""
    sql = """
        SELECT scenes.name, identity_id, identities.name, count(*),
            1.0 * count(*) / sum(count(*)) OVER whole,
            sum((x2 - x1) * (y2 - y1)) / sum(sum((x2 - x1) * (y2 - y1))) OVER whole
        FROM objects JOIN scenes USING (scene_id) JOIN identities USING (identity_id)
        WHERE shown = 1 AND scenes.name GLOB ?
        GROUP BY scene_id, identity_id WINDOW whole AS (PARTITION BY scene_id)
        ORDER BY taken DESC, scene_id, 4 DESC, identity_id
    """
    return [Share(*row) for row in connection.execute(sql, (pattern,))]


def crop(connection: sqlite3.Connection, object_ids: list[int]) -> dict[int, bytes]:
    """Return the JPEG thumbnails of objects, by object number; objects without one are left out."""
    found: dict[int, bytes] = {}
    for low in range(0, len(object_ids), 500):
        part = object_ids[low : low + 500]
        marks = ", ".join("?" * len(part))
        found |= dict(connection.execute(f"SELECT object_id, jpeg FROM crops WHERE object_id IN ({marks})", part))
    return found


def preview(connection: sqlite3.Connection, scene: str) -> bytes | None:
    """Return the JPEG preview of a scene, or None."""
    row = connection.execute("SELECT preview FROM scenes WHERE shown = 1 AND name = ?", (scene,)).fetchone()
    return None if row is None else row[0]
