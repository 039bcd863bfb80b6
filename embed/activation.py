"""Where a network looks: Grad-CAM over a crop, by the pytorch-grad-cam library.

For a classifier the target is a class score; for an embedder it is the cosine with another crop's vector (or a
cluster's mean), whose gradient says which places raise it. Needs a network with convolutions; for any embedder at
all, :mod:`packed_scenes.embed.similarity` covers patches instead. Sources: Selvaraju et al. 2017, "Grad-CAM",
arXiv:1610.02391; HiResCAM, which keeps the place of each gradient and so suits networks without pooling: Draelos and
Carin 2020, arXiv:2011.08891.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from packed_scenes.data import InputError
from packed_scenes.data.rgb import check_image
from packed_scenes.embed.embedder import Embedder

Map = npt.NDArray[np.float32]


def last_convolution(network: nn.Module) -> nn.Module:
    """The deepest convolution of a network.

    Raises:
        InputError: if it has none.
    """
    found = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    if not found:
        raise InputError("the network has no convolution to look at", remedy="Use maps by occlusion instead.")
    return found[-1]


def activation_map(
    embedder: Embedder,
    canvas: npt.NDArray[np.uint8],
    target: npt.NDArray[np.float32],
    *,
    layer: nn.Module | None = None,
) -> Map:
    """Which places of a crop raise its cosine with a target vector.

    Args:
        embedder: with convolutions in a torch network.
        canvas: (height, width, 3) uint8 of the network's size (:func:`packed_scenes.embed.similarity.canvases_of`).
        target: (D,) unit vector.
        layer: of ``embedder.network``; None = the last convolution.

    Returns:
        (height, width) float32 in [0, 1]; all 0 where nothing raises it.

    Raises:
        InputError: if there is no convolution, or the target has another length.
    """
    if target.shape != (embedder.dimension,):
        raise InputError(f"target must have shape ({embedder.dimension},), got {target.shape}")
    wanted = torch.from_numpy(np.asarray(target, np.float32))
    return _map(embedder.network, canvas, lambda output: (output * wanted.to(output.device)).sum(), layer)


def _map(network: nn.Module, canvas: npt.NDArray[np.uint8], score: Any, layer: nn.Module | None) -> Map:
    from pytorch_grad_cam import HiResCAM

    check_image(canvas, what="canvas")
    place = layer
    if place is None:
        network = copy.deepcopy(network)  # gradients are switched on in a copy
        place = last_convolution(network)
    network = network.eval().requires_grad_(True)
    device = next(network.parameters()).device
    pixels: Tensor = torch.from_numpy(canvas).to(device).permute(2, 0, 1)[None].float()
    with torch.enable_grad(), HiResCAM(model=network, target_layers=[place]) as cam:
        drawn = cam(input_tensor=pixels, targets=[score])[0]
    return np.asarray(drawn, np.float32)
