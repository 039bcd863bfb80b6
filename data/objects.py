"""``Objects``: the detected things of one or many scenes, as one frozen set of row-aligned arrays.

Row alignment is where tools of this kind break, so there is one validated type and one place to filter, reorder and
join.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

NOISE = -1
UNIT_TOLERANCE = 1e-3  # float16 vectors that were normalised in float32 are off by up to 5e-4


@dataclass(frozen=True, eq=False)
class Objects:
    """N objects as aligned arrays.

    Attributes:
        xyxy: (N, 4) float32 boxes in pixels, origin top-left, x2 and y2 exclusive, x1 < x2 and y1 < y2.
        score: (N,) float32 confidence in [0, 1]; 1 for given boxes.
        class_id: (N,) int64 detector class; 0 where there is one class.
        object_id: (N,) str, unique and stable between runs.
        embedding: (N, D) float32 unit rows, or None before embedding.
        cluster: (N,) int64 identity, -1 = noise, or None before clustering.
        probability: (N,) float32 membership strength in [0, 1], or None before clustering.
        congregation: (N,) int64 index of the object's congregation within its cluster, -1 = in none, or None before.

    Raises:
        InputError: if shapes disagree, a value is not finite, a box is empty, a row is no unit vector or an id repeats.
    """

    xyxy: npt.NDArray[np.float32]
    score: npt.NDArray[np.float32]
    class_id: npt.NDArray[np.int64]
    object_id: npt.NDArray[np.str_]
    embedding: npt.NDArray[np.float32] | None = None
    cluster: npt.NDArray[np.int64] | None = None
    probability: npt.NDArray[np.float32] | None = None
    congregation: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        count = len(np.asarray(self.xyxy))
        for name, dtype in (
            ("xyxy", np.float32), ("score", np.float32), ("class_id", np.int64), ("object_id", np.str_),
            ("embedding", np.float32), ("cluster", np.int64), ("probability", np.float32), ("congregation", np.int64),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _column(name, value, dtype, count))
        _check_boxes(self.xyxy)
        _check_unit_interval("score", self.score)
        if self.probability is not None:
            _check_unit_interval("probability", self.probability)
        if self.embedding is not None and count:
            norm = np.linalg.norm(self.embedding, axis=1)
            if not np.all(np.abs(norm - 1) <= UNIT_TOLERANCE):
                raise InputError(
                    f"embedding rows must be unit vectors, got a norm of {norm[np.argmax(np.abs(norm - 1))]:.4g}"
                )
        for name in ("cluster", "congregation"):
            value = getattr(self, name)
            if value is not None and count and value.min() < NOISE:
                raise InputError(f"{name} must be >= -1 (-1 = none), got {value.min()}")
        ids, times = np.unique(self.object_id, return_counts=True)
        if len(ids) != count:
            raise InputError(f"object_id must be unique, got {str(ids[times.argmax()])!r} {times.max()} times")

    @classmethod
    def from_boxes(
        cls,
        xyxy: npt.ArrayLike,
        *,
        score: npt.ArrayLike | None = None,
        class_id: npt.ArrayLike | None = None,
        object_id: npt.ArrayLike | Sequence[str] | None = None,
        **columns: Any,
    ) -> Self:
        """Build from boxes alone: score 1, class 0 and ids ``"0"`` … ``"N-1"`` where they are not given."""
        boxes = np.asarray(xyxy, np.float32).reshape(-1, 4) if np.size(xyxy) == 0 else np.asarray(xyxy, np.float32)
        count = len(boxes)
        ids = np.arange(count).astype(np.str_) if object_id is None else np.asarray(object_id, np.str_)
        return cls(
            xyxy=boxes,
            score=np.ones(count, np.float32) if score is None else np.asarray(score, np.float32),
            class_id=np.zeros(count, np.int64) if class_id is None else np.asarray(class_id, np.int64),
            object_id=ids,
            **columns,
        )

    @classmethod
    def empty(cls) -> Self:
        """No objects."""
        return cls.from_boxes(())

    def __len__(self) -> int:
        return len(self.xyxy)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Objects):
            return NotImplemented
        return all(np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    __hash__ = None  # type: ignore[assignment]  # arrays inside: equal objects could not hash alike cheaply

    @property
    def size(self) -> npt.NDArray[np.float32]:
        """(N, 2) float32 width and height in pixels."""
        return self.xyxy[:, 2:] - self.xyxy[:, :2]

    @property
    def center(self) -> npt.NDArray[np.float32]:
        """(N, 2) float32 box centres (x, y) in pixels."""
        middle: npt.NDArray[np.float32] = (self.xyxy[:, :2] + self.xyxy[:, 2:]) / np.float32(2)
        return middle

    def select(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.integer[Any]] | Sequence[int] | slice) -> Self:
        """Keep the rows of a boolean mask, or take rows by index in that order; every column follows."""
        if not isinstance(rows, slice):
            rows = np.asarray(rows)
            if rows.dtype == bool and rows.shape != (len(self),):
                raise InputError(f"mask must have shape ({len(self)},), got {rows.shape}")
            if rows.dtype != bool:
                rows = rows.astype(np.int64)
        return replace(self, **{n: v[rows] for n, v in self._columns().items()})

    def replace(self, **columns: Any) -> Self:
        """Return a copy with some columns set; they are validated again."""
        return replace(self, **columns)

    @classmethod
    def concat(cls, parts: Sequence[Objects]) -> Self:
        """Join row-wise. An optional column must be there in all parts that have rows, or in none.

        Raises:
            InputError: if the parts disagree on which columns they have, or an ``object_id`` repeats.
        """
        kept = [p for p in parts if len(p)] or list(parts[:1])
        if not kept:
            return cls.empty()
        names = set(kept[0]._columns())
        for part in kept[1:]:
            if set(part._columns()) != names:
                raise InputError(f"concat needs the same columns, got {sorted(names)} and {sorted(part._columns())}")
        return cls(**{n: np.concatenate([p._columns()[n] for p in kept]) for n in names})

    def to_pandas(self) -> pd.DataFrame:
        """Return a table, one row per object: object_id, x1, y1, x2, y2, score, class_id, then the columns in use.

        ``embedding`` becomes one column of 1-D arrays, the form that Parquet stores as lists.
        """
        import pandas as pd

        table = {"object_id": self.object_id.astype(object)}
        table |= {name: self.xyxy[:, i] for i, name in enumerate(("x1", "y1", "x2", "y2"))}
        table |= {"score": self.score, "class_id": self.class_id}
        for name in ("cluster", "probability", "congregation"):
            if getattr(self, name) is not None:
                table[name] = getattr(self, name)
        frame = pd.DataFrame(table)
        if self.embedding is not None:
            frame["embedding"] = list(self.embedding)
            frame.attrs["embedding_dimension"] = self.embedding.shape[1]  # no row would tell it where there is none
        return frame

    @classmethod
    def from_pandas(cls, frame: pd.DataFrame) -> Self:
        """Inverse of :meth:`to_pandas`; only the four box columns are required.

        Raises:
            InputError: if a box column is missing or a value is out of its range.
        """
        missing = [c for c in ("x1", "y1", "x2", "y2") if c not in frame]
        if missing:
            raise InputError(f"box columns missing: {', '.join(missing)}; found {', '.join(map(str, frame.columns))}")
        columns: dict[str, Any] = {
            name: frame[name].to_numpy()
            for name in ("score", "class_id", "object_id", "cluster", "probability", "congregation")
            if name in frame
        }
        if "embedding" in frame:
            rows, dimension = list(frame["embedding"]), int(frame.attrs.get("embedding_dimension", 0))
            columns["embedding"] = np.stack(rows).astype(np.float32) if rows else np.zeros((0, dimension), np.float32)
        return cls.from_boxes(frame[["x1", "y1", "x2", "y2"]].to_numpy(np.float32), **columns)

    def _columns(self) -> dict[str, npt.NDArray[Any]]:
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}


def _column(name: str, value: Any, dtype: Any, count: int) -> npt.NDArray[Any]:
    try:
        array = np.asarray(value)
        if np.issubdtype(dtype, np.integer) and array.dtype.kind == "f" and not np.array_equal(array, np.rint(array)):
            raise ValueError("fractions or NaN")
        array = array.astype(dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{name} must hold {np.dtype(dtype).name} values ({error})") from error
    expected = {"xyxy": "(N, 4)", "embedding": f"({count}, D)"}.get(name, f"({count},)")
    wrong = array.ndim != (2 if name in ("xyxy", "embedding") else 1) or len(array) != count
    if wrong or (name == "xyxy" and array.shape[1] != 4):
        raise InputError(f"{name} must have shape {expected}, got {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(f"{name} must be finite, row {int(np.argwhere(~np.isfinite(array))[0, 0])} is not")
    array.setflags(write=False)
    return array


def _check_boxes(xyxy: npt.NDArray[np.float32]) -> None:
    bad = np.flatnonzero((xyxy[:, 2] <= xyxy[:, 0]) | (xyxy[:, 3] <= xyxy[:, 1]))
    if len(bad):
        raise InputError(f"boxes need x1 < x2 and y1 < y2, row {bad[0]} is {xyxy[bad[0]].tolist()}")


def _check_unit_interval(name: str, value: npt.NDArray[np.float32]) -> None:
    if len(value) and (value.min() < 0 or value.max() > 1):
        raise InputError(f"{name} must lie in [0, 1], got {value.min():.4g} … {value.max():.4g}")
