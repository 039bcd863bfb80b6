"""The YAML of a YOLO data set: its class names, and the pictures of each split.

Read as ultralytics and Roboflow write it: ``valid`` for ``val``, ``../train/images`` for a folder beside the file,
``nc`` without names, names as a list or by number.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from packed_scenes.data.checks import identifier, shorten
from packed_scenes.data.errors import InputError
from packed_scenes.data.folders import list_images
from packed_scenes.data.text import read_lines, read_text

MAX_YAML = 1 << 20  # a YAML parser in Python reads about 1 MB per second, and no list of names is longer


def read_split(path: str | Path, split: str) -> tuple[tuple[str, ...], list[Path], int]:
    """Return the class names, the pictures of one split, each once, and how many numbers each object's key points take.

    Raises:
        InputError: if the YAML is not right, or the split or its folder is not there.
    """
    content = _load_yaml(path)
    return _names(content, path), _split(content, path, split), _keypoints(content.get("kpt_shape"))


def has_split(path: str | Path, split: str) -> bool:
    """Whether the YAML of a data set names a split; one without a value (``val:``) is not named.

    Raises:
        InputError: if the YAML is not right.
    """
    return bool(_entries(_load_yaml(path), split))


def _keypoints(shape: Any) -> int:
    known = isinstance(shape, list) and len(shape) == 2 and all(type(n) is int and 0 < n < 1000 for n in shape)
    return shape[0] * shape[1] if known else 0


def _entries(content: dict[str, Any], split: str) -> list[str]:
    entry = content.get(split)
    if entry is None and split == "val":  # Roboflow's own name for it
        entry = content.get("valid", content.get("validation"))
    return [e for e in (entry if isinstance(entry, list) else [entry]) if isinstance(e, str) and e.strip()]


def _split(content: dict[str, Any], path: str | Path, split: str) -> list[Path]:
    root = Path(str(content.get("path") or "."))
    roots = [root if root.is_absolute() else Path(path).parent / root, Path(path).parent]
    entries = _entries(content, split)
    if not entries:
        splits = ", ".join(k for k in ("train", "val", "test") if _entries(content, k)) or "none"
        raise InputError(f"has no split {shorten(split)} (there: {splits})", file=path, remedy="Choose one of these.")
    found = (_pictures([r / e for r in roots for e in _readings(entry)], path) for entry in entries)
    return list(dict.fromkeys(itertools.chain.from_iterable(found)))


def _readings(entry: str) -> list[str]:
    """How an entry may be meant: Roboflow writes ``../train/images`` for a folder beside the YAML file."""
    entry = entry.strip().replace("\\", "/")
    return [entry, entry.removeprefix("../")] if entry.startswith("../") else [entry]


def _load_yaml(path: str | Path) -> dict[str, Any]:
    import yaml  # type: ignore[import-untyped]

    text = read_text(path, what="YAML")
    if len(text) > MAX_YAML:
        raise InputError(f"is longer than {MAX_YAML:,} characters", file=path, remedy="Name the data set's YAML file.")
    try:
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        reason = getattr(error, "problem", None) or type(error).__name__
        raise InputError(f"is no valid YAML ({reason})", file=path, remedy="Correct it.") from error
    if not isinstance(content, dict):
        raise InputError("is no data set description", file=path, remedy="It needs path, names and a split.")
    return content


def _names(content: dict[Any, Any], path: str | Path) -> tuple[str, ...]:
    """The class names; numbers stand for those that a mapping leaves out, or where there is only their count (nc)."""
    names = content.get("names")
    if isinstance(names, dict):
        keys = {int(k) if str(k).isdecimal() else -1: v for k, v in names.items()}
        if keys and min(keys) >= 0 and max(keys) < 100_000:
            names = [keys.get(i, str(i)) for i in range(max(keys) + 1)]
    count = content.get("nc")
    if names is None and type(count) is int and 0 < count < 100_000:
        names = [str(i) for i in range(count)]
    if not isinstance(names, list) or not names:
        raise InputError("names must list the classes, or number them from 0", file=path, remedy="Correct names.")
    texts = [str(name) if isinstance(name, int | float | bool) else name for name in names]  # YAML: yes, 7, 1.5
    return tuple(identifier(name, file=path, where=f"class {i}") for i, name in enumerate(texts))


def _pictures(places: list[Path], path: str | Path) -> list[Path]:
    """The pictures of the first of these folders or lists that is there."""
    for place in places:
        try:
            if place.is_dir():
                return list_images([place])
            if place.suffix == ".txt" and place.is_file():
                return [_listed(line, place.parent, Path(path).parent) for line in read_lines(place)]
        except InputError:
            raise
        except (OSError, ValueError):  # a name that no folder can have
            continue
    raise InputError(f"names a folder that is not there ({places[0]})", file=path, remedy="Correct path or the split.")


def _listed(line: str, *folders: Path) -> Path:
    """A picture named in a list: relative to the list's folder, or to the data set's."""
    places = [folder / line.removeprefix("./") for folder in folders]
    return next((place for place in places if place.is_file()), places[0])
