"""The ``person`` architecture on a CPU without torch: :class:`packed_scenes.embed.person_network.PersonNet` as an
OpenVINO graph, built from its tensors in float32 (vectors within 1e-4 of torch's, held by a test)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.inference import openvino

Float = npt.NDArray[np.float32]

# (expansion, channels, blocks, stride) of MobileNetV2, Sandler et al. (2018), arXiv:1801.04381, up to its thirteenth
# block: the later ones, and the earlier ones joined to it, tell real people apart less well
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1))
MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # ImageNet's, of 0…255
NORM_EPSILON = 1e-5  # of the standardised stripes


def person_graph(tensors: Mapping[str, Float], *, width: int, height: int, stripes: int) -> Any:
    """Build the ``openvino.Model`` of a ``person`` network: (N, height, width, 3) uint8 -> (N, D) float32 unit rows.

    Args:
        tensors: its state dict in float32.
        width, height: canvas size in pixels.
        stripes: rows of a person.

    Raises:
        KeyError, RuntimeError: if the tensors are not those of such a network.
    """
    library = openvino()
    from openvino import opset13 as op

    canvases = op.parameter([-1, height, width, 3], library.Type.u8, name="canvases")
    x = op.convert(op.transpose(canvases, op.constant(np.array([0, 3, 1, 2]))), "f32")
    mean, deviation = (np.array(v, np.float32).reshape(1, 3, 1, 1) for v in (MEAN, DEVIATION))
    x = op.divide(op.subtract(x, op.constant(mean)), op.constant(deviation))
    x = op.clamp(_convolution(op, x, tensors, "blocks.0", stride=2), 0.0, 6.0)
    number, inputs = 1, 32
    for expansion, outputs, count, stride in STAGES:
        for index in range(count):
            step = stride if index == 0 else 1
            x = _block(op, x, tensors, f"blocks.{number}", step, expansion > 1, step == 1 and inputs == outputs)
            inputs = outputs
            number += 1
    x = _stripes(op, x, tensors["across"], inputs, stripes)
    x = op.matmul(x, op.constant(np.ascontiguousarray(tensors["head.weight"])), False, True)
    x = op.add(x, op.constant(tensors["head.bias"]))
    x = op.normalize_l2(x, op.constant(np.array([1])), 1e-24, "max")
    return library.Model([x], [canvases], "person")


def _block(op: Any, x: Any, tensors: Mapping[str, Float], name: str, stride: int, widen: bool, residual: bool) -> Any:
    """Inverted residual: widen, filter by channel, narrow."""
    y = op.clamp(_convolution(op, x, tensors, f"{name}.widen"), 0.0, 6.0) if widen else x
    weight = tensors[f"{name}.filter.weight"]
    y = op.group_convolution(y, op.constant(weight[:, None]), [stride] * 2, [1, 1], [1, 1], [1, 1])
    y = op.clamp(op.add(y, op.constant(tensors[f"{name}.filter.bias"].reshape(1, -1, 1, 1))), 0.0, 6.0)
    y = _convolution(op, y, tensors, f"{name}.narrow")
    return op.add(x, y) if residual else y


def _convolution(op: Any, x: Any, tensors: Mapping[str, Float], name: str, *, stride: int = 1) -> Any:
    weight = tensors[f"{name}.weight"]
    pad = [weight.shape[2] // 2] * 2
    x = op.convolution(x, op.constant(weight), [stride] * 2, pad, pad, [1, 1])
    return op.add(x, op.constant(tensors[f"{name}.bias"].reshape(1, -1, 1, 1)))


def _stripes(op: Any, x: Any, across: Float, channels: int, stripes: int) -> Any:
    """Weighted mean across the body, mean within each stripe, standardised per crop: (N, channels * stripes)."""
    weight = np.exp(across - across.max())
    row = op.multiply(x, op.constant((weight / weight.sum()).reshape(1, 1, 1, -1)))
    row = op.reduce_sum(row, op.constant(np.array([3])))
    row = op.reshape(row, op.constant(np.array([0, channels, stripes, -1])), special_zero=True)
    row = op.reshape(op.reduce_mean(row, op.constant(np.array([3]))), op.constant(np.array([0, -1])), special_zero=True)
    return op.mvn(row, op.constant(np.array([1])), True, NORM_EPSILON, "inside_sqrt")
