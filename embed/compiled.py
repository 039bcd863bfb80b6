"""``CompiledRunner``: our network on a CPU without torch, an OpenVINO graph built from the weights file.

Importing torch takes 1.5 s of a command that works for half a second, and OpenVINO runs these layers in half of
torch's time. The graph is :class:`packed_scenes.embed.networks.LayoutNet` in evaluation mode with batch norm folded
into the convolutions, in float32; the parity test holds both together (vectors within 1e-4).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from packed_scenes.data import InputError
from packed_scenes.data.inference import compile_network, openvino
from packed_scenes.data.letterbox import GREY
from packed_scenes.data.tensors import read_tensors
from packed_scenes.embed.compiled_person import person_graph
from packed_scenes.embed.runners import CHUNK, Canvases, Float

if TYPE_CHECKING:
    from packed_scenes.embed.networks import Unit

DEFAULTS = {
    "layout": {"width": 96, "height": 144, "dimension": 128},
    "person": {"width": 64, "height": 128, "dimension": 192, "stripes": 8},
}  # options of the architectures that are compiled
EPSILON = 1e-5  # of torch's batch norm
MIN_NORM = 1e-12  # of torch's normalize


class CompiledRunner:
    """A :class:`packed_scenes.embed.runners.Runner` of the ``layout`` or ``person`` architecture on a CPU.

    Args:
        path: ``.safetensors`` file.
        card: its card, checked.

    Raises:
        InputError: if the weights do not fit the architecture.
    """

    keeps_length = False

    def __init__(self, path: str | Path, card: dict[str, Any]) -> None:
        self.device = "cpu"
        self._path, self._card = path, card
        tensors = read_tensors(path)
        try:
            options = DEFAULTS[card["architecture"]] | card.get("options", {})
            self.width, self.height, self.dimension = (int(options[k]) for k in ("width", "height", "dimension"))
            if len(tensors["head.bias"]) != self.dimension:
                raise InputError("another dimension")
            self._compiled = compile_tensors(card["architecture"], tensors, options)
        except (RuntimeError, ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"the weights do not fit {card['architecture']!r}", file=path, remedy="Retrain it."
            ) from error
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._path, self._card)

    @cached_property
    def network(self) -> Unit:
        """The same network in torch, for what looks inside it or exports it; loaded when it is first asked for."""
        from packed_scenes.embed.architectures import load_network
        from packed_scenes.embed.fuse import fuse

        return fuse(load_network(self._path, self._card))

    def __call__(self, canvases: Canvases) -> Float:
        """See :class:`packed_scenes.embed.runners.Runner`; safe in threads, one at a time."""
        out = np.zeros((len(canvases), self.dimension), np.float32)
        with self._lock:
            for start in range(0, len(canvases), CHUNK):
                out[start : start + CHUNK] = self._compiled(canvases[start : start + CHUNK])
        return out

    def describe(self, canvases: Canvases, *, batch: int = CHUNK) -> Float:
        """See :class:`packed_scenes.embed.runners.Runner`: these vectors have unit length by what it learned."""
        return self(canvases)


def compile_tensors(
    architecture: str, tensors: Mapping[str, Float], options: Mapping[str, Any]
) -> Callable[[Canvases], Float]:
    """Compile a network.

    Args:
        architecture: ``layout`` or ``person``.
        tensors: its state dict in float32.
        options: its options, see ``DEFAULTS``; the canvas is ``width`` x ``height`` pixels.

    Returns:
        A function of (N, height, width, 3) uint8 canvases, N at least 1, that gives (N, D) float32 unit rows. It is
        not to be called from two threads at once.

    Raises:
        InputError: if the tensors are not those of such a network.
    """
    width, height = int(options["width"]), int(options["height"])
    digest = hashlib.sha256(repr((width, height, options.get("stripes"))).encode())
    for name in sorted(tensors):
        digest.update(name.encode() + np.ascontiguousarray(tensors[name]).tobytes())

    def build() -> Any:
        if architecture == "person":
            return person_graph(tensors, width=width, height=height, stripes=int(options["stripes"]))
        return layout_graph(tensors, width, height)

    try:
        compiled = compile_network(build, key=f"{architecture} 1 {digest.hexdigest()}")
    except (KeyError, RuntimeError) as error:
        raise InputError(
            f"these are no weights of a {architecture} network ({str(error).splitlines()[0][:120]})"
        ) from error
    request = compiled.create_infer_request()

    def run(pixels: Canvases) -> Float:
        return np.array(request.infer([pixels])[compiled.output(0)], np.float32)

    return run


def layout_graph(tensors: Mapping[str, Float], width: int, height: int) -> Any:
    """Build the ``openvino.Model`` of a ``layout`` network, see :func:`compile_tensors`."""
    library = openvino()
    from openvino import opset13 as op

    canvases = op.parameter([-1, height, width, 3], library.Type.u8, name="canvases")
    x = op.convert(op.transpose(canvases, op.constant(np.array([0, 3, 1, 2]))), "f32")
    x = op.multiply(op.subtract(x, np.float32(GREY)), np.float32(1 / 64))
    x = _convolution(op, x, tensors, "stages.0", stride=2)
    for stage in (1, 2, 3):
        x = _convolution(op, x, tensors, f"stages.{stage}.0", stride=2)
        x = op.add(x, _convolution(op, x, tensors, f"stages.{stage}.1.body", stride=1))
    x = op.reshape(x, op.constant(np.array([0, -1])), special_zero=True)
    x = op.add(op.matmul(x, _constant(op, tensors["head.weight"]), False, True), _constant(op, tensors["head.bias"]))
    x = op.normalize_l2(x, op.constant(np.array([1])), MIN_NORM**2, "max")
    return library.Model([x], [canvases], "layout")


def _convolution(op: Any, x: Any, tensors: Mapping[str, Float], name: str, *, stride: int) -> Any:
    """ConvUnit in evaluation mode: convolution, batch norm folded in, ReLU."""
    weight = tensors[f"{name}.0.weight"]
    gain = tensors[f"{name}.1.weight"] / np.sqrt(tensors[f"{name}.1.running_var"] + np.float32(EPSILON))
    shift = tensors[f"{name}.1.bias"] - tensors[f"{name}.1.running_mean"] * gain
    pad = [weight.shape[2] // 2] * 2
    x = op.convolution(x, _constant(op, weight * gain[:, None, None, None]), [stride] * 2, pad, pad, [1, 1])
    return op.relu(op.add(x, _constant(op, shift.reshape(1, -1, 1, 1))))


def _constant(op: Any, values: Float) -> Any:
    return op.constant(np.ascontiguousarray(values, np.float32))
