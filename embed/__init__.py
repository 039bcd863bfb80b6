"""Crops to unit vectors: the small network, baselines, training, label audit and activation maps.

Nothing heavy is imported here; names load on first use.
"""

from typing import TYPE_CHECKING

from packed_scenes.data.lazy import attach

if TYPE_CHECKING:
    from packed_scenes.embed.embedder import Embedder as Embedder

__getattr__, __dir__, __all__ = attach(__name__, {"Embedder": "embedder"})
