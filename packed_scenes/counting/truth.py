"""Known identities of crops, for tests and measurements: from folders, a table, or a pattern of the file name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from packed_scenes.data.errors import InputError
from packed_scenes.data.tables import by_name, read_table

FOLDERS = "folders"


def read_truth(how: str, names: Sequence[str]) -> list[str]:
    """Return the identity of every crop.

    Args:
        how: ``folders`` (the folder that a crop lies in), a CSV file with the columns ``file,identity``, or a regular
            expression for the file name whose first group is the identity, such as ``(.+)_cam``.
        names: paths of the crops relative to their folder.

    Raises:
        InputError: if ``how`` is none of these, or a crop has no identity.
    """
    if how == FOLDERS:
        found = [str(Path(name).parent) for name in names]
        if len(set(found)) < 2:
            raise InputError("all crops lie in one folder, so folders don't tell identities", remedy="Give a CSV file.")
        return found
    if Path(how).suffix.lower() == ".csv":
        return _from_table(Path(how), names)
    try:
        pattern = re.compile(how)
    except re.error as error:
        raise InputError(f"--truth {how!r} is neither 'folders' nor a CSV file nor a pattern ({error})") from error
    if pattern.groups < 1:
        raise InputError(f"the pattern {how!r} has no group", remedy="Put the identity in brackets: '(.+)_cam'.")
    identities = []
    for name in names:
        hit = pattern.search(Path(name).name)
        if hit is None:
            raise InputError(f"the pattern {how!r} does not fit this name", file=name)
        identities.append(hit.group(1))
    return identities


def _from_table(file: Path, names: Sequence[str]) -> list[str]:
    table = read_table(file, "file", "identity", what="truth", remedy="Columns: file,identity.")
    found, unclear = by_name(table, names)
    missing = next((row for row in range(len(names)) if row not in found), None)
    if missing is not None:
        raise InputError(
            f"has no identity for this crop: {names[missing]} {unclear.get(missing, '')}".strip(), file=file
        )
    return [found[row]["identity"] for row in range(len(names))]
