"""The log of a project: JSON lines, on the disk before an edit is answered; undo and redo are lines, too.

``{"do": change, "rows": file}``, ``{"undo": true}``, ``{"redo": true}``, ``{"base": true}`` (undo ends here). Reading
goes through the lines in order; a last line that a crash cut off is dropped. Large patches and new rows lie in files
beside the log, written whole before the line that names them; what no line names goes when the log is read.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import atomic_write
from packed_scenes.data.npz import read_npz
from packed_scenes.data.text import load_json
from packed_scenes.web.project.document import COLUMNS, Array, Change, Document, Patch
from packed_scenes.web.project.leftovers import names_in, remove_unnamed

LINE_NUMBERS = 6000  # a patch of more numbers goes into a file: the log stays readable
ROWS_FILE = re.compile(r"rows/[0-9]{6,9}\.npz")
LOG = "log.jsonl"
RESTORE = "Restore the project from a copy."
MAX_LOADED = 2 << 30  # bytes of rows that a log may have read: 4,000,000 boxes; its lines may name a file twice


class History:
    """All changes so far, and where undo stands.

    Args:
        folder: the project's folder; the log is made with the first change.

    Attributes:
        document: as of now.
        done: the changes that can be undone and redone.
        at: number of changes that are in force.
        version: number of lines in the log; grows with everything that happens.

    Raises:
        InputError: if the log, or a file that it names, is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.document = Document()
        self.done: list[Change] = []
        self.at = self.version = 0
        self._files = self._loaded = 0
        self._read()

    @property
    def undoable(self) -> str | None:
        """What undo takes back."""
        return self.done[self.at - 1].what if self.at else None

    @property
    def redoable(self) -> str | None:
        """What redo does again."""
        return self.done[self.at].what if self.at < len(self.done) else None

    def append_rows(self, rows: Mapping[str, Array]) -> tuple[npt.NDArray[np.int64], str]:
        """Add rows that are not in force yet (``alive`` is false); returns their numbers and the file they lie in."""
        dead = {**rows, "alive": np.zeros(len(rows["photo"]), np.bool_)}
        file = self._write(dead)
        return self.document.append(dead), file

    def do(self, change: Change, *, rows: str | None = None) -> None:
        """Do a change and write it down; what was undone before cannot be redone any more."""
        self.document.apply(change)
        try:
            line = {"do": self._encode(change)} | ({"rows": rows} if rows else {})
            self._append(line)
        except BaseException:
            self.document.apply(change.inverse())
            raise
        self.done = [*self.done[: self.at], change]
        self.at += 1

    def undo(self) -> str | None:
        """Take the last change back and say which; None if there is none."""
        if not self.at:
            return None
        self._append({"undo": True})
        self.at -= 1
        self.document.apply(self.done[self.at].inverse())
        return self.done[self.at].what

    def redo(self) -> str | None:
        """Do the change that was undone last again and say which; None if there is none."""
        if self.at == len(self.done):
            return None
        self._append({"redo": True})
        self.document.apply(self.done[self.at])
        self.at += 1
        return self.done[self.at - 1].what

    def settle(self) -> None:
        """Make what is there the beginning: undo goes back to here, not further."""
        self._append({"base": True})
        self.done, self.at = [], 0

    # The disk

    def _append(self, line: dict[str, Any]) -> None:
        text = json.dumps(line | {"time": datetime.now(UTC).isoformat(timespec="seconds")}, separators=(",", ":"))
        path = self.folder / LOG
        size = path.stat().st_size if path.exists() else 0
        try:
            with open(path, "ab") as out:
                try:
                    out.write(text.encode() + b"\n")
                    out.flush()
                    os.fsync(out.fileno())
                except OSError:
                    out.truncate(size)  # a full disk must not leave half a line for the next one to follow
                    raise
        except OSError as error:
            raise InputError(
                f"the edit cannot be saved ({error.strerror}); nothing has changed", file=path, remedy="Free space."
            ) from error
        self.version += 1

    def _read(self) -> None:
        path = self.folder / LOG
        named = self._read_lines(path) if path.exists() else set[str]()
        remove_unnamed(self.folder, named)

    def _read_lines(self, path: Path) -> set[str]:
        """Do every line; returns what the lines rest on."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(
                f"cannot be read ({error.strerror})", file=path, remedy="Check its permissions."
            ) from error
        whole, named = content.rfind(b"\n") + 1, set[str]()
        for number, raw in enumerate(content[:whole].splitlines(), start=1):
            try:
                line = load_json(raw)
                self._replay(line)
                named.update(names_in(line))
            except InputError as error:
                raise InputError(f"line {number}: {error}", file=path, remedy=RESTORE) from error
            except (
                ValueError,
                KeyError,
                TypeError,
                IndexError,
                AttributeError,
                ArithmeticError,
                RecursionError,
            ) as error:
                raise InputError(
                    f"line {number} is no entry of a project's log",
                    file=path,
                    remedy=RESTORE,
                ) from error
        if whole < len(content):  # cut off by a crash: what it said was never answered
            with open(path, "r+b") as out:
                out.truncate(whole)
        return named

    def _replay(self, line: dict[str, Any]) -> None:
        if line.get("undo"):
            self.at -= 1
            if self.at < 0:
                raise InputError("undo without anything done")
            self.document.apply(self.done[self.at].inverse())
        elif line.get("redo"):
            self.document.apply(self.done[self.at])
            self.at += 1
        elif line.get("base"):
            self.done, self.at = [], 0
        else:
            if line.get("rows"):
                self.document.append(self._load(line["rows"]))
            change = self._decode(line["do"])
            self.document.apply(change)
            self.done = [*self.done[: self.at], change]
            self.at += 1
        self.version += 1

    def _encode(self, change: Change) -> dict[str, Any]:
        columns: dict[str, Any] = {}
        for name, patch in change.columns.items():
            if len(patch.at) + patch.old.size + patch.new.size > LINE_NUMBERS:
                columns[name] = {"file": self._write({"at": patch.at, "old": patch.old, "new": patch.new})}
            elif name == "vector":
                columns[name] = {"at": patch.at.tolist(), "old": _base64(patch.old), "new": _base64(patch.new)}
            else:
                columns[name] = {"at": patch.at.tolist(), "old": patch.old.tolist(), "new": patch.new.tolist()}
        values = {key: list(pair) for key, pair in change.values.items()}
        return {"what": change.what, "columns": columns, "values": values}

    def _decode(self, found: dict[str, Any]) -> Change:
        columns = {}
        for name, patch in found["columns"].items():
            dtype, shape = COLUMNS[name][0], self.document.columns[name].shape[1:]
            if "file" in patch:
                patch = self._load(patch["file"])
            elif name == "vector":
                patch = {"at": patch["at"], "old": _floats(patch["old"]), "new": _floats(patch["new"])}
            at = np.asarray(patch["at"], np.int64).reshape(-1)
            old, new = (np.asarray(patch[k], dtype).reshape(len(at), *shape) for k in ("old", "new"))
            columns[name] = Patch(at, old, new)
        values = {str(key): (before, after) for key, (before, after) in found["values"].items()}
        return Change(str(found["what"]), columns, values)

    def _write(self, arrays: Mapping[str, Array]) -> str:
        folder = self.folder / "rows"
        if not self._files and folder.is_dir():  # after the files of a crash, too
            self._files = max((int(p.stem) for p in folder.glob("*.npz") if p.stem.isdigit()), default=0)
        self._files += 1
        name = f"rows/{self._files:06d}.npz"
        with atomic_write(self.folder / name) as temporary:
            np.savez(temporary, allow_pickle=False, **dict(arrays))
        return name

    def _load(self, name: str) -> dict[str, Array]:
        if not isinstance(name, str) or not ROWS_FILE.fullmatch(name):
            raise InputError(f"{name!r} is no file of boxes")
        rows = read_npz(self.folder / name, max_bytes=MAX_LOADED - self._loaded, ratio=1.0, remedy=RESTORE)
        self._loaded += sum(array.nbytes for array in rows.values())
        return rows


def _base64(array: Array) -> str:
    return base64.b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode()


def _floats(text: str) -> Array:
    return np.frombuffer(base64.b64decode(text), "<f4").astype(np.float32)
