"""``Embedder``: crops -> unit vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError
from packed_scenes.data.device import pick_device
from packed_scenes.data.shipped import ASSETS
from packed_scenes.embed.crops import letterbox_boxes, letterbox_crops
from packed_scenes.embed.weights import load_card, load_tensors

if TYPE_CHECKING:
    from torch import Tensor

    from packed_scenes.embed.networks import Unit

SHIPPED = ASSETS / "embedder.safetensors"
# Crops per forward pass: 16 to 32 keep the activations in cache, a batch of 96 is 20 % slower (measured).
CHUNK = 32


class Embedder:
    """A network with its card and its way of cutting crops.

    Args:
        network: takes (B, 3, H, W) float RGB 0…255, returns (B, D) unit rows.
        card: JSON values; ``calibration`` holds the same/different thresholds, ``fit`` is ``letterbox`` or ``stretch``.
        device: ``auto`` (a GPU if there is one), ``cpu``, ``cuda``.
        weights_hash: SHA-256 of the weights file, empty where there is none.

    Attributes:
        network, card, weights_hash: as given.
        width, height: canvas in pixels.
        dimension: D.
    """

    def __init__(self, network: Unit, *, card: dict[str, Any], device: str = "auto", weights_hash: str = "") -> None:
        import torch

        from packed_scenes.embed.fuse import fuse

        self.device = pick_device(device)
        self.network = fuse(network.eval()).to(self.device)
        if self.device == "cpu":
            self.network = self.network.to(memory_format=torch.channels_last)
        self.card = card
        self.weights_hash = weights_hash
        self.width, self.height, self.dimension = network.width, network.height, network.dimension

    @classmethod
    def load(cls, name_or_path: str | Path | None = None, *, device: str = "auto") -> Embedder:
        """Load by name (``registry.names()``), by ``NAME=WEIGHTS`` or a ``.safetensors`` file; None = ``default``.

        Raises:
            InputError: unknown name, missing or damaged file, or pretrained weights that are not on this machine.
        """
        if name_or_path in (None, "default"):  # the registry would import torch, which it needs for others only
            return cls.from_file(SHIPPED, device=device)
        from packed_scenes.embed.registry import make

        text = str(name_or_path)
        if isinstance(name_or_path, Path) or ("=" not in text and ("/" in text or Path(text).suffix)):
            return cls.from_file(name_or_path, device=device)
        return make(text, device=device)

    @classmethod
    def from_file(cls, path: str | Path, *, device: str = "auto") -> Embedder:
        """Load a ``.safetensors`` file with its card; on a CPU our own architecture runs without torch.

        Raises:
            InputError: see :func:`packed_scenes.embed.weights.load_card`; also if the tensors do not fit the
                architecture.
        """
        card = load_card(path)
        if card["architecture"] == "layout" and pick_device(device) == "cpu":
            from packed_scenes.embed.compiled import CompiledEmbedder

            return CompiledEmbedder(path, card)
        return cls(load_network(path, card), card=card, device=device, weights_hash=card["sha256"])

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
        return self._run(self.network, canvases, CHUNK)

    def describe_canvases(self, canvases: npt.NDArray[np.uint8], *, batch: int = CHUNK) -> npt.NDArray[np.float32]:
        """Like :meth:`embed_canvases`, but rows keep their length where the network gives it a meaning.

        Networks that learned unit vectors give the same as :meth:`embed_canvases`; an autoencoder's latent and the
        features of classification networks come as they are (``Unit.keeps_length``).
        """
        network = self.network
        if not network.keeps_length:
            return self._run(network, canvases, batch)
        return self._run(lambda pixels: network.features(network.scale(pixels)).float(), canvases, batch)

    def _run(
        self, function: Callable[[Tensor], Tensor], canvases: npt.NDArray[np.uint8], batch: int
    ) -> npt.NDArray[np.float32]:
        import torch

        out = np.zeros((len(canvases), self.dimension), np.float32)
        with torch.inference_mode():
            for start in range(0, len(canvases), batch):
                pixels = torch.from_numpy(canvases[start : start + batch]).to(self.device).permute(0, 3, 1, 2).float()
                out[start : start + batch] = function(pixels).cpu().numpy()
        return out

    @property
    def cut(self) -> dict[str, Any]:
        """How crops become canvases: the arguments of :func:`packed_scenes.embed.crops.letterbox`."""
        return {"width": self.width, "height": self.height, "stretch": self.card.get("fit") == "stretch"}


def load_network(path: str | Path, card: dict[str, Any]) -> Unit:
    """Build the torch network of a card and fill it with the weights of its file, in evaluation mode.

    Raises:
        InputError: if the tensors do not fit the architecture.
    """
    from packed_scenes.embed.registry import architecture

    network: Unit = architecture(card)
    try:
        network.load_state_dict(load_tensors(path))
    except RuntimeError as error:
        raise InputError(f"the weights do not fit {card['architecture']!r}", file=path, remedy="Retrain it.") from error
    return network.eval()
