"""YOLO labels in and out: lines ``class x y width height [score] [track]`` or ``class x1 y1 x2 y2 x3 y3 …``.

Values are fractions of the picture's size. Rotated boxes are four points and may have a score. Key points behind a box
are left alone; they are known by their visibility (0, 1 or 2), or by ``kpt_shape`` of the data set.

A data set is a YAML file with ``path``, ``names`` and one entry per split (a folder, a list of folders or a text file
of picture paths); the labels of ``…/images/a.jpg`` are in ``…/labels/a.txt``, and a picture without such a file holds
no objects. Source of the format: https://docs.ultralytics.com/datasets/detect/
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.checks import MAX_CLASS, Size, build_objects, finite, integer, shorten
from packed_scenes.data.errors import InputError
from packed_scenes.data.faults import Faults
from packed_scenes.data.files import write_text
from packed_scenes.data.images import image_size
from packed_scenes.data.labelled import LabelledScene
from packed_scenes.data.naming import flat_names
from packed_scenes.data.objects import Objects
from packed_scenes.data.text import read_text
from packed_scenes.data.yolo_split import read_split


def is_yolo(text: str) -> bool:
    """Tell whether the first line with content is five or more numbers between spaces."""
    first = next((line for line in text[:100_000].splitlines() if line.strip()), "")
    cells = first.split()
    return len(cells) >= 5 and all(finite(cell) is not None for cell in cells)


def parse_yolo(
    text: str,
    *,
    file: str | Path,
    size: Size | None = None,
    classes: int | None = None,
    keypoints: int = 0,
    faults: Faults | None = None,
) -> tuple[Objects, list[str]]:
    """Turn the lines of one label file into objects with ``class_id``; ids are the row numbers.

    Args:
        text: the content of the label file; empty = no objects.
        file: for messages.
        size: (width, height) of the picture; without it boxes stay fractions of it.
        classes: number of classes, if known.
        keypoints: how many numbers each object's key points take, if known.
        faults: receives the lines that are left out, as ``file, line 3``; without it they become warnings.

    Returns:
        The objects, and warnings about boxes that were clipped or left out.

    Raises:
        InputError: if no line is good (without ``faults``): each must be a box or polygon of fractions, of a known
            class.
    """
    own = Faults(file) if faults is None else faults
    prefix = "" if faults is None else f"{Path(file).name}, "
    places: list[str] = []
    boxes: list[list[float]] = []
    scores: list[float] = []
    ids: list[int] = []
    for line, content in enumerate(text.splitlines(), 1):
        cells = content.split()
        if not cells:
            continue
        where = f"{prefix}line {line}"
        with own.entry(where):
            numbers, score = _line(cells, content, file, where, keypoints)
            highest = MAX_CLASS if classes is None else classes - 1
            ids.append(integer(numbers[0], "the class", file=file, where=where, high=highest))
            boxes.append(_box(numbers[1:], size or (1, 1)))
            scores.append(score)
            places.append(where)
    objects, warnings = build_objects(
        boxes,
        file=file,
        where=lambda row: places[row],
        object_id=[str(row) for row in range(len(boxes))],
        size=size,
        score=scores,
        class_id=ids,
        faults=own,
    )
    if faults is None:
        own.check()
        warnings = [*own.warnings(), *warnings]
    return objects, warnings


def _line(cells: list[str], content: str, file: str | Path, where: str, keypoints: int) -> tuple[list[float], float]:
    """Class and box (or polygon) of one line, and its score."""
    values = [finite(cell) for cell in cells]
    numbers = [v for v in values if v is not None]
    read = _meaning(cells, numbers, keypoints) if len(numbers) == len(cells) else None
    if read is None:
        raise InputError(
            f"{where}: must be 'class x y width height [score]' or a polygon, got {shorten(content)}",
            file=file,
            remedy="Correct this line.",
        )
    if max(read[0][1:]) > 1.5 or min(read[0][1:]) < -0.5:
        raise InputError(
            f"{where}: must hold fractions of the picture's size, got {shorten(content)}",
            file=file,
            remedy="Divide x and width by the picture's width, y and height by its height.",
        )
    return read


def _meaning(cells: list[str], numbers: list[float], keypoints: int) -> tuple[list[float], float] | None:
    """What a line says: class and box (or polygon), and the score; None = nothing known."""
    if len(numbers) <= 6:  # a sixth number that is whole and above 1 is that of a track
        track = len(numbers) == 6 and cells[5].isdecimal() and numbers[5] > 1
        score = numbers[5] if len(numbers) == 6 and not track else 1.0
        return (numbers[:5], score) if len(numbers) >= 5 else None
    if keypoints and len(numbers) in (5 + keypoints, 6 + keypoints):
        return numbers[:5], numbers[-1] if len(numbers) == 6 + keypoints else 1.0
    if len(numbers) == 7 and cells[6].isdecimal() and numbers[6] >= 1:  # box, score and track of ultralytics
        return numbers[:5], numbers[5]
    if len(numbers) > 10 and len(numbers) % 3 == 2 and set(numbers[7::3]) <= {0, 1, 2} and _holds(numbers[1:]):
        return numbers[:5], 1.0
    if len(numbers) == 10:  # a rotated box and its score
        return numbers[:9], numbers[9]
    return (numbers, 1.0) if len(numbers) % 2 else None


def _holds(values: list[float]) -> bool:
    """Whether a box holds the visible ones of the key points (x, y, visibility) behind it."""
    box, points = _box(values[:4], (1, 1)), np.array(values[4:]).reshape(-1, 3)
    seen = points[points[:, 2] > 0, :2]
    margin = 0.05
    inside = (seen >= np.array(box[:2]) - margin) & (seen <= np.array(box[2:]) + margin)
    return min(box) > -margin and max(box) < 1 + margin and bool(inside.all())


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
        InputError: if the YAML is not right, the split is not there, or no picture of it is good; single bad pictures
            and label lines are left out, and listed in the first scene's warnings.
    """
    names, pictures, keypoints = read_split(path, split)
    faults = Faults(path)
    scenes: list[LabelledScene] = []
    short = flat_names([picture.with_suffix("").as_posix().lstrip("/") for picture in pictures])
    for picture, name in zip(pictures, short, strict=True):
        with faults.entry(str(picture)):
            size = image_size(picture)
            label = _label_file(picture)
            text = read_text(label) if label.is_file() and label.stat().st_size > 0 else ""
            truth, warnings = parse_yolo(
                text, file=label, size=size, classes=len(names) or None, keypoints=keypoints, faults=faults
            )
            truth = truth.replace(cluster=truth.class_id)
            faults.good += not len(truth)
            scenes.append(
                LabelledScene(
                    image=picture, name=name, truth=truth, size=size, categories=names, warnings=tuple(warnings)
                )
            )
    faults.check()
    if not names and scenes:
        most = max((int(s.truth.class_id.max()) for s in scenes if len(s.truth)), default=0)
        scenes = [replace(s, categories=tuple(map(str, range(most + 1)))) for s in scenes]
    if scenes and faults.count:  # what holds for the file is said with its first scene
        scenes[0] = replace(scenes[0], warnings=(*faults.warnings(), *scenes[0].warnings))
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
    if len(values) == 4:
        x, y, w, h = values
        return [(x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height]
    xs, ys = values[0::2], values[1::2]
    return [min(xs) * width, min(ys) * height, max(xs) * width, max(ys) * height]


def _label_file(picture: Path) -> Path:
    # The last folder called "images" becomes "labels", as ultralytics does it.
    parts = list(picture.parts)
    for i in range(len(parts) - 2, -1, -1):
        if parts[i] == "images":
            parts[i] = "labels"
            break
    return Path(*parts).with_suffix(".txt")
