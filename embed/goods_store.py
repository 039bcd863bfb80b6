"""Render procedural families into crop stores, shard by shard, so that a training is never starved of identities."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from packed_scenes.embed.store import HEIGHT, StoreWriter


def render_shard(folder: str | Path, *, seed: int, families: int = 250, variants: int = 4, views: int = 2) -> Path:
    """Render one shard; a shard that is already there is kept.

    Family ``f`` of shard ``seed`` and its products get labels that are unique over all shards of one size.

    Args:
        folder: where the shard's own folder ``shard-<seed>`` goes.
        seed: number of the shard; fixes its content.
        families, variants, views: how many families, products of each, and poses of each product.

    Returns:
        The shard's folder.
    """
    from packed_scenes.data.synth.goods.families import sample_family

    target = Path(folder) / f"shard-{seed:05d}"
    if (target / "store.json").is_file():
        return target
    rng = np.random.default_rng([seed, 0x600D])
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    writer = StoreWriter(temporary)
    for index in range(families):
        family = seed * families + index
        for number, product in enumerate(sample_family(rng).variants(variants)):
            for _ in range(views):
                writer.add(product.render(HEIGHT, rng), label=family * variants + number, family=family)
    writer.close()
    temporary.rename(target)
    return target
