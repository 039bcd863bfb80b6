"""Given boxes in and out. The content of the file decides what it is, never its name:

* JSON ``{"id": {"x1": …, "x2": …, "y1": …, "y2": …}, …}``: one picture, ids kept;
* COCO labels or results (see :mod:`packed_scenes.data.coco`);
* a Label Studio export (see :mod:`packed_scenes.data.label_studio`);
* Pascal VOC or CVAT XML (see :mod:`packed_scenes.data.xml_boxes`);
* a table such as :func:`write_boxes` and a run's ``objects.csv`` (see :mod:`packed_scenes.data.boxes_csv`);
* YOLO lines of fractions (see :mod:`packed_scenes.data.yolo`);
* a folder of YOLO or VOC files (see :mod:`packed_scenes.data.boxes_folder`).

Which picture gets which boxes is decided in :mod:`packed_scenes.data.naming`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from packed_scenes.data.boxes_csv import format_csv, parse_csv
from packed_scenes.data.checks import Size, build_objects, check_size, identifier, number, shorten
from packed_scenes.data.coco import coco_boxes, is_coco, is_coco_results
from packed_scenes.data.errors import InputError
from packed_scenes.data.faults import Faults
from packed_scenes.data.files import write_json, write_text
from packed_scenes.data.label_studio import is_label_studio, label_studio_boxes
from packed_scenes.data.naming import match_names
from packed_scenes.data.objects import Objects
from packed_scenes.data.parsed_boxes import ParsedBoxes
from packed_scenes.data.text import parse_json, read_text
from packed_scenes.data.yolo import format_yolo, is_yolo, parse_yolo

_OTHER_TOOLS = {  # keys by which their JSON is known
    "LabelMe": {"shapes", "imagePath"}, "VGG Image Annotator": {"_via_img_metadata"}, "Labelbox": {"data_row"},
    "SageMaker Ground Truth": {"image_size", "annotations"}, "Create ML": {"image", "annotations"},
    "ultralytics' results": {"box", "class", "confidence"},
}  # fmt: skip
_CORNERS = ("x1", "y1", "x2", "y2")
_COLUMNS = ("cluster", "probability", "congregation")


@dataclass(frozen=True)
class BoxFile:
    """The boxes of a file, by picture. A file without boxes is an answer, too: it is not empty in a truth test.

    Attributes:
        path: the file.
        scenes: objects by picture name as the file gives it; the name is ``""`` where the file names no picture.
        warnings: what had to be corrected, one line each.
        sizes: (width, height) of pictures, by the same names, where the file says it.
        names: class names by ``class_id``, where the file has names.
        fractions: the boxes are fractions of the pictures' sizes, not pixels.
        assigned: names by picture; None until the pictures are known (:meth:`assign`).
        unclear: why a picture has none although a name fits, by picture.
    """

    path: Path
    scenes: dict[str, Objects]
    warnings: tuple[str, ...] = ()
    sizes: Mapping[str, Size] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    fractions: bool = False
    assigned: Mapping[str, str] | None = None
    unclear: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return sum(map(len, self.scenes.values()))

    def assign(self, pictures: Sequence[str | Path]) -> BoxFile:
        """Decide which picture has which boxes, knowing all pictures: one name of the file serves one picture.

        Args:
            pictures: paths or scene names, each once.
        """
        wanted = list(dict.fromkeys(map(str, pictures)))
        names = [name for name in self.scenes if name]
        matched = match_names([_absolute(p) for p in wanted], names)
        given = {wanted[row]: names[at] for row, at in matched.entry.items()}
        unclear = {wanted[row]: why for row, why in matched.unclear.items()}
        return replace(self, assigned=given, unclear=unclear, warnings=(*self.warnings, *matched.notes))

    def for_image(self, image: str | Path, *, size: Size | None = None) -> tuple[Objects, list[str]]:
        """Find the boxes of a picture and clip them to its size.

        Args:
            image: the picture's path or scene name.
            size: (width, height) of the picture; without it boxes may be fractions.

        Returns:
            The objects, and warnings about those that had to be clipped or left out.

        Raises:
            InputError: if the file has no boxes for this picture, was made for another size, or all lie outside it.
        """
        name = self.name_of(image)
        objects = self.scenes[name]
        if size is None:
            return objects, []
        check_size(size, self.sizes.get(name), file=self.path, picture=image)
        known = {k: getattr(objects, k) for k in _COLUMNS}
        scale = np.array([*size, *size] if self.fractions else [1.0] * 4)
        return build_objects(
            objects.xyxy * scale,
            file=self.path,
            where=lambda row: f"object {shorten(str(objects.object_id[row]))}",
            object_id=objects.object_id.tolist(),
            size=size,
            score=objects.score,
            class_id=objects.class_id,
            **known,
        )

    def name_of(self, image: str | Path) -> str:
        """Return the name under which the file has a picture's boxes.

        Raises:
            InputError: if the file has no boxes for this picture.
        """
        key = str(image)
        known = self if self.assigned is not None else self.assign([key])
        assert known.assigned is not None
        if key in known.assigned:
            return known.assigned[key]
        if key in known.unclear:
            raise InputError(
                f"it is not clear which boxes {shorten(Path(key).name)} has: {known.unclear[key]}",
                file=self.path,
                remedy="Name the pictures with their folders.",
            )
        if "" in self.scenes:
            return ""
        shown = ", ".join(shorten(name) for name in list(self.scenes)[:3]) or "none"
        raise InputError(
            f"has no boxes for the picture {shorten(Path(key.replace(chr(92), '/')).name)}; it has {len(self.scenes)} "
            f"pictures ({shown} …)",
            file=self.path,
            remedy="Give the boxes of this picture.",
        )


def _absolute(picture: str) -> str:
    """The whole path of a picture that is a file, so that its folders can be compared."""
    if "://" in picture:
        return picture
    try:
        path = Path(picture)
        return str(path.absolute()) if path.is_file() else picture
    except (OSError, ValueError):
        return picture


def read_boxes(path: str | Path, *, size: Size | None = None) -> BoxFile:
    """Read boxes in any of the forms of this module.

    Args:
        path: the label file, or a folder of label files.
        size: (width, height) of the picture, if there is one: boxes are then clipped, and fractions become pixels.

    Raises:
        InputError: if it has no known form, or no box of it is good: wrong types, boxes reversed, empty, not finite or
            wholly outside the picture. Of several boxes, bad ones are left out with a warning.
    """
    if Path(path).is_dir():
        from packed_scenes.data.boxes_folder import read_folder_of_labels

        found = read_folder_of_labels(Path(path))
    else:
        found = _parse(read_text(path, what="boxes", any_encoding=True), path)
    if not any(map(len, found.scenes.values())):
        found.warnings.append(f"{path}: holds no boxes")
    made = BoxFile(Path(path), found.scenes, tuple(found.warnings), found.sizes, found.names, found.fractions)
    if size is None:
        return made
    scenes, warnings = {}, list(made.warnings)
    for name in made.scenes:
        own = made.sizes.get(name, size)  # of a file that says it, that is the size
        scenes[name], more = replace(made, assigned={name: name}).for_image(name, size=own)
        warnings += more
    return replace(made, scenes=scenes, warnings=tuple(warnings), fractions=False)


def _parse(text: str, path: str | Path) -> ParsedBoxes:
    from packed_scenes.data.xml_boxes import is_xml, parse_xml

    if text.lstrip()[:1] in ("{", "["):
        content = parse_json(text, file=path)
        if is_coco(content) or is_coco_results(content):
            return coco_boxes(content, path)
        if is_label_studio(content):
            return label_studio_boxes(content, path)
        return _from_ids(content, path)
    if is_xml(text):
        return parse_xml(text, file=path)
    if is_yolo(text):
        objects, warnings = parse_yolo(text, file=path)
        return ParsedBoxes({"": objects}, warnings=warnings, fractions=True)
    return parse_csv(text, file=path)


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


def _refuse_others(content: Any, path: str | Path) -> None:
    """Name the tool whose JSON this is, if it is one that is not read."""
    first = content[0] if isinstance(content, list) and content else content
    keys = first.keys() if isinstance(first, dict) else set()
    for tool, needed in _OTHER_TOOLS.items():
        if needed <= keys and not all(isinstance(first[key], dict) and "x1" in first[key] for key in needed):
            raise InputError(f"is the JSON of {tool}, which is not read", file=path,
                             remedy="Export or convert it to COCO, Pascal VOC, YOLO or CSV.")  # fmt: skip


def _from_ids(content: Any, path: str | Path) -> ParsedBoxes:
    _refuse_others(content, path)
    if not isinstance(content, dict):
        raise InputError("is no box file that is known", file=path,
                         remedy='Use {"id": {"x1": …, "y1": …, "x2": …, "y2": …}}, COCO, CSV or YOLO.')  # fmt: skip
    ids, boxes, places = [], [], []
    faults = Faults(path)
    for row, (key, box) in enumerate(content.items()):
        where = f"entry {row} ({shorten(key)})"
        with faults.entry(where):
            if not isinstance(box, dict) or any(corner not in box for corner in _CORNERS):
                raise InputError(f"{where}: needs x1, y1, x2 and y2", file=path, remedy="Correct this entry.")
            corners = [number(box[corner], corner, file=path, where=where) for corner in _CORNERS]
            ids.append(identifier(key, file=path, where=where))
            boxes.append(corners)
            places.append(where)
    objects, warnings = build_objects(boxes, file=path, where=lambda row: places[row], object_id=ids, faults=faults)
    faults.check()
    return ParsedBoxes({"": objects}, warnings=[*faults.warnings(), *warnings])
