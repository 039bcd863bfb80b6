"""What detectors give, read as boxes: the heads of YOLO, YOLOX, torchvision, mmdetection and SSD.

Every reader returns per picture the candidates with a score of at least ``floor``: xyxy (N, 4) input pixels, score
(N,), class id (N,).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError
from packed_scenes.data.netfile import Port

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float32]
Found = tuple[Float, Float, npt.NDArray[np.int64]]

YOLOX_STRIDES = (8, 16, 32)
END_TO_END = 6  # x1, y1, x2, y2, score, class
SSD_ROW = 7  # picture, class, score, x1, y1, x2, y2


class Head(StrEnum):
    """A kind of output."""

    YOLO = "yolo"  # (B, 4 + classes, A), or (B, N, 6) end to end
    YOLOX = "yolox"  # (B, A, 5 + classes)
    BOXES = "boxes"  # boxes, labels and scores of one picture
    SSD = "ssd"  # (1, 1, N, 7)


@dataclass(frozen=True)
class Outputs:
    """How a network's outputs are to be read.

    Attributes:
        head: their kind.
        boxes, labels, scores: names of the outputs; only ``boxes`` where there is one; no ``scores`` where they are the
            boxes' fifth column (mmdetection).
        classes: how many, 0 = unknown.
    """

    head: Head
    boxes: str
    labels: str = ""
    scores: str = ""
    classes: int = 0


def recognise(ports: Sequence[Port], *, sides: tuple[int, int]) -> Outputs | None:
    """Tell from names, shapes and types what a network gives; None if it is none of the known kinds.

    Args:
        ports: outputs with their true shapes.
        sides: (height, width) of the input that led to these shapes.
    """
    first = ports[0]
    if len(ports) == 1 and len(first.shape) == 4 and first.shape[-1] == SSD_ROW:
        return Outputs(Head.SSD, first.name)
    if len(first.shape) == 3 and not (len(ports) > 1 and first.shape[-1] in (4, 5)):
        _, rows, columns = first.shape
        if rows == sum(_cells(sides, YOLOX_STRIDES)) and columns > 5:
            return Outputs(Head.YOLOX, first.name, classes=columns - 5)
        if columns == END_TO_END:
            return Outputs(Head.YOLO, first.name)
        if rows > 4:
            return Outputs(Head.YOLO, first.name, classes=rows - 4)
        return None
    boxes = _pick(ports, ("box", "det"), lambda p: p.shape[-1:] in ((4,), (5,)) and p.kind.startswith("float"))
    labels = _pick(ports, ("label", "class"), lambda p: p.kind.startswith("int"))
    if boxes is None or labels is None:
        return None
    if boxes.shape[-1:] == (5,):
        return Outputs(Head.BOXES, boxes.name, labels.name)
    rest = [port for port in ports if port.name not in (boxes.name, labels.name)]
    scores = _pick(rest, ("score", "conf"), lambda p: len(p.shape) in (1, 2) and p.kind.startswith("float"))
    return None if scores is None else Outputs(Head.BOXES, boxes.name, labels.name, scores.name)


def _pick(ports: Sequence[Port], words: Sequence[str], fits: Any) -> Port | None:
    """The port whose name holds one of the words, else the only one that fits."""
    named = [port for port in ports if any(word in port.name.lower() for word in words) and fits(port)]
    fitting = [port for port in ports if fits(port)]
    return named[0] if named else fitting[0] if len(fitting) == 1 else None


def read_yolo(output: Array, floor: float, classes: int) -> list[Found]:
    """Read (B, 4 + classes, A) centre-size boxes and scores, or (B, N, 6) end-to-end rows of xyxy, score, class.

    Raises:
        InputError: if the shape is neither.
    """
    if output.ndim == 3 and output.shape[1] == 4 + classes:
        return [_kept(*_corners(picture.T, floor), floor) for picture in output]
    if output.ndim == 3 and output.shape[2] == END_TO_END:
        return [_kept(rows[:, :4], rows[:, 4], rows[:, 5], floor) for rows in output]
    raise InputError(
        f"network output must be (B, {4 + classes}, A) or (B, N, 6), got {output.shape}",
        remedy="Only YOLO detection heads are read.",
    )


def _corners(rows: Array, floor: float) -> tuple[Array, Array, Array]:
    """Corners, best score and its class of rows of centre, size and class scores."""
    rows = rows[rows[:, 4:].max(1) >= floor]
    half = rows[:, 2:4] / 2
    xyxy = np.concatenate([rows[:, :2] - half, rows[:, :2] + half], 1)
    return xyxy, rows[:, 4:].max(1).clip(0, 1), rows[:, 4:].argmax(1)


def read_yolox(output: Array, floor: float, sides: tuple[int, int], *, decoded: bool) -> list[Found]:
    """Read (B, A, 5 + classes): box, objectness and class scores, both after their sigmoid.

    Args:
        output: as given.
        floor: lowest score, objectness times class score.
        sides: (height, width) of the input.
        decoded: boxes are centre and size in pixels; else offsets from the cell in cells, and logarithms of the size in
            cells, as YOLOX' own export gives them (Ge et al. 2021, ``demo_postprocess``).
    """
    found = []
    grid, stride = yolox_grid(sides)
    for rows in output:
        score = rows[:, 4:5] * rows[:, 5:]
        keep = score.max(1, initial=0) >= floor
        centre, size = rows[keep, :2], rows[keep, 2:4]
        if not decoded:
            centre, size = (centre + grid[keep]) * stride[keep], np.exp(np.minimum(size, 20)) * stride[keep]
        found.append(_kept(*_corners(np.concatenate([centre, size, score[keep]], 1), floor), floor))
    return found


@lru_cache(maxsize=16)
def yolox_grid(sides: tuple[int, int]) -> tuple[Float, Float]:
    """(A, 2) column and row of every cell, and (A, 1) its side in pixels."""
    cells, strides = [], []
    for stride in YOLOX_STRIDES:
        y, x = np.mgrid[: sides[0] // stride, : sides[1] // stride]
        cells.append(np.stack([x.ravel(), y.ravel()], 1))
        strides.append(np.full((x.size, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)


def _cells(sides: tuple[int, int], strides: Sequence[int]) -> list[int]:
    return [(sides[0] // stride) * (sides[1] // stride) for stride in strides]


def read_boxes_head(found: Mapping[str, Array], outputs: Outputs, floor: float) -> Found:
    """Read boxes (N, 4) xyxy in input pixels, labels (N,) and scores (N,) of one picture, or boxes with the score as
    fifth column; a leading axis of one picture is fine.
    """
    boxes = np.asarray(found[outputs.boxes]).reshape(-1, found[outputs.boxes].shape[-1])
    score = np.asarray(found[outputs.scores]).ravel() if outputs.scores else boxes[:, 4]
    return _kept(boxes[:, :4], score, np.asarray(found[outputs.labels]).ravel(), floor)


def read_ssd(output: Array, floor: float, sides: tuple[int, int]) -> Found:
    """Read (1, 1, N, 7) rows of picture, class, score and xyxy as fractions of the input; rows end at picture -1."""
    rows = output.reshape(-1, SSD_ROW)
    ends = np.flatnonzero(rows[:, 0] < 0)
    rows = rows[: ends[0]] if len(ends) else rows
    height, width = sides
    return _kept(rows[:, 3:7] * [width, height, width, height], rows[:, 2], rows[:, 1], floor)


def _kept(xyxy: Array, score: Array, class_id: Array, floor: float) -> Found:
    keep = (score >= floor) & (xyxy[:, 2] > xyxy[:, 0]) & (xyxy[:, 3] > xyxy[:, 1]) & np.isfinite(xyxy).all(1)
    return xyxy[keep].astype(np.float32), score[keep].astype(np.float32), class_id[keep].astype(np.int64)
