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
            size was given or nothing was seen.
        tiles: number of tiles, 1 = in one piece.
        tile_size: side of a tile in input pixels, None = in one piece.
        confidence: score threshold.
        candidates: boxes above the threshold before the tiles were joined.
        backend: library that ran the network.
        sha256: of the weights.
        warnings: sentences for the user.
        regions: parts of the picture that were run at a scale of their own, 1 = one scale for all.
        survey_megapixels: input pixels of the looks that chose the scale, in megapixels.
        faint: what was seen under the confidence, down to a score of
            :data:`packed_scenes.detect.passes.FAINT_SCORE`; best first, not part of the JSON.
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
    faint: Objects = field(default_factory=Objects.empty, repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "faint"}


def unseen(best_px: float) -> str:
    """Nothing, or too little, was seen to choose the input size."""
    return f"too little was seen to estimate the object size: a default input size was used ({_remedy(best_px)})"


def unsettled(best_px: float) -> str:
    """The budget of looks ended first."""
    return (
        f"the object size could not be settled within the budget of looks: objects may be missed ({_remedy(best_px)})"
    )


def coarse(object_px: float, best_px: float) -> str:
    """The input would be larger than the largest."""
    return (
        f"the objects would need a larger input than the largest: they are {object_px:.0f} px in the input instead of "
        f"about {best_px:.0f}, and some may be missed (cut the picture into parts)"
    )


def capped(most: int) -> str:
    """More objects than the cap."""
    return f"more than {most} objects: those with the highest scores were kept (raise max_objects)"


def _remedy(best_px: float) -> str:
    return (
        f"if objects are missing, give --image-size: the picture's long side, in pixels, at which an object measures "
        f"about {best_px:.0f} px"
    )
