"""The synthetic packed-scene generator: shelves, crowds and scattered things with exact visible boxes and identities.

``generate(seed)`` makes one scene, ``stream(seed)`` endless ones; ``sample_family`` draws goods by themselves.
"""

from typing import TYPE_CHECKING

from data.lazy import attach

if TYPE_CHECKING:
    from data.synth.goods import sample_family as sample_family
    from data.synth.scenes import Labelled as Labelled
    from data.synth.scenes import SceneStream as SceneStream
    from data.synth.scenes import generate as generate
    from data.synth.scenes import stream as stream
    from data.synth.sources import CropFolder as CropFolder
    from data.synth.sources import DrawnGoods as DrawnGoods
    from data.synth.sources import MixedGoods as MixedGoods
    from data.synth.spec import Layout as Layout
    from data.synth.spec import SceneSpec as SceneSpec

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
        "sample_family": "goods",
        "stream": "scenes",
    },
)
