"""What one call of the detector did, and what the user should know about it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from packed_scenes.data.objects import Objects


@dataclass(frozen=True)
class DetectionInfo:
    """What one call of the detector did.

    Attributes:
        input_size: (width, height) of the resized picture in input pixels (of its largest part where parts were run at
            different scales).
        scale: input pixels per picture pixel.
        object_px: median object size (square root of area) in picture pixels that the choice is based on; None if the
            size was given or nothing was detected.
        tiles: number of tiles, 1 = in one piece.
        tile_size: side of a tile in input pixels, None = in one piece.
        confidence: score threshold.
        candidates: boxes above the threshold before the tiles were joined.
        backend: library that ran the network.
        sha256: of the weights.
        warnings: sentences for the user.
        regions: parts of the picture that were run at a scale of their own, 1 = one scale for all.
        survey_megapixels: input pixels of the passes that chose the scale, in megapixels.
        low_score_objects: what was detected under the confidence, down to a score of
            :data:`packed_scenes.detect.passes.LOW_SCORE`; best first, not part of the JSON.
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
    regions: int = 1
    survey_megapixels: float = 0.0
    low_score_objects: Objects = field(default_factory=Objects.empty, repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "low_score_objects"}


def size_unknown(best_px: float) -> str:
    """Warning: nothing, or too little, was detected to choose the input size."""
    return f"too little was detected to estimate the object size: a default input size was used ({_remedy(best_px)})"


def budget_exhausted(best_px: float) -> str:
    """Warning: the budget of passes ended before the object size was known."""
    return f"the object size could not be found within the budget of passes: objects may be missed ({_remedy(best_px)})"


def input_too_small(object_px: float, best_px: float) -> str:
    """Warning: the objects need a larger input than the largest."""
    return (
        f"the objects would need a larger input than the largest: they are {object_px:.0f} px in the input instead of "
        f"about {best_px:.0f}, and some may be missed (cut the picture into parts)"
    )


def cap_reached(max_objects: int) -> str:
    """Warning: more objects than the cap."""
    return f"more than {max_objects} objects: those with the highest scores were kept (give a higher --max-objects)"


def _remedy(best_px: float) -> str:
    return (
        f"if objects are missing, give --image-size: the picture's long side, in pixels, at which an object measures "
        f"about {best_px:.0f} px"
    )
