"""The shipped network: YOLO11's layers without global attention, built from ultralytics modules.

YOLO11-nano (Ultralytics 2024) with one change: the C2PSA block, attention over the whole coarsest map, is left out.
Its softmax runs over a number of cells that grows with the picture, so that a tile and the whole picture would be
judged differently; without it the network is a local operator that gives the same boxes in tiles and in one piece.

The file format is a dictionary that ``torch.load(weights_only=True)`` reads: nothing in it can run code.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from packed_scenes.data import InputError
from packed_scenes.data.files import atomic_write
from packed_scenes.data.torchfile import load_torch
from packed_scenes.detect.ultralytics_import import import_ultralytics

if TYPE_CHECKING:
    import torch

FORMAT = "packed-scenes-detector-1"
STRIDE = 32

LAYOUT: dict[str, Any] = {
    "backbone": [
        [-1, 1, "Conv", [64, 3, 2]],
        [-1, 1, "Conv", [128, 3, 2]],
        [-1, 2, "C3k2", [256, False, 0.25]],
        [-1, 1, "Conv", [256, 3, 2]],
        [-1, 2, "C3k2", [512, False, 0.25]],
        [-1, 1, "Conv", [512, 3, 2]],
        [-1, 2, "C3k2", [512, True]],
        [-1, 1, "Conv", [1024, 3, 2]],
        [-1, 2, "C3k2", [1024, True]],
        [-1, 1, "SPPF", [1024, 5]],
    ],
    "head": [
        [-1, 1, "nn.Upsample", [None, 2, "nearest"]],
        [[-1, 6], 1, "Concat", [1]],
        [-1, 2, "C3k2", [512, False]],
        [-1, 1, "nn.Upsample", [None, 2, "nearest"]],
        [[-1, 4], 1, "Concat", [1]],
        [-1, 2, "C3k2", [256, False]],
        [-1, 1, "Conv", [256, 3, 2]],
        [[-1, 12], 1, "Concat", [1]],
        [-1, 2, "C3k2", [512, False]],
        [-1, 1, "Conv", [512, 3, 2]],
        [[-1, 9], 1, "Concat", [1]],
        [-1, 2, "C3k2", [1024, True]],
        [[15, 18, 21], 1, "Detect", ["nc"]],
    ],
}
WIDTHS = {"n": (0.50, 0.25, 1024), "s": (0.50, 0.50, 1024)}


def build(*, classes: int = 1, width: str = "n") -> torch.nn.Module:
    """Build the network with fresh weights, in training mode.

    Args:
        classes: number of classes; 1 is class-agnostic.
        width: ``"n"`` (2.3 M parameters) or ``"s"`` (four times the arithmetic).

    Raises:
        InputError: if the width is unknown.
    """
    if width not in WIDTHS:
        raise InputError(f"width must be one of {', '.join(WIDTHS)}, got {width!r}")
    import_ultralytics()
    from ultralytics.cfg import get_cfg
    from ultralytics.nn.tasks import DetectionModel

    config = {"nc": classes, "depth_multiple": WIDTHS[width][0], "width_multiple": WIDTHS[width][1], **LAYOUT}
    model: torch.nn.Module = DetectionModel({k: _copy(v) for k, v in config.items()}, ch=3, nc=classes, verbose=False)
    model.args = get_cfg()
    return model.train()


def _copy(value: Any) -> Any:
    return [_copy(v) for v in value] if isinstance(value, list) else value


def save(path: str | Path, model: torch.nn.Module, *, width: str, names: list[str], card: dict[str, Any]) -> None:
    """Write weights as float16 with what is needed to build the network again."""
    import torch

    state = {k: v.half() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    content = {"format": FORMAT, "width": width, "names": names, "card": card, "state": state}
    with atomic_write(path) as temporary:
        torch.save(content, temporary)


def read(path: str | Path) -> dict[str, Any]:
    """Read a file written by :func:`save`.

    Raises:
        InputError: if it is missing or of another kind.
    """
    try:
        content = load_torch(path)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            "not weights of this project", file=path, remedy="Give a .pt file from train_detector.py."
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(
            "not detector weights of this project", file=path, remedy="Give a .pt file from train_detector.py."
        )
    return content


def restore(content: dict[str, Any], *, source: str | Path) -> torch.nn.Module:
    """Build the network of a file written by :func:`save`, float32, in evaluation mode, gradients off.

    Raises:
        InputError: if the weights do not fit the network.
    """
    try:
        model = build(classes=len(content["names"]), width=content["width"])
        model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in content["state"].items()})
    except (InputError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"the weights do not fit this version's network ({str(error)[:120]})", file=source, remedy="Train it again."
        ) from error
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model.eval()
