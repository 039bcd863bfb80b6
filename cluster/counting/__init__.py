"""How many identities are there: the curve of counts, and an unbiased estimate from answers about pairs."""

from typing import TYPE_CHECKING

from packed_scenes.data.lazy import attach

if TYPE_CHECKING:
    from packed_scenes.cluster.counting.curve import Curve as Curve
    from packed_scenes.cluster.counting.curve import count_curve as count_curve
    from packed_scenes.cluster.counting.estimate import Estimate as Estimate
    from packed_scenes.cluster.counting.estimator import Progress as Progress
    from packed_scenes.cluster.counting.estimator import StopAsking as StopAsking
    from packed_scenes.cluster.counting.estimator import estimate_count as estimate_count

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Curve": "curve",
        "StopAsking": "estimator",
        "Estimate": "estimate",
        "Progress": "estimator",
        "count_curve": "curve",
        "estimate_count": "estimator",
    },
)
