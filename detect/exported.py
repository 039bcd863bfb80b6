"""Detectors in ONNX and OpenVINO IR, whoever made them.

Known kinds (:mod:`packed_scenes.detect.heads`): ultralytics' YOLO, YOLOX, torchvision's and mmdetection's boxes with
labels, and SSD's rows. What the file does not say is said by a card, ``NAME.json`` beside it: ``names`` (a list),
``channels``, ``mean`` and ``scale`` (in units of 0…255), ``stride``, ``object_px`` (object size, square root of area in
input pixels, at which it is best) and ``confidence``.

There is no int8 file of ours: quantised by ONNX Runtime (static, per channel, all convolutions but the head's last),
AP50 on shelf_scenes stays within .003 and AP falls from .712 to .693 (OpenVINO) or .707 (ONNX Runtime), but a picture
takes 2.3 or 1.7 times the processor time of OpenVINO in float32 (medians of 13, interleaved). OpenVINO is 40 % faster
there than ONNX Runtime, and three times as fast as torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError
from packed_scenes.data.netfile import COPY_AGAIN, NetFile, Port, Run, compile_netfile, read_netfile
from packed_scenes.data.pixels import PLAIN_BGR, UNIT, Pixels, read_side_card
from packed_scenes.data.text import load_json
from packed_scenes.detect.class_names import COCO, NUMBERED, names_of
from packed_scenes.detect.heads import (
    Found,
    Head,
    Outputs,
    read_boxes_head,
    read_ssd,
    read_yolo,
    read_yolox,
    recognise,
)
from packed_scenes.detect.networks import Card

KEYS = ("names", "channels", "mean", "scale", "stride", "object_px", "confidence")
TRIAL = (640, 640)  # height and width of the picture that shows a network's outputs
OBJECT_PX = 100.0  # of networks trained on COCO, whose typical object is of this size in 640 px


def load_exported(
    path: Path, *, device: str = "cpu", backend: str = "openvino", class_names: tuple[str, ...] = ()
) -> ExportedNetwork:
    """Load a detector from a file.

    Args:
        path: ``.onnx`` or ``.xml``.
        device: ``cpu`` or ``cuda``, for ONNX Runtime.
        backend: ``openvino`` or ``onnxruntime``.
        class_names: names by number, before those of the file.

    Raises:
        InputError: if the file is no network, or its outputs are none of the known kinds.
    """
    net = read_netfile(path)
    about = _about(net) | read_side_card(path, KEYS)
    if class_names:
        about["names"] = class_names
    port, run = net.picture, compile_netfile(net, backend=backend, device=device)
    sides = _sides(port)
    ports, outputs = net.outputs, None
    if "stride" in about or all(p.shape and min(p.shape) > 0 for p in ports):
        outputs = recognise(ports, sides=sides or TRIAL)
    if outputs is None:  # shapes that only a run shows
        ports = _tried(net, run, sides or TRIAL)
        outputs = recognise(ports, sides=sides or TRIAL)
    if outputs is None:
        shown = ", ".join(f"{p.name} {list(p.shape)}" for p in ports[:6])
        raise InputError(
            f"no detector that is known (it gives {shown})", file=path,
            remedy="Known: ultralytics' YOLO, YOLOX, boxes with labels and scores, SSD.",
        )  # fmt: skip
    pixels = Pixels.of_card(about, default=PLAIN_BGR if outputs.head in (Head.YOLOX, Head.SSD) else UNIT, file=path)
    if outputs.head is Head.YOLOX and sides and backend == "openvino":
        run, sides = _freed(net, run, sides)
    names = _names(about.get("names"), outputs, file=path)
    card = Card(
        names, int(_number(about, "stride", 32, path)), _number(about, "object_px", _object_px(about), path),
        _number(about, "confidence", 0.25, path), net.sha256, backend, sides,
        len(port.shape) == 4 and port.shape[0] == 0 and outputs.head in (Head.YOLO, Head.YOLOX),
    )  # fmt: skip
    return ExportedNetwork(net, run, card, outputs, pixels)


def known_network(path: Path, card: Card, *, device: str = "cpu") -> ExportedNetwork:
    """The shipped detector, of which everything is known without reading the file."""
    outputs = Outputs(Head.YOLO, "output0", classes=len(card.names))
    net = NetFile(path, (Port("images", (0, 3, 0, 0), "float32"),), (Port("output0", (), "float32"),), {}, card.sha256)
    return ExportedNetwork(net, compile_netfile(net, backend=card.backend, device=device), card, outputs, UNIT)


class ExportedNetwork:
    """A detector of a file as a :class:`packed_scenes.detect.networks.Network`; made by :func:`load_exported`."""

    def __init__(self, net: NetFile, run: Run, card: Card, outputs: Outputs, pixels: Pixels) -> None:
        self.card, self._net, self._run, self._outputs, self._pixels = card, net, run, outputs, pixels
        shape = net.picture.shape
        self._last, self._alone = shape[-1] == 3 and shape[-3] != 3, len(shape) == 3
        self._decoded = outputs.head is Head.YOLOX and self._is_decoded()

    def __call__(self, images: npt.NDArray[np.uint8], floor: float) -> list[Found]:
        """See :class:`packed_scenes.detect.networks.Network`."""
        found: list[Found] = []
        head, sides = self._outputs.head, (images.shape[1], images.shape[2])
        for part in [images] if self.card.batch else np.split(images, len(images)):
            values = self._run(self._input_of(part))
            first = values[self._outputs.boxes]
            if head is Head.YOLO:
                found += read_yolo(first, floor, len(self.card.names))
            elif head is Head.YOLOX:
                found += read_yolox(first, floor, sides, decoded=self._decoded)
            elif head is Head.SSD:
                found.append(read_ssd(first, floor, sides))
            else:
                found.append(read_boxes_head(values, self._outputs, floor))
        return found

    def _input_of(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
        values = self._pixels.apply(images, last=self._last)
        return values[0] if self._alone else values

    def _is_decoded(self) -> bool:
        """Whether a YOLOX file decodes its boxes itself: then their centres span the picture, else a few cells."""
        height, width = self.card.fixed or TRIAL
        grey = np.full((1, height, width, 3), 114, np.uint8)
        return bool(np.ptp(self._run(self._input_of(grey))[self._outputs.boxes][0, :, 0]) > width / 2)


def _about(net: NetFile) -> dict[str, Any]:
    """The card inside an ONNX file: ultralytics' metadata, and ours."""
    found: dict[str, Any] = {}
    try:
        own = load_json(net.about.get("card", "{}"))
        if "stride" in net.about:
            found["stride"] = int(float(net.about["stride"]))
    except ValueError as error:
        raise InputError(
            f"the network's metadata cannot be read ({error})", file=net.path, remedy=COPY_AGAIN
        ) from error
    if isinstance(own, Mapping):
        found |= {key: own[key] for key in ("object_px", "confidence") if key in own}
        found["ours"] = bool(own)
    if "names" in net.about:
        found["names"] = names_of(net.about["names"], file=net.path)
    return found


def _object_px(about: Mapping[str, Any]) -> float:
    return Card.object_px if about.get("ours") else OBJECT_PX


def _number(about: Mapping[str, Any], key: str, usual: float, file: Path) -> float:
    value = about.get(key, usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e5:
        raise InputError(f"{key} must be a number above 0, got {value!r}", file=file, remedy="Correct the card.")
    return float(value)


def _sides(port: Port) -> tuple[int, int] | None:
    """(height, width) that an input is fixed to; None = free."""
    last = port.shape[-1] == 3 and port.shape[-3] != 3
    height, width = port.shape[-3:-1] if last else port.shape[-2:]
    return (height, width) if height and width else None


def _tried(net: NetFile, run: Run, sides: tuple[int, int]) -> tuple[Port, ...]:
    """The outputs with the shapes that one grey picture gives."""
    port = net.picture
    last = port.shape[-1] == 3 and port.shape[-3] != 3
    grey = np.full((*sides, 3) if last else (3, *sides), 0.5, np.float32)
    found = run(grey[None] if len(port.shape) == 4 else grey)
    return tuple(replace(p, shape=found[p.name].shape, kind=str(found[p.name].dtype)) for p in net.outputs)


def _freed(net: NetFile, run: Run, sides: tuple[int, int]) -> tuple[Run, tuple[int, int] | None]:
    """A convolutional YOLOX that its file fixes to one size, made to take any; as it is where that fails.

    Its survey and tiles are then those of the shipped network. It is used only if another size gives the right cells.
    """
    port = net.picture
    if len(port.shape) != 4 or port.shape[1] != 3:
        return run, sides
    try:
        free = compile_netfile(net, shape=(port.shape[0], 3, 0, 0))
        other = _tried(net, free, (256, 320))
        good = recognise(other, sides=(256, 320))
    except InputError:
        return run, sides
    return (free, None) if good is not None and good.head is Head.YOLOX else (run, sides)


def _names(value: Any, outputs: Outputs, *, file: Path) -> tuple[str, ...]:
    """Class names of a card or file, or the usual ones.

    Raises:
        InputError: if there are more or fewer names than classes.
    """
    count = outputs.classes
    if value is None:
        if count == len(COCO):
            return COCO
        return NUMBERED if not count else ("object",) if count == 1 else tuple(str(k) for k in range(count))
    names = names_of(value, file=file)
    if count and len(names) != count:
        raise InputError(
            f"it has {count} classes, and {len(names)} names are given", file=file,
            remedy="Give one name for each, in order (--class-names).",
        )  # fmt: skip
    return names
