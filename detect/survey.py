"""Where objects of which size lie, by passes of the network at low resolution, refined where objects are too small.

A long picture is surveyed in blocks of about :data:`LONG` times their short side, so that the result does not depend
on the picture's shape. Each block is run at the sizes :data:`INPUT_SIDES`, at the smallest of them only where the
others are not enough. Where the detected objects are too small to be measured, or contain many objects themselves (a
whole shelf detected as one object), the block is quartered and its quarters are run at twice the resolution; so is
every block while nothing is detected at all; and so on, down to the picture's own pixels. At each depth at most
:data:`WIDTH` parts are run, those with most detail, and at most :data:`BUDGET` input pixels altogether. A photo of a
shelf takes 1 megapixel of input, and nothing takes more than the budget (some 5 s on two cores). The result does not
depend on the user's confidence or cap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from packed_scenes.detect.pyramid import Rectangle
from packed_scenes.detect.scale import SizeEstimate, estimate_size, most_trustworthy, weighted_median

# px, long sides of the passes: one of them detects objects of 1/40 to 1/2 of the picture. On 71 unseen generated
# scenes three passes err by 5.7 % of the object's size in the mean, the outer two by 6.1 %; two are too few on a real
# shelf, where they detected pairs as single goods.
INPUT_SIDES = (448, 640, 896)
SMALLEST_INPUT = (
    224  # px, one more pass where objects are larger than BULKY_PX in the smallest of INPUT_SIDES, or undetected
)
BULKY_PX = 150  # px
MIN_SIZE_SHARE = 0.5  # share of the best object size under which a pass overestimates: small ones are missed
SMALL_PX = 20  # px, median object in the largest pass under which the part is refined
MIN_EVIDENCE = 6.0  # weight of the middle pass from which the smallest one is left out
NEAR_BEST = 1.18  # factor of the best size up to which it is left out, too: half the step between two passes
MAX_ENLARGEMENT = 1.5  # largest enlargement of the picture in a pass
LONG = 3.0  # long side of a block over its short side, about
WIDTH = 8  # parts run at one depth
BUDGET = 40e6  # input pixels of all passes
SAME_SCALE = 1.5  # sizes within this factor are run at one scale
CLOSER_SHARE = 0.4  # share of the best object size under which a part is run again at a finer scale
MIN_PART_SCORE = 6.0  # sum of scores that a part needs for that
CELLS = 256  # parts at most that are distinguished
MIN_INSIDE_SCORE = 4.0  # sum of scores of the objects inside an object that make it a shelf or a tray
INSIDE_INPUT = 320  # px, input of a pass over the inside of an object
MIN_INSIDE_PX = 96  # px: the insides of objects smaller than this in the picture are not run

EstimateAt = Callable[[Rectangle, float], SizeEstimate]


@dataclass(frozen=True)
class Region:
    """A part of the picture (x1, y1, x2, y2) and the size of its objects in picture pixels, None = unknown."""

    rectangle: Rectangle
    object_px: float | None
    weight: float = 0.0


@dataclass(frozen=True)
class Survey:
    """What a survey found.

    Attributes:
        regions: parts of the picture, disjoint and covering it.
        object_px: the common size, None = nothing detected.
        converged: whether all sizes were found within the budget.
        input_pixels: of all passes.
    """

    regions: list[Region]
    object_px: float | None
    converged: bool
    input_pixels: float

    def uniform(self) -> bool:
        """Whether one scale fits all regions."""
        sizes = [r.object_px for r in self.regions if r.object_px and r.weight]
        return self.object_px is None or all(1 / SAME_SCALE < s / self.object_px < SAME_SCALE for s in sizes)

    def merged(self) -> list[Region]:
        """The regions with a size each: their own where it differs from that of all, and neighbours of one size that
        make up a rectangle together as one.
        """
        common = self.object_px or 0.0
        sized = []
        for region in self.regions:
            own = region.object_px if region.weight and region.object_px else common
            agrees = common > 0 and 1 / SAME_SCALE < own / common < SAME_SCALE
            sized.append(Region(region.rectangle, common if agrees else own, region.weight))
        while (pair := _joinable(sized)) is not None:
            one, other = sized[pair[0]], sized[pair[1]]
            a, b = one.rectangle, other.rectangle
            whole = (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
            sized[pair[0]] = Region(whole, one.object_px, one.weight + other.weight)
            del sized[pair[1]]
        return sized


def finer(
    found: Survey, xyxy: npt.NDArray[np.float32], score: npt.NDArray[np.float32], *, scale: float, best_px: float
) -> Survey | None:
    """Find the parts of a picture that was run at one scale whose objects turned out far too small for it, such as the
    far end of an aisle; None where there are none.

    Args:
        found: the survey that chose the scale.
        xyxy, score: what was found, in picture pixels.
        scale: input pixels per picture pixel.
        best_px: object size in input pixels at which the network is best.
    """
    cells = [q for r in found.regions for p in quarters(r.rectangle) for q in quarters(p)]
    center = (xyxy[:, :2] + xyxy[:, 2:]) / 2
    regions, small = [], False
    for x1, y1, x2, y2 in cells:
        inside = ((center >= (x1, y1)) & (center < (x2, y2))).all(1)
        cell = estimate_size(xyxy[inside], score[inside], scale)
        tiny = cell.weight >= MIN_PART_SCORE and cell.object_px * scale < CLOSER_SHARE * best_px
        regions.append(Region((x1, y1, x2, y2), cell.object_px if tiny else None, cell.weight if tiny else 0.0))
        small = small or tiny
    return replace(found, regions=regions) if small and len(cells) <= CELLS else None


def _joinable(regions: list[Region]) -> tuple[int, int] | None:
    """Two regions of one size that share a whole side."""
    for i, one in enumerate(regions):
        for j in range(i + 1, len(regions)):
            a, b = one.rectangle, regions[j].rectangle
            beside = a[1::2] == b[1::2] and (a[2] == b[0] or a[0] == b[2])
            above = a[::2] == b[::2] and (a[3] == b[1] or a[1] == b[3])
            if one.object_px == regions[j].object_px and (beside or above):
                return i, j
    return None


def blocks(width: int, height: int) -> list[Rectangle]:
    """Cut a long picture across its long side into equal parts; one part where it is not long."""
    count = max(1, round(max(width, height) / min(width, height) / LONG))
    edges = np.linspace(0, max(width, height), min(count, max(width, height)) + 1).tolist()
    pairs = list(pairwise(edges))
    return (
        [(a, 0.0, b, float(height)) for a, b in pairs]
        if width >= height
        else [(0.0, a, float(width), b) for a, b in pairs]
    )


def quarters(part: Rectangle) -> list[Rectangle]:
    """Cut a part in four."""
    x1, y1, x2, y2 = part
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return [(x1, y1, x, y), (x, y1, x2, y), (x1, y, x, y2), (x, y, x2, y2)]


def survey(
    width: int, height: int, estimate_at: EstimateAt, detail: Callable[[Rectangle], float], *, best_px: float
) -> Survey:
    """Run passes over a picture until the size of its objects is known everywhere, or the budget ends.

    Args:
        estimate_at: detects in a part (picture pixels) at a scale (input pixels per picture pixel).
        detail: amount of detail in a part, 0 = uniform.
        best_px: object size in input pixels at which the network is best.
    """
    estimates = _Estimates(estimate_at, best_px, width, height)
    regions: list[Region] = []
    parts, parents, converged = blocks(width, height), dict[Rectangle, SizeEstimate](), True
    sizes: tuple[int, ...] = INPUT_SIDES
    while parts:
        # At the finest resolution, quarters would be too small to be run.
        closest = 2 * INPUT_SIDES[-1] >= MAX_ENLARGEMENT * _side(parts[0])
        shown = {part: detail(part) if len(parts) > 1 else 1.0 for part in parts}
        judged: dict[Rectangle, Region | _Closer] = {}
        for part in _most_detailed(shown):
            converged = converged and estimates.input_pixels <= BUDGET
            if converged:
                judged[part] = estimates.judge(part, sizes, parents.get(part), closest=closest)
        regions += [v for v in judged.values() if isinstance(v, Region)]
        closer = _closer(shown, judged, everywhere=not regions) if converged and not closest else []
        rest = [p for p in parts if p not in closer and not isinstance(judged.get(p), Region)]
        regions += [Region(p, parents[p].object_px if p in parents else None) for p in rest]
        parents = _parents(closer, judged)
        parts, sizes = [q for p in closer for q in quarters(p)], INPUT_SIDES[-1:]
    return Survey(regions, _common(regions), converged, estimates.input_pixels)


def _most_detailed(shown: dict[Rectangle, float]) -> list[Rectangle]:
    """The :data:`WIDTH` parts with most detail, without uniform ones."""
    return sorted((part for part, value in shown.items() if value > 0), key=lambda part: -shown[part])[:WIDTH]


def _closer(
    shown: Mapping[Rectangle, float], judged: Mapping[Rectangle, Region | _Closer], *, everywhere: bool
) -> list[Rectangle]:
    """The parts to be refined: those that require it, or ``everywhere`` all that are not uniform."""
    required = [part for part, judgement in judged.items() if isinstance(judgement, _Closer) and judgement.required]
    return [part for part, value in shown.items() if part in required or (everywhere and value > 0)]


def _parents(closer: list[Rectangle], judged: Mapping[Rectangle, Region | _Closer]) -> dict[Rectangle, SizeEstimate]:
    """The coarser estimate of each quarter of the parts that are refined."""
    found = [(part, judgement) for part in closer if isinstance(judgement := judged.get(part), _Closer)]
    return {q: judgement.estimate for part, judgement in found if judgement.estimate for q in quarters(part)}


def _common(regions: list[Region]) -> float | None:
    """The median size by weight; of regions with a coarser estimate only, where no others are."""
    sized = [(r.object_px, r.weight) for r in regions if r.object_px]
    sized = [(size, weight) for size, weight in sized if weight] or [(size, 1.0) for size, _ in sized]
    return weighted_median(np.array([s for s, _ in sized]), np.array([w for _, w in sized])) if sized else None


@dataclass(frozen=True)
class _Closer:
    """A part to be refined; ``required`` where its objects are too small (``estimate``) or contain many objects."""

    required: bool = False
    estimate: SizeEstimate | None = None


class _Estimates:
    """Size estimates by passes whose input pixels are counted."""

    def __init__(self, estimate_at: EstimateAt, best_px: float, width: int, height: int) -> None:
        self._estimate_at, self._best_px, self.width, self.height = estimate_at, best_px, float(width), float(height)
        self.input_pixels = 0.0

    def judge(
        self, part: Rectangle, sizes: tuple[int, ...], parent: SizeEstimate | None, *, closest: bool
    ) -> Region | _Closer:
        """Decide the size of a part's objects, or that a refinement is needed."""
        side = _side(part)
        estimates = self._passes(part, [s for s in sizes if s < MAX_ENLARGEMENT * side or s == sizes[0]])
        own = most_trustworthy(estimates, best_px=self._best_px)
        if len(sizes) > 1 and (own is None or own.object_px * sizes[0] > BULKY_PX * side):
            own = most_trustworthy([*estimates, self._measure(part, SMALLEST_INPUT / side)], best_px=self._best_px)
        estimate = own or parent  # where nothing is detected, the coarser estimate holds
        if estimate is None:
            return _Closer()
        if estimate.object_px * INPUT_SIDES[-1] < SMALL_PX * side and not closest:
            return _Closer(required=True, estimate=estimate)
        if own is None:
            return Region(part, estimate.object_px)
        if not closest and self._contain_many(own):
            return _Closer(required=True)
        small = own.object_px * own.scale < MIN_SIZE_SHARE * self._best_px
        return Region(part, self._confirmed(part, own) if small else own.object_px, own.weight)

    def _passes(self, part: Rectangle, sizes: list[int]) -> list[SizeEstimate]:
        """Run a part at the sizes; at the smallest only where the middle one gives too little evidence, or objects that
        are larger than the best size.
        """
        side = _side(part)
        estimates = [self._measure(part, size / side) for size in sizes[1:] or sizes]
        if len(sizes) > 1:
            middle = estimates[0]
            enough = middle.weight >= MIN_EVIDENCE
            if not enough or middle.object_px * middle.scale > NEAR_BEST * self._best_px:
                estimates.append(self._measure(part, sizes[0] / side))
        return estimates

    def _measure(self, part: Rectangle, scale: float) -> SizeEstimate:
        self.input_pixels += (part[2] - part[0]) * (part[3] - part[1]) * scale**2
        return self._estimate_at(part, scale)

    def _measure_around(self, box: Rectangle, side: float, size: int) -> SizeEstimate:
        """Estimate the size in a square around a box."""
        x1, y1, x2, y2 = box
        x = float(np.clip((x1 + x2 - side) / 2, 0, max(0.0, self.width - side)))
        y = float(np.clip((y1 + y2 - side) / 2, 0, max(0.0, self.height - side)))
        return self._measure(
            (x, y, min(x + side, self.width), min(y + side, self.height)), min(MAX_ENLARGEMENT, size / side)
        )

    def _contain_many(self, estimate: SizeEstimate) -> bool:
        """Whether each of the estimate's examples contains many objects."""
        if estimate.object_px < MIN_INSIDE_PX or not len(estimate.examples):
            return False
        for box in estimate.examples.tolist():
            side = max(box[2] - box[0], box[3] - box[1])
            coarse = 1.5 * estimate.scale * side < INSIDE_INPUT
            inside = self._measure_around(tuple(box), side, INSIDE_INPUT) if coarse else None
            if inside is None or inside.weight < MIN_INSIDE_SCORE or not 0 < inside.object_px < estimate.object_px / 3:
                return False
        return True

    def _confirmed(self, part: Rectangle, estimate: SizeEstimate) -> float:
        """The size of the objects as measured at the scale at which they would be run."""
        if not len(estimate.examples):
            return estimate.object_px
        side = min(INPUT_SIDES[1] * estimate.object_px / self._best_px, 2 * _side(part))
        again = self._measure_around(tuple(estimate.examples[0].tolist()), side, INPUT_SIDES[1])
        return again.object_px if again.enough else estimate.object_px


def _side(part: Rectangle) -> float:
    return max(part[2] - part[0], part[3] - part[1])
