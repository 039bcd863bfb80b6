"""A folder of label files, one a picture: YOLO text files, Pascal VOC XML; with subfolders, as exports have them.

``train/labels/a.txt`` belongs to ``train/images/a.jpg`` (or to ``train/a.jpg``). Lists beside the labels
(``classes.txt``, ``obj.names``, ``train.txt``) are no labels.
"""

from __future__ import annotations

from pathlib import Path

from packed_scenes.data.errors import InputError
from packed_scenes.data.faults import Faults
from packed_scenes.data.folders import list_files
from packed_scenes.data.parsed_boxes import ParsedBoxes
from packed_scenes.data.text import read_lines, read_text
from packed_scenes.data.xml_boxes import parse_xml
from packed_scenes.data.yolo import is_yolo, parse_yolo

_LISTS = frozenset({"classes.txt", "obj.names", "train.txt", "val.txt", "valid.txt", "test.txt", "readme.txt"})
_BESIDE = {"labels": "images", "Annotations": "JPEGImages"}  # where the pictures lie, by where the labels do
_ROBOFLOW = ("readme.", "notes")


def read_folder_of_labels(folder: Path) -> ParsedBoxes:
    """Read all label files of a folder; the boxes of YOLO files are fractions, so both kinds don't mix.

    A label file that is not right costs its own picture.

    Raises:
        InputError: if there is no label file, both kinds are there, or none can be read.
    """
    files = [p for p in list_files(folder, {".txt", ".xml"}) if not _is_list(p)]
    kinds = {p.suffix.lower() for p in files}
    if len(kinds) != 1:
        raise InputError(
            "holds no label files (.txt of YOLO, .xml of Pascal VOC)" if not kinds else "holds .txt and .xml labels",
            file=folder,
            remedy="Name the folder of one kind of labels, or one file.",
        )
    yolo = kinds == {".txt"}
    found = ParsedBoxes(fractions=yolo)
    faults = Faults(folder)
    single: list[tuple[str, ParsedBoxes]] = []
    for file in files:
        name = file.relative_to(folder).with_suffix("").as_posix()
        parts = [_BESIDE.get(part, part) for part in name.split("/")]
        with faults.entry(name):
            name = "/".join(parts)
            text = read_text(file) if file.stat().st_size else ""
            if yolo:
                if text.strip() and not is_yolo(text):
                    raise InputError("is no YOLO label file", file=file, remedy="Remove it from the labels.")
                found.scenes[name], warnings = parse_yolo(text, file=file)
                found.warnings += warnings
            else:
                single.append((name, parse_xml(text, file=file)))
            faults.good += 1
    faults.check()
    if single:
        _join(found, single)
    else:
        found.names = _class_names(folder)
    found.warnings = [*faults.warnings(), *found.warnings]
    return found


def _join(found: ParsedBoxes, single: list[tuple[str, ParsedBoxes]]) -> None:
    """Put the VOC files together, with one numbering of the classes."""
    import numpy as np

    found.names = tuple(sorted({name for _, given in single for name in given.names}))
    for name, given in single:
        (objects,) = given.scenes.values()
        place = np.array([found.names.index(n) for n in given.names], np.int64)
        found.scenes[name] = objects.replace(class_id=place[objects.class_id] if len(objects) else objects.class_id)
        found.warnings += given.warnings
        found.sizes.update((name, size) for size in given.sizes.values())


def _is_list(file: Path) -> bool:
    return file.name.lower() in _LISTS or file.name.lower().startswith(_ROBOFLOW)


def _class_names(folder: Path) -> tuple[str, ...]:
    place = next(
        (p for f in (folder, folder.parent) for n in ("classes.txt", "obj.names") if (p := f / n).is_file()), None
    )
    return () if place is None else tuple(read_lines(place))
