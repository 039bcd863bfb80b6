"""``Detector``: a picture in, ``Objects`` out; input size and tiles chosen from the picture, nothing truncated in
silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError, Objects
from packed_scenes.data.resize import shrink
from packed_scenes.detect.load import Backend, load_network
from packed_scenes.detect.nested import rescore
from packed_scenes.detect.networks import Network
from packed_scenes.detect.nms import best_first, nms, nms_mean
from packed_scenes.detect.scale import FALLBACK, LOOKS, SPECK, Look, choose, look
from packed_scenes.detect.tiles import Candidates, layout, merge

Image = npt.NDArray[np.uint8]

IOU = 0.6  # NMS threshold
VOTE = 0.1  # score from which a candidate has a say in where a better one lies, whatever the confidence
PAD = 114  # grey of the padding, as in training
TILE = 1024  # px, side of automatic tiles
WHOLE = 1600  # px, up to this long side a picture is run in one piece (about 400 MB)
LARGEST = 16_000  # px, long side of the input
ENLARGE = 2.0  # largest enlargement of a picture by the automatic choice
STEP = 32  # px, the long side is chosen in these steps
AGAIN = 1.5  # if the objects found differ by this factor from the estimate, the size is chosen once more


@dataclass(frozen=True)
class DetectionInfo:
    """What one call of the detector did.

    Attributes:
        input_size: (width, height) of the resized picture in input pixels.
        scale: input pixels per picture pixel.
        object_px: median object size (square root of area) in picture pixels that the choice is based on; None if the
            size was given.
        tiles: number of tiles, 1 = in one piece.
        tile_size: side of a tile in input pixels, None = in one piece.
        confidence: score threshold.
        candidates: boxes above the threshold before the tiles were joined.
        backend: library that ran the network.
        sha256: of the weights.
        warnings: sentences for the user.
    """

    input_size: tuple[int, int]
    scale: float
    object_px: float | None
    tiles: int
    tile_size: int | None
    confidence: float
    candidates: int
    backend: str
    sha256: str
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Detector:
    """Finds objects in pictures; make one with :meth:`load`.

    Attributes:
        network: the loaded network.
        confidence: score threshold.
        classes: class ids to keep, None = all.
        image_size: ``"auto"``, or the long side of the input in pixels.
        tile: ``"auto"``, 0 for never, or the tile's side in input pixels.
        max_objects: cap per picture; a warning says when it is reached.
    """

    network: Network
    confidence: float
    classes: tuple[int, ...] | None = None
    image_size: int | str = "auto"
    tile: int | str = "auto"
    max_objects: int = 3000

    @classmethod
    def load(
        cls,
        weights: str | Path | None = None,
        *,
        device: str = "auto",
        backend: str | Backend = Backend.AUTO,
        classes: Sequence[str | int] | None = None,
        confidence: float | None = None,
        image_size: int | str = "auto",
        tile: int | str = "auto",
        max_objects: int = 3000,
        trust: bool = False,
    ) -> Self:
        """Load a detector; see :func:`packed_scenes.detect.load.load_network` for what ``weights``, ``device``,
        ``backend`` and ``trust`` take.

        Args:
            classes: names or ids to keep.
            confidence: score threshold in [0, 1]; by default the one that balances precision and recall for these
                weights.

        Raises:
            InputError: if an option is out of range, a class is unknown or the weights cannot be loaded.
        """
        if confidence is not None and not 0 <= confidence <= 1:
            raise InputError(f"confidence must lie in [0, 1], got {confidence}")
        for name, value, least in (("image_size", image_size, 32), ("tile", tile, 0)):
            if value != "auto" and (
                isinstance(value, str) or not least <= value <= LARGEST or (name == "tile" and 0 < value < 128)
            ):
                raise InputError(f'{name} must be "auto" or pixels up to {LARGEST}, got {value!r}')
        if max_objects < 1:
            raise InputError(f"max_objects must be at least 1, got {max_objects}")
        network = load_network(weights, device=device, backend=backend, trust=trust)
        wanted = None if not classes else tuple(_class_id(c, network.card.names) for c in classes)
        threshold = network.card.confidence if confidence is None else confidence
        return cls(network, threshold, wanted, image_size, tile, max_objects)

    @property
    def weights_hash(self) -> str:
        """SHA-256 of the weights file."""
        return self.network.card.sha256

    def detect(self, image: Image) -> Objects:
        """Find the objects of an RGB picture (H, W, 3) uint8; best first, ids "0", "1", …

        Raises:
            InputError: if the picture has another shape or type.
        """
        return self.detect_with_info(image)[0]

    def detect_with_info(self, image: Image) -> tuple[Objects, DetectionInfo]:
        """Find the objects, and say what size and tiles were chosen."""
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
            raise InputError(f"image must be uint8 (H, W, 3), got {image.dtype} {image.shape}")
        object_px, found, info = None, None, None
        if self.network.card.fixed is not None:
            found, info = self._pass(image, self._fixed_scale(image), None)
        elif self.image_size != "auto":
            found, info = self._pass(image, int(self.image_size) / max(image.shape[:2]), None)
        else:
            object_px = self._look(image)
            found, info = self._pass(image, self._scale(image, object_px), object_px)
            seen = look(found.xyxy, found.score, info.scale)
            if object_px and seen.weight and not 1 / AGAIN < seen.object_px / object_px < AGAIN:
                found, info = self._pass(image, self._scale(image, seen.object_px), seen.object_px)
        return self._objects(found, image), self._warn(info, found)

    def _look(self, image: Image) -> float | None:
        long_side = int(max(image.shape[:2]))
        sizes = [s for s in LOOKS if s < 1.5 * long_side] or [LOOKS[0]]
        looks = [self._look_at(image, size / long_side) for size in sizes]
        object_px = choose(looks, best_px=self.network.card.object_px)
        # Thousands of objects are specks in every look, and what is guessed from specks costs a pass at a wrong size.
        closer = 2 * sizes[-1]
        if object_px and object_px * sizes[-1] < SPECK * long_side and closer < 1.5 * long_side:
            looks.append(self._look_at(image, closer / long_side))
            object_px = choose(looks, best_px=self.network.card.object_px)
        return object_px

    def _look_at(self, image: Image, scale: float) -> Look:
        found, info = self._pass(image, scale, None, in_pieces=False)
        return look(found.xyxy, found.score, info.scale)

    def _scale(self, image: Image, object_px: float | None) -> float:
        long_side = int(max(image.shape[:2]))
        if not object_px:
            return min(FALLBACK / long_side, ENLARGE)
        wanted = long_side * min(self.network.card.object_px / object_px, ENLARGE)
        # whole steps: a last digit of the estimate, which differs between libraries, must not change the picture
        return float(np.clip(round(wanted / STEP) * STEP, 5 * STEP, LARGEST)) / long_side

    def _fixed_scale(self, image: Image) -> float:
        height, width = self.network.card.fixed or (0, 0)
        return float(min(height / image.shape[0], width / image.shape[1]))

    def _pass(
        self, image: Image, scale: float, object_px: float | None, *, in_pieces: bool = True
    ) -> tuple[Candidates, DetectionInfo]:
        """Detect at one scale; boxes come back in picture pixels."""
        height, width = (max(1, round(v * scale)) for v in image.shape[:2])
        filter_ = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        if (height, width) == image.shape[:2]:
            resized = image
        elif scale < 1 and not in_pieces:  # a look: half the time, and what it finds is only counted and measured
            resized = shrink(image, width=width, height=height)
        else:
            resized = cv2.resize(image, (width, height), interpolation=filter_)
        side = self._tile_side(width, height) if in_pieces else 0
        best = self.network.card.object_px
        tiles = (
            layout(width, height, side, int(min(side // 3, 2.5 * best))) if side else np.array([[0, 0, width, height]])
        )
        parts = [self._run(resized[y1:y2, x1:x2], number, x1, y1) for number, (x1, y1, x2, y2) in enumerate(tiles)]
        found = Candidates.concat(parts)
        count = len(found)
        found = merge(found, tiles, width=width, height=height, iou=IOU)
        ratio = np.array([image.shape[1] / width, image.shape[0] / height] * 2, np.float32)
        found = Candidates(found.xyxy * ratio, found.score, found.class_id, found.tile)
        card = self.network.card
        return found, DetectionInfo(
            (width, height),
            scale,
            object_px,
            len(tiles),
            side or None,
            self.confidence,
            count,
            card.backend,
            card.sha256,
        )

    def _tile_side(self, width: int, height: int) -> int:
        if self.network.card.fixed is not None or self.tile == 0:
            return 0
        if self.tile == "auto":
            return TILE if max(width, height) > WHOLE else 0
        return int(self.tile) if max(width, height) > int(self.tile) else 0

    def _run(self, piece: Image, number: int, x: int, y: int) -> Candidates:
        """Run the network on one piece, padded to the stride; NMS inside; boxes in resized-picture pixels."""
        stride = self.network.card.stride
        height, width = piece.shape[:2]
        tall, wide = self.network.card.fixed or (-(-height // stride) * stride, -(-width // stride) * stride)
        padded = np.full((1, tall, wide, 3), PAD, np.uint8)
        padded[0, :height, :width] = piece
        xyxy, score, class_id = self.network(padded, min(self.confidence, VOTE))[0]
        if self.classes is not None:
            wanted = np.isin(class_id, self.classes)
            xyxy, score, class_id = xyxy[wanted], score[wanted], class_id[wanted]
        xyxy = np.minimum(xyxy.clip(0), np.array([width, height] * 2, np.float32))
        solid = ((xyxy[:, 2:] - xyxy[:, :2]) >= 1).all(1)
        xyxy, score, class_id = xyxy[solid], score[solid], class_id[solid]
        kept, means = nms_mean(xyxy, score, iou=IOU, limit=self.max_objects + 1, least=self.confidence)
        offset = np.array([x, y, x, y], np.float32)
        return Candidates(means + offset, score[kept], class_id[kept], np.full(len(kept), number, np.int64))

    def _objects(self, found: Candidates, image: Image) -> Objects:
        kept = found.select(nms(found.xyxy, found.score, iou=IOU, limit=self.max_objects))
        score = rescore(kept.xyxy, kept.score)
        order = best_first(kept.xyxy, score)
        order = order[score[order] >= self.confidence]
        height, width = image.shape[:2]
        xyxy = np.minimum(kept.xyxy, np.array([width, height] * 2, np.float32))
        return Objects.from_boxes(xyxy[order], score=score[order], class_id=kept.class_id[order])

    def _warn(self, info: DetectionInfo, found: Candidates) -> DetectionInfo:
        warnings = []
        if len(found) > self.max_objects:
            warnings.append(
                f"more than {self.max_objects} objects: those with the highest scores were kept (raise max_objects)"
            )
        if self.image_size == "auto" and info.object_px is None and self.network.card.fixed is None:
            warnings.append("too little was seen to estimate the object size: a default input size was used")
        return DetectionInfo(
            **{**{k: getattr(info, k) for k in info.__dataclass_fields__}, "warnings": tuple(warnings)}
        )


def _class_id(wanted: str | int, names: tuple[str, ...]) -> int:
    text = str(wanted)
    if text in names:
        return names.index(text)
    if text.isdigit() and int(text) < len(names):
        return int(text)
    shown = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
    raise InputError(f"no class {text!r} in these weights", remedy=f"Known: {shown}.")
