"""Boxes in XML: Pascal VOC (one picture a file) and CVAT ("CVAT for images 1.1", "CVAT for video 1.1").

CVAT's rotated boxes become the upright box around them, polygons, polylines and ellipses as well; points, skeletons and
masks are skipped and counted. Boxes of a track that are outside are no boxes; frames of a video are named by their
number. VOC counts pixels from 1 and its far corner is the last pixel; tools of today write either, so values are taken
as edges. Sources: https://docs.cvat.ai/docs/manual/advanced/xml_format/, http://host.robots.ox.ac.uk/pascal/VOC/
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from packed_scenes.data.checks import Size, build_objects, entry_name, finite, identifier, shorten
from packed_scenes.data.errors import InputError
from packed_scenes.data.faults import Faults
from packed_scenes.data.objects import Objects
from packed_scenes.data.parsed_boxes import ParsedBoxes, bounds_of_rotated

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_REMEDY = "Export as Pascal VOC or CVAT XML."
_DECLARED = re.compile(r"<\?xml[^>]*\?>")
_LONGEST = 100_000  # frames of a video that are kept although nothing is in them
_SHAPES = ("box", "polygon", "polyline", "ellipse")
_OTHER = ("points", "skeleton", "mask", "cuboid")


def is_xml(text: str) -> bool:
    """Tell whether text begins as XML does."""
    return text.lstrip()[:1] == "<"


def parse_xml(text: str, *, file: str | Path) -> ParsedBoxes:
    """Read boxes from VOC or CVAT XML by picture; the class is the label, in alphabetical order.

    Raises:
        InputError: if it is neither, or no box of it is good.
    """
    root = _root(text, file)
    faults = Faults(file)
    pictures: dict[str, _Picture] = {}
    if root.tag == "annotation":
        _voc(root, Path(file), pictures, faults)
    elif root.tag == "annotations":
        _cvat(root, file, pictures, faults)
    else:
        raise InputError(f"is no label file that is known (<{root.tag[:40]}>)", file=file, remedy=_REMEDY)
    names = tuple(sorted({label for p in pictures.values() for label in p.labels}))
    found = ParsedBoxes(names=names)
    for name, picture in pictures.items():
        found.scenes[name], more = picture.objects(file, names, faults)
        found.warnings += more
        if picture.size is not None:
            found.sizes[name] = picture.size
    faults.check()
    found.warnings = [*faults.warnings(), *found.warnings]
    others = Counter(e.tag for e in root.iter() if e.tag in _OTHER)
    found.warnings += [
        f"{file}: {n} shapes of the kind {k!r} are no boxes, they were left out" for k, n in others.items()
    ]
    return found


class _Picture:
    """The boxes of one picture as they come."""

    def __init__(self, size: Size | None = None) -> None:
        self.size = size
        self.boxes: list[list[float]] = []
        self.labels: list[str] = []
        self.ids: list[str] = []
        self.places: list[str] = []

    def add(self, box: list[float], label: str, where: str, *, key: str | None = None) -> None:
        self.boxes.append(box)
        self.labels.append(label)
        self.ids.append(str(len(self.ids)) if key is None else key)
        self.places.append(where)

    def objects(self, file: str | Path, names: tuple[str, ...], faults: Faults) -> tuple[Objects, list[str]]:
        return build_objects(
            self.boxes, file=file, where=lambda row: self.places[row], object_id=self.ids, size=self.size,
            class_id=np.array([names.index(label) for label in self.labels], np.int64), faults=faults,
        )  # fmt: skip


def _root(text: str, file: str | Path) -> Element:
    from xml.etree import ElementTree

    if "<!DOCTYPE" in text[:10_000] or "<!ENTITY" in text:  # entities can swell without bound or name other files
        raise InputError("declares XML entities, which labels never need", file=file, remedy=_REMEDY)
    try:
        text = _DECLARED.sub("", text.lstrip("\ufeff \t\r\n"), 1)  # it is decoded: what it says of its encoding is over
        return ElementTree.fromstring(text.encode("utf-8", "replace"))
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise InputError(f"is no valid XML ({error})", file=file, remedy=_REMEDY) from error


def _value(element: Element, name: str, where: str, file: str | Path) -> float:
    given = element.get(name)
    text = given if given is not None else element.findtext(name, "")
    value = finite(text.strip())
    if value is None:
        raise InputError(
            f"{where}: {name} must be a finite number, got {shorten(text)}", file=file, remedy="Correct it."
        )
    return value


def _size(element: Element) -> Size | None:
    found = [finite(element.get(k) or element.findtext(k, "") or "") for k in ("width", "height")]
    width, height = (0 if v is None else int(v) for v in found)
    return (width, height) if width > 0 and height > 0 else None


def _voc(root: Element, file: Path, pictures: dict[str, _Picture], faults: Faults) -> None:
    """The file's own name says which picture it is: tools leave ``filename`` as it was when a picture is renamed."""
    size = root.find("size")
    picture = pictures[file.stem] = _Picture(None if size is None else _size(size))
    for i, entry in enumerate(root.iter("object")):
        where = f"object {i}"
        with faults.entry(where):
            label = identifier((entry.findtext("name") or "object").strip(), file=file, where=where)
            picture.add(_voc_box(entry, where, file), label, where)


def _voc_box(entry: Element, where: str, file: Path) -> list[float]:
    box, turned = entry.find("bndbox"), entry.find("robndbox")
    if box is not None:
        return [_value(box, name, where, file) for name in ("xmin", "ymin", "xmax", "ymax")]
    if turned is None:
        raise InputError(f"{where}: has no bndbox", file=file, remedy="Correct this entry.")
    x, y, w, h, angle = (_value(turned, name, where, file) for name in ("cx", "cy", "w", "h", "angle"))
    return bounds_of_rotated(
        (x - w / 2, y - h / 2, x + w / 2, y + h / 2), float(np.rad2deg(angle))
    )  # roLabelImg: radians


def _cvat(root: Element, file: str | Path, pictures: dict[str, _Picture], faults: Faults) -> None:
    for i, image in enumerate(root.iter("image")):
        where = f"image {i}"
        with faults.entry(where):
            name = entry_name(image.get("name"), file=file, where=where)
            picture = pictures.setdefault(name, _Picture(_size(image)))
            _shapes(image, picture, where, file, faults)
    original = root.find("meta//original_size")
    size = None if original is None else _size(original)
    frames = finite(root.findtext("meta/task/size", "")) if root.find("track") is not None else None
    if frames and frames <= _LONGEST:  # a frame without a box is one that holds no object
        pictures.update({str(n): _Picture(size) for n in range(int(frames))})
    for track in root.iter("track"):
        for shape in track:
            where = f"track {track.get('id')}, frame {shape.get('frame')}"
            if shape.tag not in _SHAPES or shape.get("outside") == "1":
                continue
            with faults.entry(where):
                number = int(_value(shape, "frame", where, file))
                picture = pictures.setdefault(str(number), _Picture(size))
                picture.add(_box(shape, where, file), _label(track, file, where), where, key=str(track.get("id")))


def _shapes(image: Element, picture: _Picture, where: str, file: str | Path, faults: Faults) -> None:
    for j, shape in enumerate(s for s in image if s.tag in _SHAPES):
        at = f"{where}, {shape.tag} {j}"
        with faults.entry(at):
            picture.add(_box(shape, at, file), _label(shape, file, at), at)


def _label(element: Element, file: str | Path, where: str) -> str:
    return identifier(element.get("label") or "object", file=file, where=where)


def _box(shape: Any, where: str, file: str | Path) -> list[float]:
    """The upright box around a shape, in pixels."""
    turned = finite(shape.get("rotation") or "0") or 0.0
    if shape.tag == "box":
        box = [_value(shape, name, where, file) for name in ("xtl", "ytl", "xbr", "ybr")]
    elif shape.tag == "ellipse":
        x, y, a, b = (_value(shape, name, where, file) for name in ("cx", "cy", "rx", "ry"))
        angle = np.deg2rad(turned)
        across, down = np.hypot(a * np.cos(angle), b * np.sin(angle)), np.hypot(a * np.sin(angle), b * np.cos(angle))
        return [float(x - across), float(y - down), float(x + across), float(y + down)]
    else:
        points = [[finite(v) for v in pair.split(",")] for pair in (shape.get("points") or "").split(";")]
        xy = np.array([p for p in points if len(p) == 2 and None not in p], np.float64).reshape(-1, 2)
        if len(xy) < 2:
            raise InputError(f"{where}: has no points", file=file, remedy="Correct this entry.")
        return [*xy.min(axis=0).tolist(), *xy.max(axis=0).tolist()]
    return bounds_of_rotated(box, turned) if turned % 360 else box
