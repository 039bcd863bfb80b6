"""Scenes, objects and boxes: the types that every other package uses, their readers and writers, and the generator.

Nothing heavy is imported here; names load on first use.
"""

from typing import TYPE_CHECKING

from packed_scenes.data.lazy import attach

if TYPE_CHECKING:
    from packed_scenes.data.boxes import BoxFile as BoxFile
    from packed_scenes.data.boxes import read_boxes as read_boxes
    from packed_scenes.data.boxes import write_boxes as write_boxes
    from packed_scenes.data.coco import read_coco as read_coco
    from packed_scenes.data.coco import write_coco as write_coco
    from packed_scenes.data.errors import InputError as InputError
    from packed_scenes.data.images import image_size as image_size
    from packed_scenes.data.images import read_image as read_image
    from packed_scenes.data.images import write_image as write_image
    from packed_scenes.data.labelled import LabelledScene as LabelledScene
    from packed_scenes.data.objects import NOISE as NOISE
    from packed_scenes.data.objects import Objects as Objects
    from packed_scenes.data.scene import Scene as Scene
    from packed_scenes.data.yolo import read_yolo as read_yolo
    from packed_scenes.data.yolo import write_yolo as write_yolo

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
