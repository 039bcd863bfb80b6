"""What was asked: the pictures of files, folders, URLs and arrays, the name of each, and the boxes given for them."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL.Image import Image

from packed_scenes.data.errors import InputError
from packed_scenes.data.folders import list_images
from packed_scenes.data.hidden import HIDDEN
from packed_scenes.data.naming import no_device, same_name
from packed_scenes.data.objects import Objects
from packed_scenes.data.rgb import as_rgb
from packed_scenes.data.scene import Scene
from packed_scenes.pictures import Picture, Source

if TYPE_CHECKING:
    import numpy.typing as npt

    from packed_scenes.data.boxes import BoxFile

    GivenBoxes = str | Path | Objects | Mapping[str, Any] | BoxFile | Sequence[Sequence[float]] | npt.NDArray[Any]

RESERVED = frozenset(
    {"clusters.png", "objects.parquet", "run.json", "report.html", "errors.csv"}
)  # files beside the scenes' folders
MAX_NAME = 80  # file systems allow 255 bytes; scene names get suffixes and four bytes a letter at worst


def sources(
    pictures: Picture | Iterable[Picture],
    *,
    named: Mapping[str, str] | None = None,
    warn: Callable[[str], None] | None = None,
) -> list[Source]:
    """List the scenes of files, folders, arrays and scenes, with unique names that are safe as folder names.

    Args:
        pictures: what to list; text with ``://`` is a URL (:mod:`packed_scenes.storage`).
        named: names already given, by path; they are kept and not given again.
        warn: receives lines about what folders hold that was skipped; default: the log.

    Raises:
        InputError: if there is nothing, a path does not exist or a folder holds no picture.
    """
    single = isinstance(pictures, str | Path | Scene | np.ndarray | Image)
    if isinstance(pictures, bytes) or not (single or isinstance(pictures, Iterable)):
        raise InputError(f"pictures must be files, folders, arrays or scenes, got {type(pictures).__name__}")
    many: list[Any] = [pictures] if single else list(pictures)  # type: ignore[arg-type]
    if not many:
        raise InputError("there is no picture", remedy="Give files, folders, arrays or scenes.")
    found: list[Source] = []
    for item in many:
        if isinstance(item, Scene):
            found.append(Source(item.name, held=item))
        elif isinstance(item, np.ndarray | Image):
            found.append(Source("scene", held=Scene(as_rgb(item), "scene")))
        elif not isinstance(item, str | Path):
            raise InputError(f"a picture must be a file, a folder, an array or a scene, got {type(item).__name__}")
        elif isinstance(item, str) and "://" in item:
            from packed_scenes.storage import list_stored

            found += list_stored(item)
        else:
            found += [Source(path.stem, path=path) for path in list_images([item], warn=warn)]
    unique: dict[str | int, Source] = {}
    for index, source in enumerate(found):
        unique.setdefault(index if source.held is not None else source.where, source)
    return _unique_names(list(unique.values()), named or {})


def given_boxes(boxes: GivenBoxes | None, found: Sequence[Source]) -> BoxFile | None:
    """Bring given boxes into one form.

    Args:
        boxes: a box file's path, a read one, boxes by picture name, or those of the only picture; single boxes as
            ``Objects``, (N, 4) corners in pixels, a pandas table or ``supervision.Detections``.
        found: the pictures.

    Raises:
        InputError: if the boxes cannot be read, or name no picture where there are several.
    """
    from packed_scenes.data.boxes import BoxFile, read_boxes

    if boxes is None:
        return None
    if isinstance(boxes, str | Path):
        boxes = read_boxes(boxes)
    if isinstance(boxes, Mapping):
        boxes = BoxFile(Path("boxes"), {str(name): as_objects(these) for name, these in boxes.items()})
    given = boxes if isinstance(boxes, BoxFile) else BoxFile(Path("boxes"), {"": as_objects(boxes)})
    if set(given.scenes) == {""} and len(found) != 1 and len(given):
        raise InputError(
            f"these boxes name no picture, but there are {len(found)} pictures",
            remedy="Give one picture, or a box file that names each picture (COCO, or CSV with an image column).",
        )
    return given if not len(given) and set(given.scenes) <= {""} else given.assign([source.where for source in found])


def as_objects(boxes: Any) -> Objects:
    """Make ``Objects`` of what Python callers have: corners, a pandas table, supervision's detections.

    Raises:
        InputError: if they are no boxes.
    """
    if isinstance(boxes, Objects):
        return boxes
    if hasattr(boxes, "columns"):
        return Objects.from_pandas(boxes)
    if hasattr(boxes, "xyxy") and hasattr(boxes, "class_id"):
        from packed_scenes.data.convert import from_supervision

        return from_supervision(boxes)
    try:
        corners = np.asarray(boxes, np.float32)
        if corners.size and 0 < np.abs(corners).max() <= 1 and (corners % 1).any():
            raise InputError(
                "boxes are pixels, but all of these lie within 0 and 1",
                remedy="Multiply them by the picture's width and height.",
            )
        return Objects.from_boxes(corners)
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"boxes must be Objects, (N, 4) corners or a box file, got {type(boxes).__name__}") from error


def safe_name(text: str) -> str:
    """Make text one safe folder name on every system: no separators or hidden characters, no leading dot, no name of a
    device, not too long.
    """
    name = re.sub(r"[/\\:*?\"<>|]+", "_", HIDDEN.sub("_", text)).strip(" .") or "scene"
    name = no_device(name)
    if len(name.encode()) > MAX_NAME:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        name = name.encode()[: MAX_NAME - 9].decode(errors="ignore") + "-" + digest
    return name


def _unique_names(found: Sequence[Source], named: Mapping[str, str]) -> list[Source]:
    """Name every scene: the stem, with its folder in front where stems repeat, then with a number."""
    stems = [safe_name(s.name) for s in found]
    taken = {same_name(name) for name in named.values()}
    repeated = {stem for stem, times in Counter(map(same_name, stems)).items() if times > 1} | taken
    done = []
    for source, stem in zip(found, stems, strict=True):
        if source.where in named:
            done.append(replace(source, name=named[source.where]))
            continue
        name = stem
        if same_name(stem) in repeated and source.path is not None:
            name = safe_name(f"{source.path.resolve().parent.name}_{stem}")
        base, number = name, 1
        while same_name(name) in taken or same_name(name) in RESERVED:
            number += 1
            name = f"{base}_{number}"
        taken.add(same_name(name))
        held = source.held and replace(source.held, name=name)
        done.append(replace(source, name=name, held=held))
    return done
