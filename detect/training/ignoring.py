"""Regions from which nothing is learned: a loss that passes over what is seen where labels are incomplete.

Real label sets name the objects they were made for and leave others without a box; to learn that these are background
would unlearn them. An anchor whose centre lies in an ignored region and that is assigned to no box adds nothing to the
classification loss; boxes inside a region are learned as ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch


def anchor_weights(
    ignore: npt.NDArray[np.float32],
    picture: npt.NDArray[np.int64],
    *,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
) -> npt.NDArray[np.float32]:
    """Weight of each anchor as background: 0 where its centre lies in an ignored region, else 1.

    Args:
        ignore: (M, 4) xyxy in input pixels.
        picture: (M,) index of the picture in the batch.
        shape: (B, H, W, …) of the batch, H and W multiples of the strides.
        strides: of the network's maps, in their order.

    Returns:
        (B, anchors) float32; anchors map by map, row by row.
    """
    count, height, width = shape[:3]
    maps = []
    for stride in strides:
        weight = np.ones((count, height // stride, width // stride), np.float32)
        # the centre of cell i lies at (i + 0.5) * stride
        cells = np.ceil(ignore / stride - 0.5).astype(int).clip(0)
        for number, (x1, y1, x2, y2) in zip(picture.tolist(), cells.tolist(), strict=True):
            weight[number, y1:y2, x1:x2] = 0
        maps.append(weight.reshape(count, -1))
    return np.concatenate(maps, 1)


class Ignoring:
    """Makes an ultralytics detection model's loss pass over ignored regions; call :meth:`set` before each loss."""

    def __init__(self, model: torch.nn.Module) -> None:
        self._model: Any = model
        self._weights: torch.Tensor | None = None

    def set(self, ignore: npt.NDArray[np.float32], picture: npt.NDArray[np.int64], *, shape: tuple[int, ...]) -> None:
        """Name the regions of the next batch; see :func:`anchor_weights`."""
        import torch

        if getattr(self._model, "criterion", None) is None:
            self._model.criterion = self._model.init_criterion()
            self._model.criterion.bce = self._loss
        self._weights = None
        if len(ignore):
            strides = tuple(int(s) for s in self._model.stride)
            self._weights = torch.from_numpy(anchor_weights(ignore, picture, shape=shape, strides=strides))

    def _loss(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        import torch

        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
        if self._weights is None:
            return loss
        assigned = (target.amax(2, keepdim=True) > 0).to(loss.dtype)
        return loss * torch.maximum(assigned, self._weights.to(loss.device)[..., None])
