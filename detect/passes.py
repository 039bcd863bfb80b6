"""A network run over parts of one picture at the scales that are asked for, in tiles where they are large.

Memory: one piece of at most :data:`WHOLE_PX` a side (about 400 MB in the network), and the outputs of the survey.
"""

from __future__ import annotations

import numpy as np

from packed_scenes.detect.heads import Found
from packed_scenes.detect.info import DetectionInfo
from packed_scenes.detect.networks import Network
from packed_scenes.detect.nms import nms_mean
from packed_scenes.detect.pyramid import Pyramid, Rectangle, is_flat, padded, scaled
from packed_scenes.detect.scale import SIZE_SCORE, SizeEstimate, estimate_size
from packed_scenes.detect.tiles import EDGE, Candidates, layout, merge

IOU = 0.6  # NMS threshold
LOW_SCORE = 0.03  # score down to which detections are kept, see DetectionInfo.low_score_objects
VOTE_SCORE = 0.1  # score from which a candidate votes on the place of a better one, independent of the confidence
TILE = 1024  # px, side of automatic tiles
WHOLE_PX = 1600  # px, up to this long side a picture is run in one piece


class Passes:
    """The passes of a network over one picture. Outputs of the survey are kept: detecting in the same part at the same
    scale afterwards runs nothing.

    Args:
        pyramid: the picture.
        network: what is run.
        confidence: score threshold of the boxes that are counted; boxes are given down to :data:`LOW_SCORE`.
        classes: class ids to keep, None = all.
        tile: ``"auto"``, 0 for never, or the tile's side in input pixels.
    """

    def __init__(
        self, pyramid: Pyramid, network: Network, *, confidence: float, classes: tuple[int, ...] | None, tile: int | str
    ) -> None:
        self.pyramid = pyramid
        self._network, self._confidence, self._classes, self._tile = network, confidence, classes, tile
        self._outputs: dict[tuple[Rectangle, float], tuple[Found, Rectangle]] = {}

    def estimate(self, part: Rectangle, scale: float) -> SizeEstimate:
        """Run a part in one piece; the size of its objects, from boxes of at least ``SIZE_SCORE``."""
        self._outputs[part, scale] = output, shown = self._run(part, scale)
        found = self._joined(
            [self._candidates(output, scaled(part, scale), shown, 0, min_score=SIZE_SCORE)], [shown], scale
        )
        return estimate_size(found.xyxy, found.score, scale, area=(part[2] - part[0]) * (part[3] - part[1]))

    def scales(self, part: Rectangle) -> list[float]:
        """The scales (input pixels per picture pixel) at which a part has been run for an estimate."""
        return [scale for run, scale in self._outputs if run == part]

    def detect(self, part: Rectangle, scale: float) -> tuple[Candidates, DetectionInfo]:
        """Detect in a part of the picture at one scale; boxes come back in picture pixels."""
        width, height = scaled(part, scale)
        side = self._tile_side(width, height)
        card, tiles = self._network.card, [part]
        if side:
            span = int(part[2] - part[0]), int(part[3] - part[1])
            overlap = int(min(side // 3, 2.5 * card.object_px) / scale)
            low = np.array([part[0], part[1]] * 2)
            tiles = [tuple(t) for t in (layout(*span, int(side / scale), overlap) + low).tolist()]
        found, exact = list[Candidates](), list[Rectangle]()
        for number, tile in enumerate(tiles):
            output, shown = self._outputs.get((tile, scale)) or self._run(tile, scale, skip_flat=len(tiles) > 1)
            exact.append(shown)
            min_score = min(self._confidence, LOW_SCORE)
            found.append(self._candidates(output, scaled(tile, scale), shown, number, min_score=min_score))
        confident = sum(int((one.score >= self._confidence).sum()) for one in found)
        return self._joined(found, exact, scale), DetectionInfo(
            (width, height),
            scale,
            None,
            len(tiles),
            side or None,
            self._confidence,
            confident,
            card.backend,
            card.sha256,
        )

    def _joined(self, found: list[Candidates], shown: list[Rectangle], scale: float) -> Candidates:
        width, height = self.pyramid.width, self.pyramid.height
        pieces = np.array(shown)
        return merge(Candidates.concat(found), pieces, width=width, height=height, iou_threshold=IOU, edge=EDGE / scale)

    def _run(self, tile: Rectangle, scale: float, *, skip_flat: bool = False) -> tuple[Found, Rectangle]:
        """What the network finds in a piece, in input pixels, and the rectangle that the piece shows exactly."""
        width, height = scaled(tile, scale)
        piece, shown = self.pyramid.part(tile, width=width, height=height)
        if skip_flat and is_flat(piece):
            return (np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64)), shown
        card = self._network.card
        return self._network(padded(piece, card.stride, card.fixed), min(self._confidence, LOW_SCORE))[0], shown

    def _tile_side(self, width: int, height: int) -> int:
        if self._network.card.fixed is not None or self._tile == 0:
            return 0
        side, longest = (TILE, WHOLE_PX) if self._tile == "auto" else (int(self._tile), int(self._tile))
        return side if max(width, height) > longest else 0

    def _candidates(
        self, output: Found, size: tuple[int, int], shown: Rectangle, number: int, *, min_score: float
    ) -> Candidates:
        """Keep the wanted classes of what the network found in a piece of a (width, height); NMS; picture pixels."""
        xyxy, score, class_id = output
        width, height = size
        if self._classes is not None:
            wanted = np.isin(class_id, self._classes)
            xyxy, score, class_id = xyxy[wanted], score[wanted], class_id[wanted]
        xyxy = np.minimum(xyxy.clip(0), np.array([width, height] * 2, np.float32))
        solid = ((xyxy[:, 2:] - xyxy[:, :2]) >= 1).all(1)
        xyxy, score, class_id = xyxy[solid], score[solid], class_id[solid]
        kept, means = nms_mean(xyxy, score, iou_threshold=IOU, min_score=min_score, vote=VOTE_SCORE)
        x1, y1, x2, y2 = shown
        ratio = np.array([(x2 - x1) / width, (y2 - y1) / height] * 2, np.float32)
        offset = np.array([x1, y1, x1, y1], np.float32)
        return Candidates(means * ratio + offset, score[kept], class_id[kept], np.full(len(kept), number, np.int64))
