"""The append-only log of edits: every change is written down with what was there before, so any can be taken back.

Nothing is ever deleted from the log. Taking an edit back is itself an edit, with before and after exchanged; so is
bringing it back. A change is applied only where the row still holds what the edit expects, so an edit that later work
rests on is refused with its reason instead of tearing that work.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from packed_scenes.data.errors import InputError
from packed_scenes.data.text import load_json


class Field(StrEnum):
    """What an edit can change."""

    IDENTITY = "identity"  # of an object
    NAME = "name"  # of an identity
    SHOWN = "shown"  # of a scene


class Kind(StrEnum):
    """What an edit was."""

    ADD = "add"
    REMOVE = "remove"
    MERGE = "merge"
    MOVE = "move"
    RENAME = "rename"
    SPLIT = "split"
    UNDO = "undo"
    REDO = "redo"


_COLUMN = {
    Field.IDENTITY: ("objects", "identity_id", "object_id"),
    Field.NAME: ("identities", "name", "identity_id"),
    Field.SHOWN: ("scenes", "shown", "scene_id"),
}
_LOOK_BACK = (Kind.UNDO, Kind.REDO)

Value = int | str | None


@dataclass(frozen=True)
class Change:
    """One field of one row: what it held and what it holds now."""

    field: Field
    row_id: int
    before: Value
    after: Value


@dataclass(frozen=True)
class Edit:
    """One line of the log.

    Attributes:
        edit_id: number, growing.
        at: UTC time, ISO 8601.
        kind: what it was.
        detail: what it was about, for people.
        reverts: number of the edit that it takes back, if it is an undo or redo.
        undone: whether it is taken back now.
    """

    edit_id: int
    at: str
    kind: Kind
    detail: dict[str, Any]
    reverts: int | None
    undone: bool


def now() -> str:
    """Return the UTC time to the second, ISO 8601 without a zone."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def apply(
    connection: sqlite3.Connection,
    kind: Kind,
    detail: dict[str, Any],
    changes: Sequence[Change],
    *,
    reverts: int | None = None,
) -> int:
    """Make the changes and log them; the caller holds a write transaction.

    Returns:
        The number of the edit.

    Raises:
        InputError: if a row no longer holds what the change expects; the caller's transaction must end with it.
    """
    for field in Field:
        rows = [(c.after, c.row_id, c.before) for c in changes if c.field is field]
        if not rows:
            continue
        table, column, key = _COLUMN[field]
        try:
            done = connection.executemany(
                f"UPDATE {table} SET {column} = ? WHERE {key} = ? AND {column} IS ?",
                rows,
            ).rowcount
        except sqlite3.IntegrityError as error:
            raise InputError(
                "the same picture, or another of its name, is in the catalogue again", remedy="Remove it first."
            ) from error
        if done != len(rows):
            raise InputError(
                f"{len(rows) - done} of {len(rows)} rows have been changed since", remedy="Undo the later edits first."
            )
    edit = connection.execute(
        "INSERT INTO edits (at, kind, detail, reverts) VALUES (?, ?, ?, ?)",
        (now(), kind, json.dumps(detail, ensure_ascii=False), reverts),
    ).lastrowid
    assert edit is not None
    connection.executemany(
        "INSERT INTO changes VALUES (?, ?, ?, ?, ?)", ((edit, c.field, c.row_id, c.before, c.after) for c in changes)
    )
    return edit


def undo(connection: sqlite3.Connection, edit_id: int | None = None) -> Edit:
    """Take back one edit (default: the latest that still holds) and return it.

    Raises:
        InputError: if there is none, it is already taken back, or later edits rest on it.
    """
    log = history(connection)
    if edit_id is None:
        edit = next((e for e in log if e.kind not in _LOOK_BACK and not e.undone), None)
        if edit is None:
            raise InputError("there is nothing to undo")
    else:
        edit = _find(log, edit_id)
        if edit.undone or edit.kind in _LOOK_BACK:
            raise InputError(
                f"edit {edit_id} is {'already undone' if edit.undone else f'itself an {edit.kind}'}",
                remedy="See history.",
            )
    _revert(connection, edit, Kind.UNDO)
    return edit


def redo(connection: sqlite3.Connection) -> Edit:
    """Bring back the edit undone last, unless something was edited since, and return it.

    Raises:
        InputError: if there is none.
    """
    log = history(connection)
    later = next((e.edit_id for e in log if e.kind not in _LOOK_BACK), 0)
    latest = next((e for e in log if e.kind is Kind.UNDO and not e.undone and e.edit_id > later), None)
    if latest is None or latest.reverts is None:
        raise InputError("there is nothing to redo")
    _revert(connection, latest, Kind.REDO)
    return _find(log, latest.reverts)


def history(connection: sqlite3.Connection) -> list[Edit]:
    """Return the log, newest first."""
    rows = connection.execute("SELECT edit_id, at, kind, detail, reverts FROM edits ORDER BY edit_id DESC").fetchall()
    taken_back: set[int] = set()
    log = []
    for edit_id, at, kind, detail, reverts in rows:  # newest first: an undo that a redo took back does not count
        undone = edit_id in taken_back
        if reverts is not None and not undone:
            taken_back.add(reverts)
        log.append(Edit(edit_id, at, Kind(kind), load_json(detail), reverts, undone))
    return log


def _find(log: Iterable[Edit], edit_id: int) -> Edit:
    edit = next((e for e in log if e.edit_id == edit_id), None)
    if edit is None:
        raise InputError(f"there is no edit {edit_id}", remedy="See history.")
    return edit


def _revert(connection: sqlite3.Connection, edit: Edit, kind: Kind) -> None:
    rows = connection.execute("SELECT field, row_id, after, before FROM changes WHERE edit_id = ?", (edit.edit_id,))
    changes = [Change(Field(field), row_id, before, after) for field, row_id, before, after in rows]
    apply(connection, kind, {"of": edit.edit_id, "kind": edit.kind, **edit.detail}, changes, reverts=edit.edit_id)
