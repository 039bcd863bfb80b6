"""Scenes, objects and boxes: the types that every other package speaks, their readers and writers, and the generator.

Nothing heavy is imported here; names load on first use.
"""

from typing import TYPE_CHECKING

from data.lazy import attach

if TYPE_CHECKING:
    from data.boxes import BoxFile as BoxFile
    from data.boxes import read_boxes as read_boxes
    from data.boxes import write_boxes as write_boxes
    from data.coco import read_coco as read_coco
    from data.coco import write_coco as write_coco
    from data.errors import InputError as InputError
    from data.images import image_size as image_size
    from data.images import read_image as read_image
    from data.images import write_image as write_image
    from data.labelled import LabelledScene as LabelledScene
    from data.objects import NOISE as NOISE
    from data.objects import Objects as Objects
    from data.scene import Scene as Scene
    from data.yolo import read_yolo as read_yolo
    from data.yolo import write_yolo as write_yolo

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "BoxFile": "boxes",
        "InputError": "errors",
        "LabelledScene": "labelled",
        "NOISE": "objects",
        "Objects": "objects",
        "Scene": "scene",
        "image_size": "images",
        "read_boxes": "boxes",
        "read_coco": "coco",
        "read_image": "images",
        "read_yolo": "yolo",
        "write_boxes": "boxes",
        "write_coco": "coco",
        "write_image": "images",
        "write_yolo": "yolo",
    },
)
