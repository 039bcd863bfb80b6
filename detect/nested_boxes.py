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

NESTED_SHARE = 0.9  # share of the smaller box inside the larger one; .7 to .95 give the same
PENALTY = 0.5


def rescore(xyxy: npt.NDArray[np.float32], score: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Give new scores, row-aligned; a box counts as better only if it was not lowered itself.

    Only overlapping pairs are compared (an R-tree gives them): 20,000 boxes of a packed scene, after NMS, take about
    half a second and 20 MB.

    Args:
        xyxy: (N, 4) pixels, after NMS.
        score: (N,).
    """
    import shapely

    order = best_first(xyxy, score)
    boxes = xyxy[order].astype(np.float64)
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    shapes = np.asarray(shapely.box(*boxes.T))
    low, high = shapely.STRtree(shapes).query(shapes)
    low, high = low[low > high], high[low > high]  # the better one stands first
    side = np.minimum(boxes[low, 2:], boxes[high, 2:]) - np.maximum(boxes[low, :2], boxes[high, :2])
    nested = side.clip(0).prod(1) > NESTED_SHARE * np.minimum(area[low], area[high])
    low, high = low[nested], high[nested]
    lowered = np.zeros(len(boxes), bool)
    better: dict[int, list[int]] = {}
    for row, above in sorted(zip(low.tolist(), high.tolist(), strict=True)):
        better.setdefault(row, []).append(above)
    for row, rows in better.items():
        lowered[row] = bool((~lowered[rows]).any())
    result = score.copy()
    result[order[lowered]] *= PENALTY
    return result
