"""Embedding networks as one kind of function, whichever library runs it: canvases in, unit vectors out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from packed_scenes.data.device import pick_device

if TYPE_CHECKING:
    from torch import Tensor

    from packed_scenes.embed.networks import Unit

# Crops per forward pass: 16 to 32 keep the activations in cache, a batch of 96 is 20 % slower (measured).
CHUNK = 32

Float = npt.NDArray[np.float32]
Canvases = npt.NDArray[np.uint8]


class Runner(Protocol):
    """A network that is ready to run.

    Attributes:
        device: ``cpu`` or ``cuda``.
        width, height: canvas in pixels.
        dimension: D of the vectors.
        keeps_length: whether rows of :meth:`describe` keep their length.
    """

    device: str
    width: int
    height: int
    dimension: int
    keeps_length: bool

    @property
    def network(self) -> Unit:
        """The torch network, for what looks inside it or exports it.

        Raises:
            InputError: if it is there as a file of another library only.
        """

    def __call__(self, canvases: Canvases) -> Float:
        """(N, height, width, 3) uint8 RGB -> (N, D) float32 unit rows, CHUNK at a time."""

    def describe(self, canvases: Canvases, *, batch: int = CHUNK) -> Float:
        """As a call, but rows keep their length where the network gives it a meaning (``Unit.keeps_length``)."""


@dataclass(frozen=True)
class Loaded:
    """What is loaded by a name or from a file.

    Attributes:
        runner: the network.
        card: JSON values (:class:`packed_scenes.embed.Embedder`).
        weights_hash: SHA-256 of the weights file, empty where there is none.
    """

    runner: Runner
    card: dict[str, Any]
    weights_hash: str = ""


class TorchRunner:
    """A :class:`Runner` on torch; batch norm is folded into the convolutions.

    Args:
        network: takes (B, 3, H, W) float RGB 0…255, returns (B, D) unit rows.
        device: ``auto`` (a GPU if there is one), ``cpu`` or ``cuda``.
    """

    def __init__(self, network: Unit, *, device: str = "auto") -> None:
        import torch

        from packed_scenes.embed.fuse import fuse

        self.device = pick_device(device)
        self.network: Unit = fuse(network.eval()).to(self.device)
        if self.device == "cpu":
            self.network = self.network.to(memory_format=torch.channels_last)
        self.width, self.height, self.dimension = network.width, network.height, network.dimension
        self.keeps_length = network.keeps_length

    def __call__(self, canvases: Canvases) -> Float:
        """See :class:`Runner`."""
        return self._run(self.network, canvases, CHUNK)

    def describe(self, canvases: Canvases, *, batch: int = CHUNK) -> Float:
        """See :class:`Runner`."""
        network = self.network
        if not network.keeps_length:
            return self._run(network, canvases, batch)
        return self._run(lambda pixels: network.features(network.scale(pixels)).float(), canvases, batch)

    def _run(self, function: Callable[[Tensor], Tensor], canvases: Canvases, batch: int) -> Float:
        import torch

        out = np.zeros((len(canvases), self.dimension), np.float32)
        with torch.inference_mode():
            for start in range(0, len(canvases), batch):
                pixels = torch.from_numpy(canvases[start : start + batch]).to(self.device).permute(0, 3, 1, 2).float()
                out[start : start + batch] = function(pixels).cpu().numpy()
        return out
