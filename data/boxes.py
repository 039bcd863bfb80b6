"""Given boxes in and out. The content of the file decides what it is, never its name:

* JSON ``{"id": {"x1": …, "x2": …, "y1": …, "y2": …}, …}``: one picture, ids kept;
* COCO labels or results (see :mod:`packed_scenes.data.coco`);
* CSV with a header, such as :func:`write_boxes` and a run's ``objects.csv`` (see :mod:`packed_scenes.data.boxes_csv`);
* YOLO lines of fractions (see :mod:`packed_scenes.data.yolo`): the picture's size is needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from packed_scenes.data.boxes_csv import format_csv, parse_csv
from packed_scenes.data.checks import Size, build_objects, identifier, number, parse_json, read_text, shorten
from packed_scenes.data.coco import coco_boxes, is_coco, is_coco_results
from packed_scenes.data.errors import InputError
from packed_scenes.data.files import write_json, write_text
from packed_scenes.data.objects import Objects
from packed_scenes.data.yolo import format_yolo, is_yolo, parse_yolo

_CORNERS = ("x1", "y1", "x2", "y2")


@dataclass(frozen=True)
class BoxFile:
    """The boxes of a file, by picture.

    Attributes:
        path: the file.
        scenes: objects by picture name as the file gives it; the name is ``""`` where the file names no picture.
        warnings: what had to be corrected, one line each.
    """

    path: Path
    scenes: dict[str, Objects]
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return sum(map(len, self.scenes.values()))

    def for_image(self, image: str | Path, *, size: Size | None = None) -> tuple[Objects, list[str]]:
        """Find the boxes of a picture and clip them to its size.

        The picture is looked up by its path, its file name, its stem, then the number at its end; a file that names no
        picture fits any.

        Args:
            image: the picture's path or scene name.
            size: (width, height) of the picture.

        Returns:
            The objects and, if some had to be clipped, a warning.

        Raises:
            InputError: if the file has no boxes for this picture or one lies wholly outside it.
        """
        objects = self.scenes[self.name_of(image)]
        if size is None:
            return objects, []
        known = {k: getattr(objects, k) for k in ("cluster", "probability", "congregation")}
        return build_objects(
            objects.xyxy,
            file=self.path,
            where=lambda row: f"object {shorten(str(objects.object_id[row]))}",
            object_id=objects.object_id.tolist(),
            size=size,
            score=objects.score,
            class_id=objects.class_id,
            **known,
        )

    def name_of(self, image: str | Path) -> str:
        """Return the name under which the file has a picture's boxes: its path, file name, stem or frame number.

        Raises:
            InputError: if the file has no boxes for this picture.
        """
        path = PurePosixPath(str(image).replace("\\", "/"))
        image = str(path)
        for candidate in (image, path.name, path.stem):
            if candidate in self.scenes:
                return candidate
        for part in ("name", "stem"):
            same = [name for name in self.scenes if name and getattr(PurePosixPath(name), part) == getattr(path, part)]
            if len(same) == 1:
                return same[0]
        digits = re.search(r"\d+$", path.stem)  # tables of tracking tools name frames by number
        if digits is not None:
            same = [name for name in self.scenes if name.isdecimal() and int(name) == int(digits[0])]
            if len(same) == 1:
                return same[0]
        if "" in self.scenes:
            return ""
        known = ", ".join(shorten(name) for name in list(self.scenes)[:3])
        raise InputError(
            f"has no boxes for the picture {shorten(path.name)}; it has {len(self.scenes)} pictures ({known} …)",
            file=self.path,
            remedy="Give the boxes of this picture.",
        )


def read_boxes(path: str | Path, *, size: Size | Mapping[str, Size] | None = None) -> BoxFile:
    """Read boxes in any of the forms of this module.

    Args:
        path: the label file.
        size: (width, height) of the picture, or by picture name; needed for YOLO, else used to clip.

    Raises:
        InputError: with the row and the remedy, for anything that is not right: wrong types, boxes reversed, empty,
            not finite or wholly outside the picture, ids that repeat, no known form.
    """
    text = read_text(path, what="boxes")
    start = text.lstrip()[:1]
    warnings: list[str] = []
    if start in ("{", "["):
        content = parse_json(text, file=path)
        if is_coco(content) or is_coco_results(content):
            scenes, warnings = coco_boxes(content, path)
        else:
            scenes, warnings = _from_ids(content, path, _size(size, ""))
    elif is_yolo(text):
        known = _size(size, Path(path).stem) or _size(size, "")
        if known is None:
            raise InputError("YOLO boxes are fractions of a picture whose size is not known", file=path,
                             remedy="Give the picture with them.")  # fmt: skip
        objects, warnings = parse_yolo(text, file=path, size=known)
        scenes = {"": objects}
    else:
        scenes, warnings = parse_csv(text, file=path, size=lambda name: _size(size, name))
    if not any(map(len, scenes.values())):
        warnings = [*warnings, f"{path}: holds no boxes"]
    return BoxFile(Path(path), scenes, tuple(warnings))


def write_boxes(path: str | Path, objects: Objects | Mapping[str, Objects], *, size: Size | None = None) -> None:
    """Write boxes; the suffix chooses: ``.json`` by id, ``.csv`` with every column but vectors, ``.txt`` YOLO.

    Args:
        path: target file.
        objects: the objects of one picture, or (CSV only) of several by name.
        size: (width, height), for YOLO.

    Raises:
        InputError: if the suffix is unknown, or the form cannot hold this.
    """
    suffix = Path(path).suffix.lower()
    if isinstance(objects, Mapping):
        if suffix != ".csv":
            raise InputError("only CSV holds the boxes of several pictures", file=path, remedy="Use a .csv name.")
        write_text(path, format_csv(objects))
    elif suffix == ".csv":
        write_text(path, format_csv({"": objects}))
    elif suffix == ".json":
        corners = objects.xyxy.astype(float).round(3).tolist()
        rows = zip(objects.object_id.tolist(), corners, strict=True)
        write_json(path, {key: {"x1": box[0], "x2": box[2], "y1": box[1], "y2": box[3]} for key, box in rows})
    elif suffix == ".txt":
        if size is None:
            raise InputError("YOLO boxes need the picture's size", file=path, remedy="Pass size=(width, height).")
        write_text(path, format_yolo(objects, size=size, scores=True))
    else:
        raise InputError("unknown form of boxes", file=path, remedy="Use .json, .csv or .txt.")


def _size(size: Size | Mapping[str, Size] | None, name: str) -> Size | None:
    return size.get(name) if isinstance(size, Mapping) else size


def _from_ids(content: Any, path: str | Path, size: Size | None) -> tuple[dict[str, Objects], list[str]]:
    if not isinstance(content, dict):
        raise InputError("is no box file that is known", file=path,
                         remedy='Use {"id": {"x1": …, "y1": …, "x2": …, "y2": …}}, COCO, CSV or YOLO.')  # fmt: skip
    ids, boxes = [], []
    for row, (key, box) in enumerate(content.items()):
        where = f"entry {row} ({shorten(key)})"
        if not isinstance(box, dict) or any(corner not in box for corner in _CORNERS):
            raise InputError(f"{where}: needs x1, y1, x2 and y2", file=path, remedy="Correct this entry.")
        ids.append(identifier(key, file=path, where=where))
        boxes.append([number(box[corner], corner, file=path, where=where) for corner in _CORNERS])
    objects, warnings = build_objects(
        boxes, file=path, where=lambda row: f"entry {row} ({shorten(ids[row])})", object_id=ids, size=size
    )
    return {"": objects}, warnings
