"""The two sample scenes that ship with the project, and how to make them again.

    uv run python -m packed_scenes.data.synth.samples assets/samples

They are made by the generator from the settings below; pixels may differ a little between versions of the libraries.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from packed_scenes.data.coco import write_coco
from packed_scenes.data.images import write_image
from packed_scenes.data.synth.export import labelled_scenes
from packed_scenes.data.synth.scenes import stream

_CALM: dict[str, Any] = {"photometry": 0.22, "oblique": 0.2, "clutter": 0.3, "disorder": 0.35, "jpeg": 0.0}
SAMPLES: dict[str, dict[str, Any]] = {
    "shelf": {"seed": 307, "size": (1200, 1600), "count": (120, 120), "families": 40, "surround": 0.5} | _CALM,
    "tray": {"seed": 31, "layout": "scatter", "size": (900, 1200), "count": (110, 110)} | _CALM,
}


def write_samples(folder: str | Path) -> None:
    """Write ``shelf.jpg``, ``tray.jpg`` and ``annotations.json`` (COCO, the category is the identity) into a folder."""
    folder = Path(folder)
    made = []
    for name, options in SAMPLES.items():
        labelled = stream(**options).labelled(0)
        write_image(folder / f"{name}.jpg", labelled.scene.image, quality=90)
        made.append((folder / f"{name}.jpg", name, labelled))
    write_coco(folder / "annotations.json", labelled_scenes(made))


if __name__ == "__main__":
    write_samples(sys.argv[1] if len(sys.argv) > 1 else "assets/samples")
