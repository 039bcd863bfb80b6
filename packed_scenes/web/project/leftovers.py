"""What a killed process wrote beside the log for a line that it never wrote goes when the project is opened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

OWN = re.compile(r"rows/[0-9]{6,9}\.npz|photos/[0-9a-f]{16}\.[a-z]{2,4}")  # names that only a project gives


def names_in(line: dict[str, Any]) -> Iterator[str]:
    """Yield what a line of the log rests on: ``rows/000001`` (boxes), ``photos/<hash>`` (a copy of a photo)."""
    if line.get("rows"):
        yield str(line["rows"]).removesuffix(".npz")
    change = line.get("do") or {}
    for patch in change.get("columns", {}).values():
        if "file" in patch:
            yield str(patch["file"]).removesuffix(".npz")
    for pair in change.get("values", {}).values():
        for value in pair:
            if isinstance(value, dict) and "sha256" in value:  # a photo
                yield f"photos/{str(value['sha256'])[:16]}"


def remove_unnamed(folder: Path, named: set[str]) -> None:
    """Remove files of boxes and copies of photos that no line of the log rests on; links are not followed."""
    for kind in ("rows", "photos"):
        if (folder / kind).is_symlink():
            continue
        for path in (folder / kind).glob("*"):
            if OWN.fullmatch(f"{kind}/{path.name}") and f"{kind}/{path.stem}" not in named:
                with suppress(OSError):
                    path.unlink()
