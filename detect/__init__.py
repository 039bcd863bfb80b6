"""Picture -> boxes: the detector, its networks, tiles, training and scores. Nothing heavy is imported here."""

from typing import TYPE_CHECKING

from packed_scenes.data.lazy import attach

if TYPE_CHECKING:
    from packed_scenes.detect.detector import Detector as Detector
    from packed_scenes.detect.info import DetectionInfo as DetectionInfo
    from packed_scenes.detect.load import Backend as Backend
    from packed_scenes.detect.matching import match_boxes as match_boxes
    from packed_scenes.detect.metrics import evaluate as evaluate

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Backend": "load",
        "DetectionInfo": "info",
        "Detector": "detector",
        "evaluate": "metrics",
        "match_boxes": "matching",
    },
)
