"""Embedders that others made: any network in ONNX or OpenVINO IR that turns one picture into one vector.

What the file does not say is said by a card, ``NAME.json`` beside ``NAME.onnx`` or ``NAME.xml``, with any of these
keys: ``width`` and ``height`` (where the file takes any size), ``channels`` (``rgb`` or ``bgr``), ``mean`` and
``scale`` (one number or three, in units of 0…255), ``fit`` (``letterbox`` or ``stretch``), ``output`` (which one),
``pool`` (``first`` or ``mean``, for outputs of tokens or maps), ``calibration`` (``{"threshold": …}``, the cosine
distance at which the same ends), and ``name``, ``domain``, ``licence``, ``source`` for people. What is not given is
assumed, and listed under ``assumed`` on the embedder's card.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from packed_scenes.data import InputError
from packed_scenes.data.arrays import unit_rows
from packed_scenes.data.device import pick_device
from packed_scenes.data.extras import installed
from packed_scenes.data.netbounds import LimitError
from packed_scenes.data.netfile import COPY_AGAIN, NetFile, Run, compile_netfile, read_netfile
from packed_scenes.data.pixels import CORRECT, IMAGENET, PLAIN_BGR, Pixels, check_keys, read_side_card
from packed_scenes.data.text import load_json
from packed_scenes.embed.runners import CHUNK, Canvases, Float, Loaded
from packed_scenes.embed.weights import SIDES

KEYS = (
    "name", "domain", "licence", "source", "width", "height", "channels", "mean", "scale", "fit", "output", "pool",
    "calibration",
)  # fmt: skip
SIDE = 224  # px, canvas where neither the file nor a card has a size
TALL = 1.5  # height over width from which a network is taken for one of people, who are stretched
DIMENSIONS = (2, 65536)
MIN_NORM = 1e-12  # of torch's normalize


def load_exported(path: str | Path, *, device: str = "auto", about: Mapping[str, Any] | None = None) -> Loaded:
    """Load an embedder from an ONNX or OpenVINO file.

    Args:
        path: ``.onnx`` or ``.xml``.
        device: a GPU is used for ONNX only, by ONNX Runtime; else OpenVINO runs the network.
        about: a card of what is known of this kind of network; the file's own card goes before it.

    Raises:
        InputError: if the file is no network from one picture to one vector, or a card says what cannot be.
    """
    net = read_netfile(path)
    usual = dict(about or {})
    for key, side in zip(("height", "width"), picture_sides(net.picture.shape), strict=True):
        if side:  # the file knows better
            usual.pop(key, None)
    card = {**usual, **metadata_card(net), **read_side_card(path, KEYS)}
    card, pixels = complete(net, card)
    runner = ExportedRunner(net, card, pixels, device=pick_device(device))
    decides = [
        net.sha256,
        runner.width,
        runner.height,
        card["fit"],
        pixels.to_card(),
        runner.output,
        card.get("pool"),
    ]
    digest = hashlib.sha256(json.dumps(decides).encode()).hexdigest()
    return Loaded(runner, card, digest)


def metadata_card(net: NetFile) -> dict[str, Any]:
    """The card inside an ONNX file (metadata ``card``, as our own export writes it); empty if there is none."""
    try:
        card = load_json(net.about.get("card", "{}"))
    except ValueError as error:
        raise InputError("its metadata 'card' is no JSON", file=net.path, remedy=COPY_AGAIN) from error
    if not isinstance(card, dict):
        raise InputError("its metadata 'card' is no JSON object", file=net.path, remedy=COPY_AGAIN)
    return check_keys(card, KEYS, file=net.path)


def complete(net: NetFile, card: Mapping[str, Any]) -> tuple[dict[str, Any], Pixels]:
    """Fill a card with what the file says, then with what is usual; what is usual is listed under ``assumed``.

    Raises:
        InputError: if the card contradicts the file, or a value cannot be.
    """
    port, file = net.picture, net.path
    tall, wide = picture_sides(port.shape)
    full: dict[str, Any] = {"architecture": file.suffix[1:], "name": file.stem, **card}
    assumed = []
    for key, side in (("width", wide), ("height", tall)):
        wanted = full.get(key, side or SIDE)
        if not isinstance(wanted, int) or not SIDES[0] <= wanted <= SIDES[1]:
            raise InputError(f"{key} must be {SIDES[0]} to {SIDES[1]} px, got {wanted!r}", file=file, remedy=CORRECT)
        if side and wanted != side:
            raise InputError(f"its card says {key} {wanted}, its input has {side}", file=file, remedy=f"Write {side}.")
        full[key] = wanted
        assumed += [] if side or key in card else [f"{key} {wanted}"]
    if full.setdefault("fit", "stretch" if full["height"] >= TALL * full["width"] else "letterbox") not in (
        "letterbox", "stretch",
    ):  # fmt: skip
        raise InputError(f'fit must be "letterbox" or "stretch", got {full["fit"]!r}', file=file, remedy=CORRECT)
    if full.get("pool") not in (None, "first", "mean"):
        raise InputError(f'pool must be "first" or "mean", got {full["pool"]!r}', file=file, remedy=CORRECT)
    # OpenVINO's converter puts mean, scale and the turn of the channels into the network, which then takes BGR bytes
    inside = any(net.about.get(key, "") not in ("", "None", "False", "{}", "()") for key in CONVERTED)
    pixels = Pixels.of_card(full, default=PLAIN_BGR if inside else IMAGENET, file=file)
    if not inside:
        assumed += [f"{key} {value}" for key, value in pixels.to_card().items() if key not in card]
    return full | pixels.to_card() | {"assumed": assumed}, pixels


CONVERTED = ("mean_values", "scale_values", "reverse_input_channels")


def channels_last(shape: tuple[int, ...]) -> bool:
    """Whether an input's shape ends with the channels."""
    return shape[-1] == 3 and shape[-3] != 3


def picture_sides(shape: tuple[int, ...]) -> tuple[int, int]:
    """(height, width) of an input's shape, 0 = any."""
    tall, wide = shape[-3:-1] if channels_last(shape) else shape[-2:]
    return tall, wide


class ExportedRunner:
    """A network file as a :class:`packed_scenes.embed.runners.Runner`; it is tried once when it is made.

    A file with a free batch that fails on two crops is run one by one; one with a fixed batch gets batches of its size.

    Args:
        net: of :func:`packed_scenes.data.netfile.read_netfile`.
        card: complete.
        pixels: what it takes.
        device: ``cpu`` or ``cuda``.

    Raises:
        InputError: if it does not give one vector of finite numbers for each crop.
    """

    keeps_length = False

    def __init__(self, net: NetFile, card: Mapping[str, Any], pixels: Pixels, *, device: str) -> None:
        self._net, self._pixels, self._pool = net, pixels, card.get("pool")
        self.width, self.height = int(card["width"]), int(card["height"])
        self._last = channels_last(net.picture.shape)
        if len(net.picture.shape) != 4:
            raise InputError(
                f"the input must have 4 axes, got {list(net.picture.shape)}", file=net.path, remedy=COPY_AGAIN
            )
        self.device, self._run = _compile(net, device)
        self.output = self._choose(card.get("output"))
        trial = np.random.default_rng(0).integers(0, 256, (2, self.height, self.width, 3), np.uint8)
        self._batch = net.picture.shape[0]  # 0 = any
        try:
            rows = self._rows(trial)
        except InputError:
            if self._batch:
                raise
            self._batch = 1
            rows = self._rows(trial)
        self.dimension = rows.shape[1]
        if not np.isfinite(rows).all():
            raise InputError("it gives values that are no numbers for a test crop", file=net.path, remedy=COPY_AGAIN)

    def __call__(self, canvases: Canvases) -> Float:
        """See :class:`packed_scenes.embed.runners.Runner`."""
        parts = [self._rows(canvases[start : start + CHUNK]) for start in range(0, len(canvases), CHUNK)]
        return np.concatenate([np.zeros((0, self.dimension), np.float32), *parts])

    def describe(self, canvases: Canvases, *, batch: int = CHUNK) -> Float:
        """See :class:`packed_scenes.embed.runners.Runner`: unit rows, since the meaning of the length is unknown."""
        return self(canvases)

    @property
    def network(self) -> Any:
        """Raises InputError: there are no torch layers."""
        raise InputError(
            "the layers of an exported network cannot be looked into", file=self._net.path,
            remedy="Take default, reference or a .safetensors file of ours.",
        )  # fmt: skip

    def _rows(self, canvases: Canvases) -> Float:
        """Unit rows of a few canvases, by as many runs as the file's batch size asks for."""
        size = self._batch or len(canvases)
        parts = []
        for start in range(0, len(canvases), size):
            batch = canvases[start : start + size]
            given = len(batch)
            if given < size:
                batch = np.concatenate([batch, np.repeat(batch[-1:], size - given, axis=0)])
            found = self._run(self._pixels.apply(batch, last=self._last))[self.output]
            parts.append(self._vectors(np.asarray(found, np.float32), len(batch))[:given])
        return unit_rows(np.concatenate(parts), min_norm=MIN_NORM)

    def _vectors(self, found: Float, count: int) -> Float:
        """One vector per crop out of whatever the output's shape is."""
        if found.ndim > 2 and self._pool == "mean":
            found = found.mean(axis=1) if found.ndim == 3 else found.mean(axis=tuple(range(2, found.ndim)))
        elif found.ndim == 3 and self._pool == "first":
            found = found[:, 0]
        elif found.ndim > 2 and found.size == found.shape[0] * max(found.shape[1:]):
            found = found.reshape(found.shape[0], -1)  # (B, D, 1, 1)
        if found.ndim != 2 or len(found) != count or not DIMENSIONS[0] <= found.shape[1] <= DIMENSIONS[1]:
            raise InputError(
                f"output {self.output!r} must be one vector per crop, got {list(found.shape)} for {count}",
                file=self._net.path, remedy='Tokens and maps need "pool" in its card; see docs/networks.md.',
            )  # fmt: skip
        return found

    def _choose(self, wanted: str | None) -> str:
        """The output that holds the vectors: the named one, the only one, or the only one of two axes."""
        ports = self._net.outputs
        names = [port.name for port in ports]
        if wanted is not None and wanted not in names:
            raise InputError(
                f"it has no output {wanted!r}", file=self._net.path, remedy=f"There are: {', '.join(names)}."
            )
        flat = [port.name for port in ports if len(port.shape) == 2]
        if wanted is None and len(names) > 1 and len(flat) != 1:
            shown = ", ".join(f"{port.name} {list(port.shape)}" for port in ports[:6])
            raise InputError(
                f"it has {len(names)} outputs: {shown}", file=self._net.path, remedy='Name "output" in its card.'
            )
        return wanted or (names[0] if len(names) == 1 else flat[0])


def _compile(net: NetFile, device: str) -> tuple[str, Run]:
    """Where the network runs, and the function: OpenVINO on a CPU, ONNX Runtime on a GPU or where OpenVINO gives up."""
    if net.path.suffix == ".onnx":
        if device != "cpu":
            return device, compile_netfile(net, backend="onnxruntime", device=device)
        try:
            if installed("openvino"):
                return "cpu", compile_netfile(net)
        except LimitError:
            raise
        except InputError:
            if not installed("onnxruntime"):
                raise
        return "cpu", compile_netfile(net, backend="onnxruntime")
    return "cpu", compile_netfile(net)
