"""The geometry of a package: outlines by part (body, neck, cap, rim), where the print goes, how it bends.

Coordinates are fractions of the product's box: v runs 0 (top) to 1 (bottom); half widths are shares of half the width.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["Part", "Points", "Shape", "slab"]

#: Outline of a part.
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a package, drawn over those before it.

    role: palette role that colours it, or "print" for the decorated body. profile: (v, half width) pairs, smoothed by
    `soft` in v. finish: matte, gloss, metal, glass, flat or film. ribs: vertical ridges around. shift: centre offset.
    alpha: opacity. bow: how far horizontal edges bend, as seen from above (positive) or below.
    """

    role: str
    profile: Points
    soft: float = 0.0
    finish: str = "gloss"
    ribs: int = 0
    shift: float = 0.0
    alpha: float = 1.0
    bow: float = 0.0


@dataclass(frozen=True, slots=True)
class Shape:
    """Geometry shared by a family.

    aspect: width / height. round: print wraps a cylinder. label: (u0, v0, u1, v1), the printed zone; u is -1…1 along
    the front surface. decal: outline of the label (full, rect, round, oval). hole: handle opening (u, v, ru, rv,
    degrees). crimp: depth of the teeth at top and bottom. crinkle: strength of film folds. side: share of width of a
    visible side face; roof: share of height of a gable; top: of a visible top face. contents: what shows through glass
    or film. height_cm: usual physical height.
    """

    style: str
    aspect: float
    parts: tuple[Part, ...]
    round: bool
    label: tuple[float, float, float, float]
    decal: str = "full"
    hole: tuple[float, float, float, float, float] | None = None
    crimp: float = 0.0
    crinkle: float = 0.0
    side: float = 0.0
    roof: float = 0.0
    top: float = 0.0
    contents: str = ""
    height_cm: float = 20.0

    def resized(self, factor: float) -> Shape:
        """The same package made wider (factor > 1) or slimmer."""
        return replace(self, aspect=self.aspect * factor)


def slab(
    role: str,
    top: float,
    bottom: float,
    half: float,
    *,
    corner: float = 0.02,
    finish: str = "gloss",
    ribs: int = 0,
    shift: float = 0.0,
    bow: float = 0.0,
) -> Part:
    """A part with straight sides and slightly rounded ends."""
    c = min(corner, (bottom - top) / 3)
    high = ((top, half - c * 1.5), (top + c * 0.4, half - c * 0.4), (top + c, half))
    low = ((bottom - c, half), (bottom - c * 0.4, half - c * 0.4), (bottom, half - c * 1.5))
    return Part(role, high + low, 0.0, finish, ribs, shift, 1.0, bow)
