"""Networks as one kind of function: a batch of pictures in, candidate boxes out, whichever library runs it.

Pre- and post-processing are ours and the same for all, so that torch, ONNX Runtime and OpenVINO agree (parity tests:
boxes within 0.1 px and scores within 0.001); ultralytics' own predict pipeline caps a picture at 300 objects and
stops its NMS silently after a time limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError

if TYPE_CHECKING:
    import torch

Float = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Card:
    """What is known about a network.

    Attributes:
        names: class names by class id.
        stride: input sides are multiples of this.
        object_px: median object size (square root of area, input pixels) at which it is best.
        confidence: score that balances precision and recall.
        sha256: of the weights file; empty for a network that came as an object.
        backend: library that runs it.
        fixed: (height, width) where the file allows one input size only.
        batch: whether it takes more than one picture at a time.
    """

    names: tuple[str, ...] = ("object",)
    stride: int = 32
    object_px: float = 80.0
    confidence: float = 0.25
    sha256: str = ""
    backend: str = "torch"
    fixed: tuple[int, int] | None = None
    batch: bool = True


class Network(Protocol):
    """A detector's network."""

    card: Card

    def __call__(self, images: npt.NDArray[np.uint8], floor: float) -> list[tuple[Float, Float, npt.NDArray[np.int64]]]:
        """Run on (B, H, W, 3) uint8 RGB, H and W multiples of the stride.

        Returns:
            Per picture, the candidates with a score of at least ``floor``: xyxy (N, 4) input pixels, score (N,),
                class id (N,).
        """


def candidates(
    output: npt.NDArray[Any], floor: float, classes: int
) -> list[tuple[Float, Float, npt.NDArray[np.int64]]]:
    """Read a YOLO output: (B, 4 + classes, A) centre-size boxes and scores, or (B, N, 6) end-to-end rows of xyxy,
    score, class.

    Raises:
        InputError: if the shape is neither.
    """
    if output.ndim == 3 and output.shape[1] == 4 + classes:
        return [_decode(picture.T, floor) for picture in output]
    if output.ndim == 3 and output.shape[2] == 6:
        found = []
        for rows in output:
            rows = rows[(rows[:, 4] >= floor) & (rows[:, 2] > rows[:, 0]) & (rows[:, 3] > rows[:, 1])]
            found.append((rows[:, :4].astype(np.float32), rows[:, 4].astype(np.float32), rows[:, 5].astype(np.int64)))
        return found
    raise InputError(
        f"network output must be (B, {4 + classes}, A) or (B, N, 6), got {output.shape}",
        remedy="Only YOLO detection heads are read.",
    )


def _decode(rows: npt.NDArray[Any], floor: float) -> tuple[Float, Float, npt.NDArray[np.int64]]:
    score = rows[:, 4:].max(1)
    rows = rows[score >= floor]
    class_id = rows[:, 4:].argmax(1).astype(np.int64)
    half = rows[:, 2:4] / 2
    xyxy = np.concatenate([rows[:, :2] - half, rows[:, :2] + half], 1).astype(np.float32)
    solid = (half > 0).all(1)
    return xyxy[solid], rows[solid, 4:].max(1).astype(np.float32).clip(0, 1), class_id[solid]


def to_input(images: npt.NDArray[np.uint8]) -> Float:
    """(B, H, W, 3) uint8 -> (B, 3, H, W) float32 in [0, 1]."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32) / np.float32(255)


class TorchNetwork:
    """An ultralytics detection model run by torch.

    An end-to-end head (YOLO10, YOLO26) is switched to its one-to-many outputs where it has them: its own selection
    keeps 300 objects.
    """

    def __init__(self, model: torch.nn.Module, card: Card, *, device: str) -> None:
        import torch

        head: Any = model.model[-1]  # type: ignore[index]
        if getattr(head, "end2end", False) and getattr(head, "cv2", None) is not None:
            head.end2end = False
        self.model = model.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self.card, self.device = card, device

    def __call__(self, images: npt.NDArray[np.uint8], floor: float) -> list[tuple[Float, Float, npt.NDArray[np.int64]]]:
        """See :class:`Network`."""
        import torch

        with torch.inference_mode():
            batch = torch.from_numpy(images).to(self.device).permute(0, 3, 1, 2).float().div_(255)
            output = self.model(batch)
        output = output[0] if isinstance(output, tuple | list) else output
        return candidates(output.float().cpu().numpy(), floor, len(self.card.names))


class OnnxNetwork:
    """A YOLO in ONNX run by OpenVINO or ONNX Runtime in float32.

    Measured on one core at 640 px: OpenVINO 40 % faster than ONNX Runtime, three times as fast as torch.

    There is no int8 file: quantised by ONNX Runtime (static, per channel, all convolutions but the head's last), AP50
    on shelf_scenes stays within .003 and AP falls from .712 to .693 (OpenVINO) or .707 (ONNX Runtime), but a picture
    takes 2.3 or 1.7 times the processor time of OpenVINO in float32 (medians of 13, interleaved).
    """

    def __init__(self, path: Path, card: Card, *, device: str = "cpu") -> None:
        self.card = card
        self._run = _openvino(path) if card.backend == "openvino" else _onnxruntime(path, device)

    def __call__(self, images: npt.NDArray[np.uint8], floor: float) -> list[tuple[Float, Float, npt.NDArray[np.int64]]]:
        """See :class:`Network`."""
        parts = [images] if self.card.batch else np.split(images, len(images))
        return [found for part in parts for found in candidates(self._run(to_input(part)), floor, len(self.card.names))]


def _openvino(path: Path) -> Any:
    import openvino

    core = openvino.Core()
    try:
        # float32: on processors with bf16 units OpenVINO would lower the precision by itself
        compiled = core.compile_model(
            core.read_model(str(path)), "CPU", {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        )
    except RuntimeError as error:
        raise InputError(
            f"OpenVINO cannot read this network ({str(error).strip().splitlines()[-1][:150]})", file=path
        ) from error
    request = compiled.create_infer_request()

    def run(batch: Float) -> npt.NDArray[Any]:
        return np.array(request.infer([batch])[compiled.output(0)])

    return run


def _onnxruntime(path: Path, device: str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    wanted = ["CUDAExecutionProvider"] if device.startswith("cuda") else []
    providers = [p for p in [*wanted, "CPUExecutionProvider"] if p in onnxruntime.get_available_providers()]
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:
        raise InputError(f"ONNX Runtime cannot read this network ({str(error).strip()[:150]})", file=path) from error
    name = session.get_inputs()[0].name

    def run(batch: Float) -> npt.NDArray[Any]:
        return np.asarray(session.run(None, {name: batch})[0])

    return run


class TorchvisionNetwork:
    """A torchvision detector (``torchvision.models.detection``), which brings its own box selection."""

    def __init__(self, model: torch.nn.Module, card: Card, *, device: str) -> None:
        self.model, self.card, self.device = model.to(device).eval(), card, device

    def __call__(self, images: npt.NDArray[np.uint8], floor: float) -> list[tuple[Float, Float, npt.NDArray[np.int64]]]:
        """See :class:`Network`."""
        import torch

        with torch.inference_mode():
            found: Sequence[dict[str, torch.Tensor]] = self.model(
                list(torch.from_numpy(to_input(images)).to(self.device))
            )
        result = []
        for item in found:
            box, score, label = (item[k].cpu().numpy() for k in ("boxes", "scores", "labels"))
            keep = (score >= floor) & (box[:, 2] > box[:, 0]) & (box[:, 3] > box[:, 1])
            result.append((box[keep].astype(np.float32), score[keep].astype(np.float32), label[keep].astype(np.int64)))
        return result
