"""Picture -> boxes: the detector, its networks, tiles, training and scores. Nothing heavy is imported here."""

from typing import TYPE_CHECKING

from data.lazy import attach

if TYPE_CHECKING:
    from detect.detector import DetectionInfo as DetectionInfo
    from detect.detector import Detector as Detector
    from detect.load import Backend as Backend
    from detect.matching import match_boxes as match_boxes
    from detect.metrics import evaluate as evaluate

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Backend": "load",
        "DetectionInfo": "detector",
        "Detector": "detector",
        "evaluate": "metrics",
        "match_boxes": "matching",
    },
)
