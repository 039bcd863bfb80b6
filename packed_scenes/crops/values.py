"""What is known of every crop, its identity or its camera: from folders, a table, or a pattern of the name.

One syntax for ``--truth`` and ``--camera`` of every command on crops:

* ``folders``: the folder that a crop lies in;
* ``name:PATTERN``: the first group of a regular expression, searched in the file's name, else in its path
  (``name:(.+)_cam``); a pattern alone is taken, too;
* ``FILE.csv`` with the columns ``file`` and what is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from packed_scenes.data.errors import InputError
from packed_scenes.data.tables import by_name, read_table

FOLDERS = ("folders", "folder")
PREFIX = "name:"
EXAMPLES = {"identity": "name:(.+)_cam", "camera": r"name:cam(\d+)"}


def read_values(how: str, names: Sequence[str], *, what: str = "identity", some: bool = False) -> list[str]:
    """Return the identity or the camera of every crop.

    Args:
        how: ``folders``, ``name:PATTERN`` or a CSV file; see this module.
        names: paths of the crops relative to their folder, with forward slashes.
        what: ``identity`` or ``camera``: the table's column, and the word in messages.
        some: crops without a value are fine and get ``""``, as long as one has a value.

    Raises:
        InputError: if ``how`` is none of these, or a crop has no value.
    """
    if how in FOLDERS:
        found = [str(Path(name).parent) for name in names]
        if len(set(found)) < 2:
            raise InputError(
                f"all crops lie in one folder, so folders don't tell the {what}", remedy="Give a CSV file."
            )
        return found
    if Path(how).suffix.lower() == ".csv" and not how.startswith(PREFIX):
        return _from_table(Path(how), names, what, some)
    return _from_names(how.removeprefix(PREFIX), names, what, some)


def numbered(values: Sequence[str]) -> list[int]:
    """Number equal values alike, 0 … K-1 in their order as text."""
    number = {value: at for at, value in enumerate(sorted(set(values)))}
    return [number[value] for value in values]


def _from_names(text: str, names: Sequence[str], what: str, some: bool) -> list[str]:
    example = EXAMPLES.get(what, "name:(.+)_")
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise InputError(
            f"{text!r} is neither 'folders' nor a CSV file nor a pattern of the {what} ({error})",
            remedy=f"For example: {example!r}.",
        ) from error
    if pattern.groups < 1:
        raise InputError(f"the pattern {text!r} has no group", remedy=f"Put the {what} in brackets: {example!r}.")
    hits = [pattern.search(Path(name).name) or pattern.search(name) for name in names]
    missing = next((name for name, hit in zip(names, hits, strict=True) if hit is None), None)
    if missing is not None and not (some and any(hits)):
        raise InputError(
            f"the pattern {text!r} of the {what} does not fit this name",
            file=missing,
            remedy=f"For example: {example!r}.",
        )
    return ["" if hit is None else hit.group(1) or "" for hit in hits]


def _from_table(file: Path, names: Sequence[str], what: str, some: bool) -> list[str]:
    table = read_table(file, "file", what, what=f"table of the {what}", remedy=f"Columns: file,{what}.")
    found, unclear = by_name(table, names)
    missing = next((row for row in range(len(names)) if row not in found), None)
    if missing is not None and not (some and found):
        why = f" ({unclear[missing]})" if missing in unclear else ""
        raise InputError(f"has no {what} for this crop: {names[missing]}{why}", file=file, remedy="Add its line.")
    return [found[row][what] if row in found else "" for row in range(len(names))]
