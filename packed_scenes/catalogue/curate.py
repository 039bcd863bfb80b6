"""What a user does by hand: name, merge, move, split, remove. Each is one edit, and can be undone."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from packed_scenes.catalogue import edits, reading
from packed_scenes.catalogue.edits import Change, Field, Kind
from packed_scenes.catalogue.records import Identity
from packed_scenes.data.errors import InputError

MAX_NAME = 120


def rename(connection: sqlite3.Connection, identity: Identity, name: str | None) -> int:
    """Name an identity; None or an empty text takes the name away.

    Raises:
        InputError: if the name is only digits, too long, has control characters, or another identity has it.
    """
    text = " ".join((name or "").split()) or None
    if text is not None:
        if text.removeprefix("#").isdecimal() or len(text) > MAX_NAME or not text.isprintable():
            raise InputError(
                f"{text[:40]!r} cannot be a name", remedy=f"Use up to {MAX_NAME} printable characters, not only digits."
            )
        other = reading.identity_named(connection, text)
        if other is not None and other.identity_id != identity.identity_id:
            raise InputError(
                f"identity {other.identity_id} is called {text!r}", remedy="Merge the two, or choose another name."
            )
    return edits.apply(
        connection,
        Kind.RENAME,
        {"identity": identity.identity_id, "from": identity.name, "to": text},
        [Change(Field.NAME, identity.identity_id, identity.name, text)],
    )


def merge(connection: sqlite3.Connection, into: Identity, others: Sequence[Identity]) -> int:
    """Make several identities one: it keeps the number of ``into``, and its name or else the first other name.

    Raises:
        InputError: if there is nothing to merge.
    """
    others = [o for o in dict.fromkeys(others) if o.identity_id != into.identity_id]
    if not others:
        raise InputError("name at least two different identities to merge")
    changes = []
    for other in others:
        # Hidden objects too: a scene that comes back by undo belongs where its like are now.
        rows = connection.execute("SELECT object_id FROM objects WHERE identity_id = ?", (other.identity_id,))
        changes += [Change(Field.IDENTITY, i, other.identity_id, into.identity_id) for (i,) in rows]
    heir = next((o for o in others if o.name), None)
    if into.name is None and heir is not None:
        changes += [
            Change(Field.NAME, into.identity_id, None, heir.name),
            Change(Field.NAME, heir.identity_id, heir.name, None),
        ]
    detail = {"into": into.identity_id, "from": [o.identity_id for o in others], "names": [o.name for o in others]}
    return edits.apply(connection, Kind.MERGE, detail, changes)


def move(
    connection: sqlite3.Connection, object_ids: Sequence[int], to: int | None, *, kind: Kind = Kind.MOVE
) -> tuple[int, int]:
    """Give objects to another identity, or to a new one (``to`` None).

    Returns:
        The numbers of the edit and of the identity.

    Raises:
        InputError: if an object is unknown, or all are there already.
    """
    found = {s.object_id: s.identity_id for s in reading.sightings(connection, list(object_ids))}
    missing = [i for i in object_ids if i not in found]
    if missing or not found:
        raise InputError(
            f"there is no object {missing[0]}" if missing else "no objects named",
            remedy="List them: packed-scenes catalogue show DIR IDENTITY.",
        )
    target = new_identity(connection) if to is None else to
    changes = [Change(Field.IDENTITY, i, before, target) for i, before in found.items() if before != target]
    if not changes:
        raise InputError(f"these objects belong to identity {target} already")
    detail = {"objects": len(changes), "from": sorted({int(c.before or 0) for c in changes}), "to": target}
    return edits.apply(connection, kind, detail, changes), target


def split(connection: sqlite3.Connection, identity: Identity, parts: Sequence[Sequence[int]]) -> tuple[int, list[int]]:
    """Give each part of an identity's objects a new identity; the rest keeps number and name.

    Returns:
        The numbers of the edit and of the new identities.

    Raises:
        InputError: if a part is empty, holds a strange object or one twice, or nothing would be left.
    """
    members = {s.object_id for s in reading.seen(connection, identity.identity_id)}
    named = [i for part in parts for i in part]
    strange = [i for i in named if i not in members]
    if strange:
        raise InputError(f"object {strange[0]} is not of identity {identity.identity_id}")
    if not parts or not all(parts) or len(set(named)) != len(named) or len(named) >= len(members):
        raise InputError(
            f"a split takes some, not all, of the {len(members)} objects of identity {identity.identity_id}, each once"
        )
    new, changes = [], []
    for part in parts:
        target = new_identity(connection)
        new.append(target)
        changes += [Change(Field.IDENTITY, i, identity.identity_id, target) for i in part]
    detail = {"identity": identity.identity_id, "objects": len(named), "into": new}
    return edits.apply(connection, Kind.SPLIT, detail, changes), new


def remove(connection: sqlite3.Connection, scenes: Sequence[str]) -> int:
    """Take scenes out of sight, and their objects with them; undo brings them back.

    Raises:
        InputError: if there is no such scene.
    """
    rows = {name: i for i, name in connection.execute("SELECT scene_id, name FROM scenes WHERE shown = 1")}
    missing = [name for name in scenes if name not in rows]
    if missing or not scenes:
        raise InputError(
            f"there is no scene {missing[0]!r}" if missing else "no scene named",
            remedy="List them: packed-scenes catalogue scenes DIR.",
        )
    changes = [Change(Field.SHOWN, rows[name], 1, 0) for name in dict.fromkeys(scenes)]
    return edits.apply(connection, Kind.REMOVE, {"scenes": list(scenes)}, changes)


def new_identity(connection: sqlite3.Connection) -> int:
    """Make an identity without a name and return its number, which was never given before."""
    number = connection.execute("INSERT INTO identities (name) VALUES (NULL)").lastrowid
    assert number is not None
    return number
