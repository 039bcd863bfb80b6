"""``Embedder``: crops -> unit vectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.embed.crops import letterbox_boxes, letterbox_crops
from packed_scenes.embed.load import load_embedder, load_file
from packed_scenes.embed.runners import CHUNK, Loaded, Runner

if TYPE_CHECKING:
    from packed_scenes.embed.networks import Unit


class Embedder:
    """A network with its card and its way of cutting crops.

    Args:
        runner: the network, as :class:`packed_scenes.embed.runners.TorchRunner` makes one of a torch network.
        card: JSON values; ``calibration`` holds the same/different thresholds, ``fit`` is ``letterbox`` or ``stretch``.
        weights_hash: SHA-256 of the weights file, empty where there is none.

    Attributes:
        runner, card, weights_hash: as given.
        width, height: canvas in pixels.
        dimension: D.
    """

    def __init__(self, runner: Runner, *, card: dict[str, Any], weights_hash: str = "") -> None:
        self.runner = runner
        self.card = card
        self.weights_hash = weights_hash
        self.width, self.height, self.dimension = runner.width, runner.height, runner.dimension

    @classmethod
    def load(cls, name_or_path: str | Path | None = None, *, device: str = "auto") -> Embedder:
        """Load by name (``registry.names()``), by ``NAME=WEIGHTS`` or a file; None = ``default``.

        Raises:
            InputError: unknown name, missing or damaged file, or pretrained weights that are not on this machine.
        """
        return cls._of(load_embedder(name_or_path, device=device))

    @classmethod
    def from_file(cls, path: str | Path, *, device: str = "auto") -> Embedder:
        """Load a file of ours or of others; see :func:`packed_scenes.embed.load.load_file`."""
        return cls._of(load_file(path, device=device))

    @classmethod
    def _of(cls, loaded: Loaded) -> Embedder:
        return cls(loaded.runner, card=loaded.card, weights_hash=loaded.weights_hash)

    @property
    def device(self) -> str:
        """Where the network runs: ``cpu`` or ``cuda``."""
        return self.runner.device

    @property
    def network(self) -> Unit:
        """The torch network, for what looks inside it or exports it; it may be loaded only now."""
        return self.runner.network

    def embed(self, image: npt.NDArray[np.uint8], xyxy: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Embed boxes of one picture.

        Args:
            image: (H, W, 3) uint8 RGB.
            xyxy: (N, 4) pixels, origin top-left, x2 and y2 exclusive; clipped to the picture.

        Returns:
            (N, D) float32 unit rows. Memory: at most 32 crops are cut and embedded at a time.

        Raises:
            InputError: if the picture or the boxes are malformed, or a box lies wholly outside.
        """
        boxes = np.asarray(xyxy, np.float64).reshape(-1, 4) if np.size(xyxy) == 0 else np.asarray(xyxy, np.float64)
        cut = self.cut
        parts = [
            self.embed_canvases(letterbox_boxes(image, boxes[i : i + CHUNK], **cut))
            for i in range(0, len(boxes), CHUNK)
        ]
        return np.concatenate([np.zeros((0, self.dimension), np.float32), *parts])

    def embed_crops(self, crops: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        """Embed ready-made (h, w, 3) uint8 RGB crops of any sizes; returns (N, D) float32 unit rows."""
        cut = self.cut
        parts = [self.embed_canvases(letterbox_crops(crops[i : i + CHUNK], **cut)) for i in range(0, len(crops), CHUNK)]
        return np.concatenate([np.zeros((0, self.dimension), np.float32), *parts])

    def embed_canvases(self, canvases: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Embed (N, height, width, 3) uint8 canvases of the network's own size, 32 at a time."""
        return self.runner(canvases)

    def describe_canvases(self, canvases: npt.NDArray[np.uint8], *, batch: int = CHUNK) -> npt.NDArray[np.float32]:
        """Like :meth:`embed_canvases`, but rows keep their length where the network gives it a meaning.

        Networks that learned unit vectors give the same as :meth:`embed_canvases`; an autoencoder's latent and the
        features of classification networks come as they are (``Unit.keeps_length``).
        """
        return self.runner.describe(canvases, batch=batch)

    @property
    def cut(self) -> dict[str, Any]:
        """How crops become canvases: the arguments of :func:`packed_scenes.embed.crops.letterbox`."""
        return {"width": self.width, "height": self.height, "stretch": self.card.get("fit") == "stretch"}
