"""Scenes, objects and boxes: the types that every other package speaks, their readers and writers, and the generator.

Nothing heavy is imported here; names load on first use.
"""

from typing import TYPE_CHECKING

from data.lazy import attach

if TYPE_CHECKING:
    from data.errors import InputError as InputError
    from data.images import read_image as read_image
    from data.objects import NOISE as NOISE
    from data.objects import Objects as Objects
    from data.scene import Scene as Scene

__getattr__, __dir__, __all__ = attach(
    __name__,
    {"InputError": "errors", "NOISE": "objects", "Objects": "objects", "Scene": "scene", "read_image": "images"},
)
