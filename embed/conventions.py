"""What widely used networks expect of their pixels, for files that come as ``NAME=FILE.onnx`` or ``NAME=FILE.xml``."""

from __future__ import annotations

from typing import Any

from packed_scenes.data.pixels import IMAGENET, Pixels

# Radford et al. 2021, the figures of the published preprocessor
CLIP = Pixels("rgb", (122.7709, 116.7460, 104.0937), (68.5005, 66.6322, 70.3232))

PEOPLE: dict[str, Any] = {
    "width": 128, "height": 256, "fit": "stretch", "domain": "people", "licence": "MIT", **IMAGENET.to_card(),
}  # fmt: skip
EXPORTS: dict[str, dict[str, Any]] = {
    "clip": {"fit": "letterbox", "domain": "anything, by what it means", "licence": "MIT", **CLIP.to_card()},
    "dinov2": {
        "fit": "letterbox", "pool": "first", "domain": "anything, by how it looks", "licence": "Apache-2.0",
        **IMAGENET.to_card(),
    },
    "imagenet": {"fit": "letterbox", "domain": "anything", **IMAGENET.to_card()},
}  # fmt: skip
