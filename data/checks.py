"""What every reader of labels checks: numbers, names and boxes; errors name the row and the remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from numbers import Real
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.faults import Faults
from packed_scenes.data.naming import distinct
from packed_scenes.data.objects import Objects

MAX_COORDINATE = float(1 << 24)  # float32 holds every pixel position exactly up to here
MAX_ID_LENGTH = 200  # ids are stored in fixed width: one id of a megabyte would cost that for every row
MAX_NAME_LENGTH = 1000
MAX_TEXT_BYTES = 1 << 30  # of one array of texts, each as wide as the longest
MAX_CLASS = (1 << 31) - 1
MIN_BOXES_FOR_HINT = 4  # boxes; where there are fewer, that most reach beyond the picture says nothing
CLIP_SILENTLY = 1.0  # pixels; rounding in normalised labels reaches this far beyond the edge

# Control characters and lone surrogates: they break lines, terminals and UTF-8 output.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")

Size = tuple[int, int]
Where = Callable[[int], str]


def is_number(value: Any) -> bool:
    """Whether a caller's value is a number (numpy's too), and not text or a truth value."""
    return isinstance(value, Real) and not isinstance(value, bool)


def text_array(values: Sequence[str], *, file: str | Path | None = None) -> npt.NDArray[np.str_]:
    """Return texts as an array, which gives each the width of the longest.

    Raises:
        InputError: if one is longer than any name may be, or all together take too much.
    """
    longest = max(map(len, values), default=0)
    if longest > MAX_NAME_LENGTH or 4 * longest * len(values) > MAX_TEXT_BYTES:
        raise InputError(
            f"a text has {longest:,} characters, too many for {len(values):,} rows", file=file, remedy="Shorten it."
        )
    return np.asarray(values, np.str_)


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
    unsafe = not is_safe(name)
    if unsafe or len(name) > MAX_NAME_LENGTH or _UNPRINTABLE.search(name):
        raise InputError(
            f"{where}: unsafe or empty picture name {shorten(value)}",
            file=file,
            remedy="Use a path relative to the picture folder, without '..'.",
        )
    return "/".join(PurePosixPath(name).parts)


def is_safe(name: str) -> bool:
    """Whether a picture's name with forward slashes stays below its folder."""
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and ".." not in parts and re.match("[A-Za-z]:", name) is None


def entry_name(value: Any, *, file: str | Path, where: str) -> str:
    """Return the name that a label file has for a picture, with forward slashes; it is only ever compared, not opened.

    Raises:
        InputError: if it is no text, empty or holds control characters.
    """
    name = value.strip().replace("\\", "/") if isinstance(value, str) else ""
    if not name or len(name) > MAX_NAME_LENGTH or _UNPRINTABLE.search(name):
        raise InputError(f"{where}: unsafe or empty picture name {shorten(value)}", file=file, remedy="Correct it.")
    return name


def check_size(size: Size, said: Size | None, *, picture: str | Path, file: str | Path | None = None) -> None:
    """Refuse labels that were made for another size of the picture.

    Args:
        size: (width, height) of the picture.
        said: that of the labels, if they say it.
        picture: its file or name.
        file: of the labels; default: the picture itself is at fault.

    Raises:
        InputError: with the usual cause.
    """
    if said is None or said == size:
        return
    turned = said == size[::-1]
    raise InputError(
        f"the picture {f'{Path(str(picture)).name} ' if file else ''}is {size[0]} x {size[1]}, its labels say "
        f"{said[0]} x {said[1]}",
        file=file or picture,
        remedy="The labels leave out the orientation that the camera wrote into the photo (EXIF): turn the photo "
        "itself (save it again upright), or export labels of the turned photo."
        if turned
        else "Use the picture that was labelled.",
    )


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
    faults: Faults | None = None,
    **columns: Any,
) -> tuple[Objects, list[str]]:
    """Check boxes from outside, leave out bad ones, clip the others to the picture and make ``Objects``.

    Args:
        xyxy: (N, 4) pixel corners, x2 and y2 exclusive.
        file: named in errors and warnings.
        where: how to call row i in a message, such as ``row 7``.
        object_id: N ids; one that repeats gets a number.
        size: (width, height) of the picture; without it only the upper and left edges are known.
        score: (N,) in [0, 1].
        class_id: (N,) whole numbers.
        faults: receives what is left out: boxes that are not finite, reversed, empty, outside or absurdly large, scores
            outside [0, 1]. Without it that becomes warnings.
        **columns: further columns of ``Objects``.

    Returns:
        The objects, and warnings about boxes that were clipped or left out.

    Raises:
        InputError: the first fault, if there are boxes and none is good (not with ``faults``, whose owner asks it).
    """
    boxes = np.asarray(xyxy, np.float64).reshape(-1, 4)
    own = Faults(file) if faults is None else faults
    bad = np.zeros(len(boxes), np.bool_)

    def fail(wrong: Any, what: str, remedy: str) -> None:
        for row in np.flatnonzero(wrong & ~bad).tolist():
            shown = ", ".join(f"{v:g}" for v in boxes[row])
            own.add(where(row), InputError(f"{where(row)}: {what}", file=file, remedy=remedy),
                    detail=f" (x1, y1, x2, y2 = {shown})")  # fmt: skip
        bad[wrong] = True

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
    beyond = (np.abs(clipped - boxes) > CLIP_SILENTLY).any(axis=1) & ~bad
    clipped = clipped.astype(np.float32)
    thin = (clipped[:, 2] <= clipped[:, 0]) | (clipped[:, 3] <= clipped[:, 1])
    fail(thin, "the box is empty within the picture", "Remove it.")
    if score is not None:
        values = np.asarray(score, np.float64)
        fail(~((values >= 0) & (values <= 1)), "the score is not within 0 and 1", "Scale the scores to 0…1.")
    own.good += int((~bad).sum())
    warnings = []
    if faults is None:
        own.check()
        warnings = own.warnings()
    beyond &= ~bad
    if beyond.any():
        first = where(int(beyond.argmax()))
        doubt = ", which is most of them: are they of this picture, in its scale, and corners where corners are due?"
        most = doubt if 2 * beyond.sum() > (~bad).sum() >= MIN_BOXES_FOR_HINT else ""
        warnings.append(
            f"{file}: {int(beyond.sum())} boxes reach beyond {picture} and were clipped (first: {first}){most}"
        )
    kept = np.flatnonzero(~bad)
    names = distinct([object_id[row] for row in kept.tolist()], form=str)
    twice = next((i for i, row in enumerate(kept.tolist()) if names[i] != object_id[row]), None)
    if twice is not None:
        row = int(kept[twice])
        warnings.append(f"{file}: ids that appear twice were numbered (first: {where(row)}, {shorten(object_id[row])})")
    ids = np.array(names, np.str_) if names else np.zeros(0, np.str_)
    rest = {n: None if v is None else np.asarray(v)[kept] for n, v in columns.items()}
    part = [None if v is None else np.asarray(v)[kept] for v in (score, class_id)]
    return Objects.from_boxes(clipped[kept], score=part[0], class_id=part[1], object_id=ids, **rest), warnings
