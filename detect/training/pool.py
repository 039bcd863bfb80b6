"""A pool of labelled pictures for training: JPEG bytes in memory or in shard files, drawn at random, decoded on demand.

A generated scene costs more than a training step on a crop of it, so scenes are made once, kept compressed (about 150
kB per megapixel) and each is drawn many times with another crop, scale and light. Memory: the compressed bytes of all
shards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError
from packed_scenes.data.damage import one_line_of
from packed_scenes.data.files import atomic_write
from packed_scenes.data.npz import read_npz

JPEG_QUALITY = 92


def no_boxes() -> npt.NDArray[np.float32]:
    """An empty (0, 4) float32 array."""
    return np.zeros((0, 4), np.float32)


@dataclass(frozen=True)
class Example:
    """One picture with its boxes.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        xyxy: (N, 4) float32 pixels, x2 and y2 exclusive.
        class_id: (N,) int64; all zero in class-agnostic training.
        ignore: (M, 4) float32 pixels: regions that may hold objects without a box; nothing is learned from what the
            network sees there beyond the boxes.
    """

    image: npt.NDArray[np.uint8]
    xyxy: npt.NDArray[np.float32]
    class_id: npt.NDArray[np.int64]
    ignore: npt.NDArray[np.float32] = field(default_factory=no_boxes)


@dataclass
class Pool:
    """Labelled pictures kept as JPEG bytes."""

    jpegs: list[bytes] = field(default_factory=list)
    boxes: list[npt.NDArray[np.float32]] = field(default_factory=list)
    classes: list[npt.NDArray[np.int64]] = field(default_factory=list)
    ignores: dict[int, npt.NDArray[np.float32]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.jpegs)

    def add(
        self,
        image: npt.NDArray[np.uint8],
        xyxy: npt.ArrayLike,
        class_id: npt.ArrayLike | None = None,
        *,
        ignore: npt.ArrayLike | None = None,
    ) -> None:
        """Compress and keep one picture (RGB), its boxes (N, 4), unless all are 0 their classes (N,), and its ignore
        regions (M, 4), which shard files do not keep.
        """
        if ignore is not None:
            self.ignores[len(self)] = np.array(ignore, np.float32).reshape(-1, 4)
        done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        if not done:
            raise InputError(f"cannot compress a picture of shape {image.shape}")
        self.jpegs.append(data.tobytes())
        self.boxes.append(np.array(xyxy, np.float32).reshape(-1, 4))
        self.classes.append(
            np.zeros(len(self.boxes[-1]), np.int64) if class_id is None else np.array(class_id, np.int64)
        )

    def __getitem__(self, index: int) -> Example:
        image = cv2.imdecode(np.frombuffer(self.jpegs[index], np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise InputError(
                f"picture {index} of the pool is damaged", remedy="Delete the pool folder; it is made again."
            )
        rgb = np.ascontiguousarray(image[..., ::-1], dtype=np.uint8)
        return Example(rgb, self.boxes[index], self.classes[index], self.ignores.get(index, no_boxes()))

    def draw(self, rng: np.random.Generator) -> Example:
        """One picture at random."""
        return self[int(rng.integers(len(self)))]

    def save(self, path: str | Path) -> None:
        """Write the pool as one shard file (npz), whole or not at all."""
        with atomic_write(path) as temporary:
            np.savez(
                temporary,
                bytes=np.frombuffer(b"".join(self.jpegs), np.uint8),
                lengths=np.array([len(j) for j in self.jpegs], np.int64),
                boxes=np.concatenate([*self.boxes, np.zeros((0, 4), np.float32)]),
                classes=np.concatenate([*self.classes, np.zeros(0, np.int64)]),
                counts=np.array([len(b) for b in self.boxes], np.int64),
            )

    def extend(self, path: str | Path) -> None:
        """Append the pictures of a shard file.

        Raises:
            InputError: if the file is no shard.
        """
        remedy = "Delete it; it is made again."
        with one_line_of(path, "not a shard of training pictures", remedy=remedy):
            shard = read_npz(path, ratio=1.0, remedy=remedy)  # as save writes it
            data = shard["bytes"].tobytes()
            ends = np.cumsum(shard["lengths"]).tolist()
            counts = np.cumsum(shard["counts"])[:-1]
            boxes = np.split(shard["boxes"], counts) if len(ends) else []
            classes = np.split(shard["classes"], counts) if len(ends) else []
        self.jpegs += [data[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
        self.boxes += list(boxes)
        self.classes += list(classes)


class Material(Protocol):
    """Where pictures come from, and how many it has."""

    def __len__(self) -> int: ...

    def draw(self, rng: np.random.Generator) -> Example:
        """Give one labelled picture, chosen by ``rng``."""
        ...


@dataclass(frozen=True)
class Mixture:
    """Several pools, each drawn with its share; empty ones are skipped."""

    parts: tuple[tuple[float, Material], ...]

    def __len__(self) -> int:
        return sum(len(pool) for _, pool in self.parts)

    def draw(self, rng: np.random.Generator) -> Example:
        """One picture at random."""
        parts = [(share, pool) for share, pool in self.parts if len(pool)]
        shares = np.array([share for share, _ in parts])
        return parts[int(rng.choice(len(parts), p=shares / shares.sum()))][1].draw(rng)


def fill(
    folder: str | Path, examples: Iterable[tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]], *, shard: int = 100
) -> Iterator[Path]:
    """Write examples (RGB image, (N, 4) xyxy) to numbered shards in a folder, after those already there; give each
    path.
    """
    pool, number = Pool(), len(list(Path(folder).glob("*.npz")))
    for image, xyxy in examples:
        pool.add(image, xyxy)
        if len(pool) == shard:
            path = Path(folder) / f"{number:04d}.npz"
            pool.save(path)
            yield path
            pool, number = Pool(), number + 1
    if len(pool):
        path = Path(folder) / f"{number:04d}.npz"
        pool.save(path)
        yield path
