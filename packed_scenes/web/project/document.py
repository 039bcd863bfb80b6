"""What a project knows, as aligned columns over all boxes and a flat table of values, and changes of it.

A change holds what was there before and what is there afterwards, so it can be taken back and done again without any
model, and a log of changes is enough to build the document anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError

Array = npt.NDArray[Any]
COLUMNS: dict[str, tuple[Any, int | None]] = {  # dtype, and width (None: any) of two-dimensional ones
    "photo": (np.int64, 0),
    "xyxy": (np.float32, 4),
    "score": (np.float32, 0),
    "cluster": (np.int64, 0),
    "alive": (np.bool_, 0),
    "drawn": (np.bool_, 0),
    "vector": (np.float32, None),
}


@dataclass(frozen=True, eq=False)
class Patch:
    """New values of some rows of a column.

    Attributes:
        at: (M,) int64 rows.
        old, new: (M, …) values.
    """

    at: npt.NDArray[np.int64]
    old: Array
    new: Array


@dataclass(frozen=True, eq=False)
class Change:
    """One step.

    Attributes:
        what: words for people, such as ``2 groups merged``.
        columns: patches by column.
        values: key -> (before, after); None = not there.
    """

    what: str
    columns: Mapping[str, Patch] = field(default_factory=dict)
    values: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return not self.values and not any(len(patch.at) for patch in self.columns.values())

    def inverse(self) -> Change:
        """The step back."""
        return Change(
            self.what,
            {name: Patch(p.at, p.new, p.old) for name, p in self.columns.items()},
            {key: (after, before) for key, (before, after) in self.values.items()},
        )


class Document:
    """Columns and values; rows are only ever added, never taken away (a deleted box is not ``alive``).

    Attributes:
        columns: arrays of N rows, see :data:`COLUMNS`. Boxes are pixels of their photo, origin top-left, x2 and y2
            exclusive.
        values: flat table: ``photo/3``, ``name/12``, ``color/12``, ``pinned/12``, ``link/4-17``, ``threshold`` …
    """

    def __init__(self) -> None:
        self.columns: dict[str, Array] = {
            name: np.zeros((0, width) if width else (0, 0) if width is None else 0, dtype)
            for name, (dtype, width) in COLUMNS.items()
        }
        self.values: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self.columns["photo"])

    def append(self, rows: Mapping[str, Array]) -> npt.NDArray[np.int64]:
        """Add rows and return their numbers.

        Raises:
            InputError: if a column is missing, of another length or width.
        """
        count = len(rows.get("photo", ()))
        made = {}
        for name, (dtype, width) in COLUMNS.items():
            if name not in rows:
                raise InputError(f"rows lack the column {name!r}")
            array = np.asarray(rows[name])
            wide = width
            if width is None:
                wide = self.columns[name].shape[1] or (array.shape[1] if array.ndim == 2 else -1)
            if array.shape != ((count, wide) if wide else (count,)) or not np.can_cast(array.dtype, dtype, "same_kind"):
                raise InputError(f"column {name!r} must have shape ({count}, {wide or ''}), got {array.shape}")
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise InputError(f"column {name!r} holds a value that is not finite")
            made[name] = array.astype(dtype)
        first = len(self)
        for name, array in made.items():
            before = self.columns[name]
            if before.ndim == 2 and before.shape[1] != array.shape[1]:
                before = before.reshape(0, array.shape[1])
            self.columns[name] = np.concatenate([before, array])
        return np.arange(first, first + count, dtype=np.int64)

    def apply(self, change: Change) -> None:
        """Do a change.

        Raises:
            InputError: if it names rows or columns that are not there; nothing has changed then.
        """
        for name, patch in change.columns.items():
            there = self.columns.get(name)
            fits = there is not None and np.shape(patch.new) == (len(patch.at), *there.shape[1:])
            if not fits or (len(patch.at) and not 0 <= patch.at.min() <= patch.at.max() < len(self)):
                raise InputError(f"a change of {name!r} does not fit the boxes that are there")
        for name, patch in change.columns.items():
            column = self.columns[name].copy()  # views handed out before stay as they were
            column[patch.at] = patch.new
            self.columns[name] = column
        for key, (_, after) in change.values.items():
            if after is None:
                self.values.pop(key, None)
            else:
                self.values[key] = after

    def patch(self, name: str, at: npt.ArrayLike, new: npt.ArrayLike) -> dict[str, Patch]:
        """Describe new values of a column; rows that keep their value are left out."""
        rows = np.asarray(at, np.int64).reshape(-1)
        column = self.columns[name]
        values = np.broadcast_to(np.asarray(new, column.dtype), (len(rows), *column.shape[1:]))
        differs = (column[rows] != values).reshape(len(rows), -1).any(axis=1)
        rows, values = rows[differs], values[differs]
        return {name: Patch(rows, column[rows].copy(), values.copy())} if len(rows) else {}

    def changed_values(self, after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        """Describe new values; None takes a key away, and those that stay are left out."""
        return {key: (self.values.get(key), new) for key, new in after.items() if self.values.get(key) != new}

    def keyed(self, prefix: str) -> dict[str, Any]:
        """The values whose key starts with ``prefix/``, without it."""
        start = prefix + "/"
        return {key[len(start) :]: value for key, value in self.values.items() if key.startswith(start)}
