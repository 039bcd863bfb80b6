"""What a user wants to know about an embedder before taking it."""

from __future__ import annotations

from dataclasses import dataclass

from packed_scenes.embed.conventions import EXPORTS
from packed_scenes.embed.registry import OSNET, PRETRAINED

OURS = "AGPL-3.0-or-later"
DOWNLOAD, EXPORT = "a download: docs/networks.md", "an export: docs/networks.md"


@dataclass(frozen=True)
class About:
    """About one name.

    Attributes:
        domain: what it can tell apart.
        dimension: length of its vectors; 0 = the file decides.
        licence: of the weights.
        megabytes: of the weights; 0 = none, or the file decides.
        needs: what must be there first; empty = nothing, it ships.
    """

    domain: str
    dimension: int
    licence: str
    megabytes: float = 0.0
    needs: str = ""


ABOUT: dict[str, About] = {
    "default": About("goods, vehicles", 128, OURS, 3.3),
    "person": About("people", 192, OURS, 1.4),
    "reference": About("goods, as the method's author did it", 32, OURS, 0.1),
    "colour": About("colour layout, no training", 2304, OURS),
    "shape": About("outlines and proportions, no training", 1773, OURS),
    "autoencoder": About("one collection", 32, "yours", 0, "training: describe --train-autoencoder"),
    "osnet": About("people", 512, "MIT", 0, DOWNLOAD),
    **{name: About("people", 512, "MIT", size, DOWNLOAD) for name, size in OSNET.items()},
    **{
        name: About("ImageNet's classes", dimension, "BSD-3-Clause", size, "a download: torchvision fetches it")
        for name, (dimension, size) in PRETRAINED.items()
    },
    **{name: About(card["domain"], 0, card.get("licence", "its own"), 0, EXPORT) for name, card in EXPORTS.items()},
}
