"""YOLO labels in and out: lines ``class x y width height [score]`` or ``class x1 y1 x2 y2 x3 y3 …``, as fractions.

A data set is a YAML file with ``path``, ``names`` and one entry per split (a folder, a list of folders or a text file
of picture paths); the labels of ``…/images/a.jpg`` are in ``…/labels/a.txt``, and a picture without such a file holds
no objects. Source of the format: https://docs.ultralytics.com/datasets/detect/
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.checks import MAX_CLASS, Size, build_objects, finite, identifier, integer, read_text, shorten
from packed_scenes.data.errors import InputError
from packed_scenes.data.files import list_images, write_text
from packed_scenes.data.images import image_size
from packed_scenes.data.labelled import LabelledScene
from packed_scenes.data.objects import Objects

MAX_YAML = 1 << 20  # a YAML parser in Python reads about 1 MB per second, and no list of names is longer


def is_yolo(text: str) -> bool:
    """Tell whether the first line with content is five or more numbers between spaces."""
    first = next((line for line in text[:100_000].splitlines() if line.strip()), "")
    cells = first.split()
    return len(cells) >= 5 and all(finite(cell) is not None for cell in cells)


def parse_yolo(text: str, *, file: str | Path, size: Size, classes: int | None = None) -> tuple[Objects, list[str]]:
    """Turn the lines of one label file into objects with ``class_id``; ids are the row numbers.

    Args:
        text: the content of the label file; empty = no objects.
        file: for messages.
        size: (width, height) of the picture.
        classes: number of classes, if known.

    Returns:
        The objects and, if boxes had to be clipped, a warning.

    Raises:
        InputError: with the line, if it is no box or polygon of fractions, or the class is unknown.
    """
    lines: list[int] = []
    boxes: list[list[float]] = []
    scores: list[float] = []
    ids: list[int] = []
    for line, content in enumerate(text.splitlines(), 1):
        cells = content.split()
        if not cells:
            continue
        values = [finite(cell) for cell in cells]
        numbers = [v for v in values if v is not None]
        if len(numbers) != len(cells) or not (len(cells) in (5, 6) or (len(cells) >= 7 and len(cells) % 2)):
            raise InputError(
                f"line {line}: must be 'class x y width height [score]' or a polygon, got {shorten(content)}",
                file=file,
                remedy="Correct this line.",
            )
        highest = MAX_CLASS if classes is None else classes - 1
        ids.append(integer(numbers[0], "the class", file=file, where=f"line {line}", high=highest))
        if max(numbers[1:]) > 1.5 or min(numbers[1:]) < -0.5:
            raise InputError(
                f"line {line}: must hold fractions of the picture's size, got {shorten(content)}",
                file=file,
                remedy="Divide x and width by the picture's width, y and height by its height.",
            )
        boxes.append(_box(numbers[1:], size))
        scores.append(numbers[5] if len(numbers) == 6 else 1.0)
        lines.append(line)
    return build_objects(
        boxes,
        file=file,
        where=lambda row: f"line {lines[row]}",
        object_id=[str(row) for row in range(len(boxes))],
        size=size,
        score=scores,
        class_id=ids,
    )


def format_yolo(objects: Objects, *, size: Size, scores: bool = False) -> str:
    """Return the label lines of one picture: ``class_id`` (or ``cluster`` where that is set and no noise) and the box.

    Args:
        objects: what to write.
        size: (width, height) of the picture.
        scores: add the score as sixth value.
    """
    scale = np.array([*size, *size], np.float64)
    corners = objects.xyxy.astype(np.float64) / scale
    extent = corners[:, 2:] - corners[:, :2]
    middle = corners[:, :2] + extent / 2
    columns: list[npt.NDArray[Any]] = [middle, extent, *([objects.score[:, None]] if scores else [])]
    rows = np.concatenate(columns, axis=1).tolist()
    return "".join(
        f"{int(key)} {' '.join(f'{v:.8g}' for v in row)}\n" for key, row in zip(objects.class_id, rows, strict=True)
    )


def read_yolo(path: str | Path, *, split: str = "val") -> list[LabelledScene]:
    """Read one split of a YOLO data set; ``cluster`` and ``class_id`` of the truth are the class.

    Args:
        path: the data set's YAML file.
        split: ``train``, ``val`` or ``test``.

    Raises:
        InputError: if the YAML, a picture or a label file is not right, or the split is not there.
    """
    content = _load_yaml(path)
    names = _names(content, path)
    root = Path(str(content.get("path") or "."))
    root = root if root.is_absolute() else Path(path).parent / root
    entry = content.get(split)
    entries = [e for e in (entry if isinstance(entry, list) else [entry]) if isinstance(e, str) and e]
    if not entries:
        splits = ", ".join(k for k in ("train", "val", "test") if k in content) or "none"
        raise InputError(f"has no split {shorten(split)} (there: {splits})", file=path, remedy="Choose one of these.")
    pictures = list(itertools.chain.from_iterable(_pictures(root / e, path) for e in entries))
    seen: set[str] = set()
    scenes = []
    for picture in pictures:
        size = image_size(picture)
        label = _label_file(picture)
        has_rows = label.is_file() and label.stat().st_size > 0
        text = read_text(label) if has_rows else ""
        objects, warnings = parse_yolo(text, file=label, size=size, classes=len(names))
        name = picture.stem if picture.stem not in seen else f"{picture.stem}_{len(seen)}"
        seen.add(name)
        truth = objects.replace(cluster=objects.class_id)
        scenes.append(
            LabelledScene(image=picture, name=name, truth=truth, size=size, categories=names, warnings=tuple(warnings))
        )
    return scenes


def write_yolo(path: str | Path, scenes: Sequence[LabelledScene], *, split: str = "val") -> None:
    """Write label files beside the pictures' ``images`` folder, and the YAML that names them.

    The pictures stay where they are: each must lie in ``FOLDER/images``, where FOLDER holds the YAML file.

    Raises:
        InputError: if a picture lies elsewhere, a scene has no size, or truth contains noise.
    """
    folder = Path(path).parent
    names = scenes[0].categories if scenes else ()
    for scene in scenes:
        if scene.image.parent.resolve() != (folder / "images").resolve():
            raise InputError(
                f"the picture is not in {folder / 'images'}", file=scene.image, remedy="Put it there first."
            )
        clusters = scene.truth.class_id if scene.truth.cluster is None else scene.truth.cluster
        if len(clusters) and clusters.min() < 0:
            raise InputError("YOLO has no noise class", file=scene.image, remedy="Leave out objects with cluster -1.")
        text = format_yolo(scene.truth.replace(class_id=clusters), size=scene.size or image_size(scene.image))
        write_text(folder / "labels" / f"{scene.image.stem}.txt", text)
    import json

    # JSON strings are YAML strings: whatever a class is called, it stays one scalar.
    lines = [f"  {i}: {json.dumps(name, ensure_ascii=False)}" for i, name in enumerate(names or ("object",))]
    write_text(path, "\n".join(["path: .", f"{split}: images", "names:", *lines, ""]))


def _box(values: Sequence[float], size: Size) -> list[float]:
    width, height = size
    if len(values) in (4, 5):
        x, y, w, h = values[:4]
        return [(x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height]
    xs, ys = values[0::2], values[1::2]
    return [min(xs) * width, min(ys) * height, max(xs) * width, max(ys) * height]


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
    names = content.get("names")
    if isinstance(names, dict) and all(type(k) is int for k in names) and sorted(names) == list(range(len(names))):
        names = [names[i] for i in range(len(names))]
    if not isinstance(names, list) or not names:
        raise InputError("names must list the classes, or number them from 0", file=path, remedy="Correct names.")
    return tuple(identifier(name, file=path, where=f"class {i}") for i, name in enumerate(names))


def _pictures(entry: Path, path: str | Path) -> list[Path]:
    if entry.suffix == ".txt":
        lines = (line.strip() for line in read_text(entry, what="list").splitlines())
        return [entry.parent / line for line in lines if line]
    try:
        there = entry.is_dir()
    except (OSError, ValueError):  # a name that no folder can have
        there = False
    if not there:
        raise InputError(f"names a folder that is not there ({entry})", file=path, remedy="Correct path or the split.")
    return list_images([entry])


def _label_file(picture: Path) -> Path:
    # The last folder called "images" becomes "labels", as ultralytics does it.
    parts = list(picture.parts)
    for i in range(len(parts) - 2, -1, -1):
        if parts[i] == "images":
            parts[i] = "labels"
            break
    return Path(*parts).with_suffix(".txt")
