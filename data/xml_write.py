"""Boxes out as XML: Pascal VOC (one picture a file) and "CVAT for images 1.1" (all pictures in one)."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from packed_scenes.data.checks import Size
from packed_scenes.data.hidden import HIDDEN
from packed_scenes.data.objects import Objects


def format_voc(file_name: str, objects: Objects, labels: Sequence[str], *, size: Size) -> str:
    """Return Pascal VOC XML of one picture; corners in whole pixels are what its readers expect.

    Args:
        file_name: of the picture.
        objects: its boxes.
        labels: label per object.
        size: (width, height) in pixels.
    """
    root = Element("annotation")
    _texts(root, folder="JPEGImages", filename=file_name)
    _texts(SubElement(root, "size"), width=size[0], height=size[1], depth=3)
    _texts(root, segmented=0)
    for box, label in zip(objects.xyxy.round().astype(int).tolist(), labels, strict=True):
        entry = SubElement(root, "object")
        _texts(entry, name=label, pose="Unspecified", truncated=0, difficult=0)
        x1, y1, x2, y2 = box
        _texts(SubElement(entry, "bndbox"), xmin=x1, ymin=y1, xmax=max(x2, x1 + 1), ymax=max(y2, y1 + 1))
    return _text(root)


def format_cvat(pictures: Sequence[tuple[str, Objects, Sequence[str], Size]]) -> str:
    """Return "CVAT for images 1.1" XML of (file name, objects, label per object, (width, height)) of each picture."""
    root = Element("annotations")
    _texts(root, version="1.1")
    task = SubElement(SubElement(root, "meta"), "task")
    _texts(task, name="packed-scenes", size=len(pictures), mode="annotation")
    names = SubElement(task, "labels")
    for label in sorted({label for _, _, labels, _ in pictures for label in labels}):
        _texts(SubElement(names, "label"), name=label, attributes="")
    for number, (file_name, objects, labels, size) in enumerate(pictures):
        about = {"id": str(number), "name": HIDDEN.sub("_", file_name), "width": str(size[0]), "height": str(size[1])}
        image = SubElement(root, "image", about)
        for box, label in zip(objects.xyxy.tolist(), labels, strict=True):
            corners = dict(zip(("xtl", "ytl", "xbr", "ybr"), (f"{v:.2f}" for v in box), strict=True))
            SubElement(
                image,
                "box",
                {"label": HIDDEN.sub("_", label), "source": "auto", "occluded": "0", **corners, "z_order": "0"},
            )
    return _text(root)


def _texts(parent: Element, **values: object) -> None:
    for name, value in values.items():
        SubElement(parent, name).text = HIDDEN.sub("_", str(value))  # XML cannot hold most of them


def _text(root: Element) -> str:
    ElementTree.indent(root, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"
