"""Networks as one kind of function: a batch of pictures in, candidate boxes out, whichever library runs it.

Pre- and post-processing are ours and the same for all, so that torch, ONNX Runtime and OpenVINO agree (parity tests:
boxes within 0.1 px and scores within 0.001); ultralytics' own predict pipeline caps a picture at 300 objects and
ends its NMS without notice after a time limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from packed_scenes.data import Objects
from packed_scenes.data.pixels import UNIT
from packed_scenes.detect.heads import Found, read_yolo
from packed_scenes.detect.novelty import NoveltyRule

if TYPE_CHECKING:
    import torch


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
        novelty_rule: finds pictures outside the domain that it was trained on, where its card has one.
        general_above: novelty of a picture (a logit) from which the general network does better.
    """

    names: tuple[str, ...] = ("object",)
    stride: int = 32
    object_px: float = 80.0
    confidence: float = 0.25
    sha256: str = ""
    backend: str = "torch"
    fixed: tuple[int, int] | None = None
    batch: bool = True
    novelty_rule: NoveltyRule | None = None
    general_above: float = float("inf")

    def novelty_warning(self, objects: Objects, *, width: int, height: int) -> tuple[str, ...]:
        """One sentence if the picture is outside the domain that the network was trained on, else none."""
        if self.novelty_rule is None:
            return ()
        return self.novelty_rule.warn(objects, confidence=self.confidence, width=width, height=height)


class Network(Protocol):
    """A detector's network."""

    card: Card

    def __call__(self, images: npt.NDArray[np.uint8], floor: float) -> list[Found]:
        """Run on (B, H, W, 3) uint8 RGB, H and W multiples of the stride.

        Returns:
            Per picture, the candidates with a score of at least ``floor``: xyxy (N, 4) input pixels, score (N,),
                class id (N,).
        """


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

    def __call__(self, images: npt.NDArray[np.uint8], floor: float) -> list[Found]:
        """See :class:`Network`."""
        import torch

        with torch.inference_mode():
            batch = torch.from_numpy(images).to(self.device).permute(0, 3, 1, 2).float().div_(255)
            output = self.model(batch)
        output = output[0] if isinstance(output, tuple | list) else output
        return read_yolo(output.float().cpu().numpy(), floor, len(self.card.names))


class TorchvisionNetwork:
    """A torchvision detector (``torchvision.models.detection``), which brings its own box selection."""

    def __init__(self, model: torch.nn.Module, card: Card, *, device: str) -> None:
        self.model, self.card, self.device = model.to(device).eval(), card, device

    def __call__(self, images: npt.NDArray[np.uint8], floor: float) -> list[Found]:
        """See :class:`Network`."""
        import torch

        with torch.inference_mode():
            found: Sequence[dict[str, torch.Tensor]] = self.model(
                list(torch.from_numpy(UNIT.apply(images)).to(self.device))
            )
        result = []
        for item in found:
            box, score, label = (item[k].cpu().numpy() for k in ("boxes", "scores", "labels"))
            keep = (score >= floor) & (box[:, 2] > box[:, 0]) & (box[:, 3] > box[:, 1])
            result.append((box[keep].astype(np.float32), score[keep].astype(np.float32), label[keep].astype(np.int64)))
        return result
