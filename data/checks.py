"""What every reader of labels checks: text, JSON, names and boxes; errors name the row and the remedy."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import read_bytes
from packed_scenes.data.objects import Objects

MAX_COORDINATE = float(1 << 24)  # float32 holds every pixel position exactly up to here
MAX_ID_LENGTH = 200  # ids are stored in fixed width: one id of a megabyte would cost that for every row
MAX_NAME_LENGTH = 1000
MAX_CLASS = (1 << 31) - 1
CLIP_SILENTLY = 1.0  # pixels; rounding in normalised labels reaches this far beyond the edge

# Control characters and lone surrogates: they break lines, terminals and UTF-8 output.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")

Size = tuple[int, int]
Where = Callable[[int], str]


def read_text(path: str | Path, *, what: str = "label") -> str:
    """Read a UTF-8 text file (a byte order mark is dropped).

    Raises:
        InputError: if it cannot be read, is empty or is no UTF-8 text.
    """
    data = read_bytes(path, what=what)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"is no UTF-8 text (byte {error.start})", file=path, remedy=f"Save the {what} file as UTF-8 text."
        ) from error


def parse_json(text: str, *, file: str | Path) -> Any:
    """Parse JSON; a key that appears twice is an error, because the first value would silently vanish.

    Raises:
        InputError: with line and column where the text is no JSON, is nested too deeply or repeats a key.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            seen: set[str] = set()
            twice = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]
            raise InputError(
                f"the key {shorten(twice)} appears twice", file=file, remedy="Give every entry its own key."
            )
        return made

    try:
        return json.loads(text, object_pairs_hook=unique)
    except InputError:
        raise
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"is no valid JSON ({error.msg}, {where})", file=file, remedy="Export it again.") from error
    except (RecursionError, ValueError) as error:  # ValueError: an integer of thousands of digits
        reason = "nested too deeply" if isinstance(error, RecursionError) else "a number is too long"
        raise InputError(f"is no valid JSON ({reason})", file=file, remedy="Export it again.") from error


def finite(text: str) -> float | None:
    """Return the finite number that a text says; None if it says none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


def number(value: Any, what: str, *, file: str | Path, where: str) -> float:
    """Return a JSON number as float.

    Raises:
        InputError: if it is something else (text, true, null, a list) or not finite.
    """
    if type(value) is not int and type(value) is not float:
        raise InputError(
            f"{where}: {what} must be a number, got {shorten(value)}", file=file, remedy="Correct this entry."
        )
    try:
        made = float(value)
    except OverflowError:
        made = float("inf")
    if not abs(made) < float("inf"):
        raise InputError(
            f"{where}: {what} must be finite, got {shorten(value)}", file=file, remedy="Correct this entry."
        )
    return made


def integer(value: Any, what: str, *, file: str | Path, where: str, low: int = 0, high: int = MAX_CLASS) -> int:
    """Return a whole JSON number within [low, high].

    Raises:
        InputError: if it is something else.
    """
    made = number(value, what, file=file, where=where)
    if made != int(made) or not low <= made <= high:
        raise InputError(
            f"{where}: {what} must be a whole number from {low} to {high}, got {shorten(value)}",
            file=file,
            remedy="Correct this entry.",
        )
    return int(made)


def identifier(value: Any, *, file: str | Path, where: str) -> str:
    """Return an object id as text: a whole number or 1 to 200 printable characters.

    Raises:
        InputError: if it is something else.
    """
    text = str(value) if type(value) is int and abs(value) < 1 << 63 else value
    if not isinstance(text, str) or not 0 < len(text) <= MAX_ID_LENGTH or _UNPRINTABLE.search(text):
        raise InputError(
            f"{where}: an id must be 1 to {MAX_ID_LENGTH} printable characters, got {shorten(value)}",
            file=file,
            remedy="Rename this object.",
        )
    return text


def safe_name(value: Any, *, file: str | Path, where: str) -> str:
    """Return a picture's relative path with forward slashes.

    Raises:
        InputError: if it is no text, absolute, climbs out with ``..`` or holds control characters.
    """
    name = value.replace("\\", "/") if isinstance(value, str) else ""
    parts = PurePosixPath(name).parts
    unsafe = not parts or name.startswith("/") or ".." in parts or re.match("[A-Za-z]:", name) is not None
    if unsafe or len(name) > MAX_NAME_LENGTH or _UNPRINTABLE.search(name):
        raise InputError(
            f"{where}: unsafe or empty picture name {shorten(value)}",
            file=file,
            remedy="Use a path relative to the picture folder, without '..'.",
        )
    return "/".join(parts)


def shorten(value: Any) -> str:
    """Show a value from outside in at most 60 printable characters."""
    text = value[:100] if isinstance(value, str) else value
    # A container may be huge or nested beyond the recursion limit: its kind says enough.
    shown = type(value).__name__ if isinstance(value, dict | list | tuple) else _repr(text)
    return shown if len(shown) <= 60 else shown[:59] + "…"


def _repr(value: Any) -> str:
    try:
        return ascii(value) if isinstance(value, str) and _UNPRINTABLE.search(value) else repr(value)
    except ValueError:  # an integer beyond the digit limit
        return "a number of thousands of digits"


def build_objects(
    xyxy: npt.ArrayLike,
    *,
    file: str | Path,
    where: Where,
    object_id: Sequence[str],
    size: Size | None = None,
    score: npt.ArrayLike | None = None,
    class_id: npt.ArrayLike | None = None,
    **columns: Any,
) -> tuple[Objects, list[str]]:
    """Check boxes from outside, clip them to the picture and make ``Objects``.

    Args:
        xyxy: (N, 4) pixel corners, x2 and y2 exclusive.
        file: named in errors and warnings.
        where: how to call row i in a message, such as ``row 7``.
        object_id: N ids.
        size: (width, height) of the picture; without it only the upper and left edges are known.
        score: (N,) in [0, 1].
        class_id: (N,) whole numbers.
        **columns: further columns of ``Objects``.

    Returns:
        The objects and one warning if boxes had to be clipped.

    Raises:
        InputError: for a box that is not finite, reversed, empty, wholly outside or absurdly large, a score outside
            [0, 1] or an id that appears twice.
    """
    boxes = np.asarray(xyxy, np.float64).reshape(-1, 4)

    def fail(bad: Any, what: str, remedy: str) -> None:
        if bad.any():
            row = int(bad.argmax())
            shown = ", ".join(f"{v:g}" for v in boxes[row])
            raise InputError(f"{where(row)}: {what} (x1, y1, x2, y2 = {shown})", file=file, remedy=remedy)

    x1, y1, x2, y2 = boxes.T
    fail(~np.isfinite(boxes).all(axis=1), "the box is not finite", "Remove it or give it numbers.")
    fail((x2 < x1) | (y2 < y1), "the box is reversed", "Give x1 < x2 and y1 < y2.")
    fail((x2 == x1) | (y2 == y1), "the box is empty", "Remove it, or give x1 < x2 and y1 < y2.")
    fail((np.abs(boxes) > MAX_COORDINATE).any(axis=1), "the box is absurdly large", "Coordinates are pixels.")
    limits = np.array([*size, *size] if size else [np.inf] * 4, np.float64)
    outside = (x2 <= 0) | (y2 <= 0) | (x1 >= limits[0]) | (y1 >= limits[1])
    picture = f"the picture ({size[0]} x {size[1]})" if size else "the picture"
    fail(outside, f"the box lies outside {picture}", "Check that the boxes belong to this picture, and their scale.")
    clipped = np.clip(boxes, 0, limits)
    beyond = (np.abs(clipped - boxes) > CLIP_SILENTLY).any(axis=1)
    clipped = clipped.astype(np.float32)
    thin = (clipped[:, 2] <= clipped[:, 0]) | (clipped[:, 3] <= clipped[:, 1])
    fail(thin, "the box is empty within the picture", "Remove it.")
    if score is not None:
        values = np.asarray(score, np.float64)
        fail(~((values >= 0) & (values <= 1)), "the score is not within 0 and 1", "Scale the scores to 0…1.")
    check_unique(object_id, file=file, where=where)
    warnings = []
    if beyond.any():
        first = where(int(beyond.argmax()))
        warnings.append(f"{file}: {int(beyond.sum())} boxes reach beyond {picture} and were clipped (first: {first})")
    ids = np.array(object_id, np.str_) if len(boxes) else np.zeros(0, np.str_)
    return Objects.from_boxes(clipped, score=score, class_id=class_id, object_id=ids, **columns), warnings


def check_unique(ids: Sequence[str], *, file: str | Path, where: Where) -> None:
    """Raise ``InputError`` naming both rows if an id appears twice."""
    if len(set(ids)) == len(ids):
        return
    first: dict[str, int] = {}
    for row, name in enumerate(ids):
        if name in first:
            raise InputError(
                f"{where(row)}: the id {shorten(name)} appears twice (first: {where(first[name])})",
                file=file,
                remedy="Give every object its own id.",
            )
        first[name] = row
