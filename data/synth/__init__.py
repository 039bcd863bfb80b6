"""The synthetic packed-scene generator: shelves, crowds and scattered things with exact visible boxes and identities.

``generate(seed)`` makes one scene, ``stream(seed)`` endless ones.
"""

from typing import TYPE_CHECKING

from data.lazy import attach

if TYPE_CHECKING:
    from data.synth.spec import Layout as Layout
    from data.synth.spec import SceneSpec as SceneSpec
    from data.synth.stream import SceneStream as SceneStream
    from data.synth.stream import generate as generate
    from data.synth.stream import stream as stream

__getattr__, __dir__, __all__ = attach(
    __name__,
    {"Layout": "spec", "SceneSpec": "spec", "SceneStream": "stream", "generate": "stream", "stream": "stream"},
)
