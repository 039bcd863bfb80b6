"""Where the goods of scenes come from: drawn packages, folders of real crops, or a mixture of sources by weight."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from packed_scenes.data.errors import InputError
from packed_scenes.data.synth.goods.crops import CropGoods
from packed_scenes.data.synth.goods.families import sample_family
from packed_scenes.data.synth.pool import Renderable, Source


class DrawnGoods:
    """Drawn packages in brand families."""

    def family(self, rng: np.random.Generator, variants: int) -> Sequence[Renderable]:
        """Return one family of 1 … ``variants`` products; see :class:`packed_scenes.data.synth.pool.Source`."""
        count = int(rng.integers(1, variants + 1))
        return sample_family(rng).variants(count)


class CropFolder:
    """Real crops: each folder of pictures below ``root`` is one identity, neighbouring folders are a family.

    Args:
        root: the folder.
        soft: fade the corners of crops that show their surroundings.

    Raises:
        InputError: if there is no picture below ``root``.
    """

    def __init__(self, root: str | Path, *, soft: bool = False) -> None:
        self._goods = CropGoods(root, soft=soft)

    def family(self, rng: np.random.Generator, variants: int) -> Sequence[Renderable]:
        """Return up to three neighbouring folders; see :class:`packed_scenes.data.synth.pool.Source`."""
        return self._goods.sample_family(rng, int(rng.integers(1, min(3, variants) + 1))).variants(variants)


class MixedGoods:
    """Several sources; each family comes from one of them, by weight.

    Args:
        sources: (weight, source) pairs; weights >= 0, not all 0.

    Raises:
        InputError: if the weights are no such weights.
    """

    def __init__(self, sources: Sequence[tuple[float, Source]]) -> None:
        weights = np.array([weight for weight, _ in sources], float)
        if not len(weights) or weights.min() < 0 or weights.sum() <= 0:
            raise InputError(f"weights of goods must be >= 0 and not all 0, got {weights.tolist()}")
        self._sources = [source for _, source in sources]
        self._weights = weights / weights.sum()

    def family(self, rng: np.random.Generator, variants: int) -> Sequence[Renderable]:
        """Return one family of one source; see :class:`packed_scenes.data.synth.pool.Source`."""
        return self._sources[int(rng.choice(len(self._sources), p=self._weights))].family(rng, variants)
