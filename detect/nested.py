"""Lower the score of boxes that are nested with a better one: half an object inside the whole, or a pair's box around
its two members.

Such boxes overlap too little for NMS, yet an object hardly ever lies wholly inside another one's box. Halving their
score (rather than removing them) keeps real cases. Measured on unseen generated shelves, nuclei and ``shelf_scenes``:
precision and recall where they balance .945 -> .953, .854 -> .858 and .876 -> .890; AP50 +.002, +.003, +.005; removal
instead of halving loses AP.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from packed_scenes.detect.nms import best_first

INSIDE = 0.9  # share of the smaller box inside the larger one; .7 to .95 give the same
PENALTY = 0.5


def rescore(
    xyxy: npt.NDArray[np.float32], score: npt.NDArray[np.float32], *, block: int = 200_000
) -> npt.NDArray[np.float32]:
    """Give new scores, row-aligned; a box counts as better only if it was not lowered itself.

    Args:
        xyxy: (N, 4) pixels, after NMS.
        score: (N,).
        block: pairs of boxes compared at a time; 200,000 take about 20 MB. N = 3000 takes some 0.2 s.
    """
    order = best_first(xyxy, score)
    boxes = xyxy[order].astype(np.float64)
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    better: list[npt.NDArray[np.int64]] = []
    step = max(1, block // max(1, len(boxes)))
    for start in range(0, len(boxes), step):
        rows = slice(start, start + step)
        side = np.minimum(boxes[rows, None, 2:], boxes[None, :, 2:]) - np.maximum(
            boxes[rows, None, :2], boxes[None, :, :2]
        )
        shared = side.clip(0).prod(2)
        nested = shared > INSIDE * np.minimum(area[rows, None], area[None])
        better += [np.flatnonzero(row[: start + number]) for number, row in enumerate(nested)]
    lowered = np.zeros(len(boxes), bool)
    for row, above in enumerate(better):
        lowered[row] = bool((~lowered[above]).any())
    result = score.copy()
    result[order[lowered]] *= PENALTY
    return result
