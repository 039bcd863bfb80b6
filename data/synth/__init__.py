"""The synthetic packed-scene generator: shelves, crowds and scattered things with exact visible boxes and identities.

``generate(seed)`` makes one scene, ``stream(seed)`` endless ones; ``sample_family`` draws goods by themselves.
"""

from typing import TYPE_CHECKING

from packed_scenes.data.lazy import attach

if TYPE_CHECKING:
    from packed_scenes.data.synth.goods.families import sample_family as sample_family
    from packed_scenes.data.synth.scenes import Labelled as Labelled
    from packed_scenes.data.synth.scenes import SceneStream as SceneStream
    from packed_scenes.data.synth.scenes import generate as generate
    from packed_scenes.data.synth.scenes import stream as stream
    from packed_scenes.data.synth.sources import CropFolder as CropFolder
    from packed_scenes.data.synth.sources import DrawnGoods as DrawnGoods
    from packed_scenes.data.synth.sources import MixedGoods as MixedGoods
    from packed_scenes.data.synth.spec import Layout as Layout
    from packed_scenes.data.synth.spec import SceneSpec as SceneSpec

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "CropFolder": "sources",
        "DrawnGoods": "sources",
        "Labelled": "scenes",
        "Layout": "spec",
        "MixedGoods": "sources",
        "SceneSpec": "spec",
        "SceneStream": "scenes",
        "generate": "scenes",
        "sample_family": "goods.families",
        "stream": "scenes",
    },
)
