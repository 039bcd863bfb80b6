"""``Detector``: a picture in, ``Objects`` out; input size and tiles chosen by the size of the objects, nothing
truncated without a warning.

Memory: the picture, a third of it for its halves, one piece of at most 1600 px (about 400 MB in the network) and the
boxes; the resized picture is never held as a whole. Time: the passes that choose the scale (at most
:data:`packed_scenes.detect.survey.BUDGET`) and at most :data:`MAX_PIXELS` input pixels, some 25 s on two cores.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np

from packed_scenes.data import InputError, Objects
from packed_scenes.data.checks import is_number
from packed_scenes.data.rgb import as_rgb
from packed_scenes.detect import info as messages
from packed_scenes.detect.class_names import class_id
from packed_scenes.detect.info import DetectionInfo
from packed_scenes.detect.load import Backend, General, load_network
from packed_scenes.detect.nested_boxes import rescore
from packed_scenes.detect.networks import Network
from packed_scenes.detect.nms import best_first, nms
from packed_scenes.detect.passes import IOU, LOW_SCORE, Passes
from packed_scenes.detect.pyramid import Image, Pyramid
from packed_scenes.detect.scale import estimate_size
from packed_scenes.detect.survey import INPUT_SIDES, SAME_SCALE, Region, Survey, finer, survey
from packed_scenes.detect.tiles import Candidates

MAX_SIDE = 16_000  # px, long side of the input that may be asked for
MAX_PIXELS = 200e6  # input pixels of the automatic choice
DEFAULT_PIXELS = 960 * 720  # input pixels if nothing was detected
ENLARGE = 2.0  # largest enlargement of a picture by the automatic choice
STEP = 32  # px, the long side is chosen in these steps
MIN_SIZE_SHARE = 0.4  # share of the best object size under which the largest input is too small
SAME_INPUT = 1.05  # factor around the best input within which that of a survey pass is taken, without another pass
MARGIN = 1.5  # width of the surround of a part with its own scale, in objects


@dataclass(frozen=True)
class Detector:
    """Finds objects in pictures; make one with :meth:`load`.

    Attributes:
        network: the loaded network.
        confidence: score threshold.
        classes: class ids to keep, None = all.
        image_size: ``"auto"``, or the long side of the input in pixels.
        tile: ``"auto"``, 0 for never, or the tile's side in input pixels.
        max_objects: cap per picture; a warning says when it is reached.
        general: finds the objects of pictures unlike those that the network learned; None where the user gave one.
    """

    network: Network
    confidence: float
    classes: tuple[int, ...] | None = None
    image_size: int | str = "auto"
    tile: int | str = "auto"
    max_objects: int = 3000
    general: General | None = None

    @classmethod
    def load(
        cls,
        weights: str | Path | None = None,
        *,
        device: str = "auto",
        backend: str | Backend = Backend.AUTO,
        classes: Sequence[str | int] | None = None,
        confidence: float | None = None,
        image_size: int | str = "auto",
        tile: int | str = "auto",
        max_objects: int = 3000,
        class_names: Sequence[str] = (),
        trust: bool = False,
    ) -> Self:
        """Load a detector; see :func:`packed_scenes.detect.load.load_network` for what ``weights``, ``device``,
        ``backend``, ``class_names`` and ``trust`` take.

        Args:
            classes: names or ids to keep.
            confidence: score threshold in [0, 1]; by default the one that balances precision and recall for these
                weights.

        Raises:
            InputError: if an option is out of range, a class is unknown or the weights cannot be loaded.
        """
        if confidence is not None and not (is_number(confidence) and 0 <= confidence <= 1):
            raise InputError(f"confidence must lie in [0, 1], got {confidence}")
        for name, value, smallest in (("image_size", image_size, 32), ("tile", tile, 0)):
            in_range = not isinstance(value, str) and smallest <= value <= MAX_SIDE
            if value != "auto" and not (in_range and not (name == "tile" and 0 < int(value) < 128)):
                raise InputError(f"{name} must be {smallest} to {MAX_SIDE} px, got {value!r}")
        if not isinstance(max_objects, int) or max_objects < 1:
            raise InputError(f"max_objects must be at least 1, got {max_objects}")
        network = load_network(weights, device=device, backend=backend, class_names=tuple(class_names), trust=trust)
        if isinstance(classes, str | int):
            classes = [classes]
        wanted = (
            None if not classes else tuple(class_id(c, network.card.names, bundled=weights is None) for c in classes)
        )
        threshold = network.card.confidence if confidence is None else confidence
        general = General(device, str(backend)) if weights is None else None
        return cls(network, threshold, wanted, image_size, tile, max_objects, general)

    @property
    def weights_hash(self) -> str:
        """SHA-256 of the weights file, or of both, joined by +."""
        own = self.network.card.sha256
        return own if self.general is None else f"{own}+{self.general.sha256}"

    def detect(self, image: Image) -> Objects:
        """Find the objects of an RGB picture (H, W, 3) uint8; best first, ids "0", "1", …

        Raises:
            InputError: if the picture has another shape or type.
        """
        return self.detect_with_info(image)[0]

    def detect_with_info(self, image: Image) -> tuple[Objects, DetectionInfo]:
        """Find the objects, and say what size and tiles were chosen."""
        image = as_rgb(image)
        height, width = image.shape[:2]
        found, info = self._detect(image)
        card = self.network.card
        if self.general is not None and card.novelty_rule is not None:
            confident = self._above(found, card.confidence, width, height)  # independent of the user's confidence
            if card.novelty_rule.novelty(confident, width=width, height=height) > card.general_above:
                return replace(self, network=self.general.load(), general=None).detect_with_info(image)
        return self._objects(found, info, width=width, height=height)

    def _detect(self, image: Image) -> tuple[Candidates, DetectionInfo]:
        height, width = image.shape[:2]
        pyramid, card = Pyramid(image), self.network.card
        passes = Passes(pyramid, self.network, confidence=self.confidence, classes=self.classes, tile=self.tile)
        everything = (0.0, 0.0, float(width), float(height))
        if card.fixed is not None:
            found, info = passes.detect(everything, min(card.fixed[0] / height, card.fixed[1] / width))
        elif self.image_size != "auto":
            found, info = passes.detect(everything, int(self.image_size) / max(height, width))
        else:
            shows = partial(pyramid.detail, longest=INPUT_SIDES[-1])
            sizes = survey(width, height, passes.estimate, shows, best_px=card.object_px)
            if sizes.uniform():
                found, info = self._detect_at_scale(passes, Region(everything, sizes.object_px))
                parts = finer(sizes, found.xyxy, found.score, scale=info.scale, best_px=card.object_px)
            else:
                parts = sizes
            if parts is not None:
                found, info = self._by_region(passes, parts)
            info = self._with_warnings(replace(info, survey_megapixels=round(sizes.input_pixels / 1e6, 2)), sizes)
        return found, info

    def _detect_at_scale(self, passes: Passes, region: Region) -> tuple[Candidates, DetectionInfo]:
        """Detect at the scale of a region's objects, once more if they turn out to be of another size."""
        found, info = passes.detect(region.rectangle, self._scale(passes, region))
        measured = estimate_size(found.xyxy, found.score, info.scale)
        expected = region.object_px
        if expected and measured.weight and not 1 / SAME_SCALE < measured.object_px / expected < SAME_SCALE:
            expected = measured.object_px
            found, info = passes.detect(region.rectangle, self._scale(passes, replace(region, object_px=expected)))
        return found, replace(info, object_px=expected)

    def _by_region(self, passes: Passes, sizes: Survey) -> tuple[Candidates, DetectionInfo]:
        """Detect in each region at its own scale; a box belongs to the region that its centre lies in."""
        parts, infos, pyramid = list[Candidates](), list[DetectionInfo](), passes.pyramid
        for region in sizes.merged():
            margin = MARGIN * (region.object_px or 0.0)
            x1, y1, x2, y2 = region.rectangle
            right, bottom = min(float(pyramid.width), x2 + margin), min(float(pyramid.height), y2 + margin)
            wide = (max(0.0, x1 - margin), max(0.0, y1 - margin), right, bottom)
            found, info = self._detect_at_scale(passes, Region(wide, region.object_px))
            center = (found.xyxy[:, :2] + found.xyxy[:, 2:]) / 2
            own = ((center >= (x1, y1)) & (center < (x2, y2))).all(1)
            parts.append(found.select(own))
            infos.append(info)
        largest = max(infos, key=lambda i: i.input_size[0] * i.input_size[1])
        found = Candidates.concat(parts)
        return found, replace(
            largest, object_px=sizes.object_px, tiles=sum(i.tiles for i in infos),
            candidates=sum(i.candidates for i in infos), regions=len(infos),
        )  # fmt: skip

    def _scale(self, passes: Passes, region: Region) -> float:
        width, height = passes.pyramid.width, passes.pyramid.height
        long_side, area = max(width, height), width * height
        if not region.object_px:
            return min(math.sqrt(DEFAULT_PIXELS / area), ENLARGE)
        wanted = min(self.network.card.object_px / region.object_px, ENLARGE, math.sqrt(MAX_PIXELS / area))
        near = min(passes.scales(region.rectangle), key=lambda scale: abs(math.log(scale / wanted)), default=wanted)
        if near != wanted and 1 / SAME_INPUT < near / wanted < SAME_INPUT:
            return near
        # whole steps: a last digit of the estimate, which differs between libraries, must not change the picture
        return float(max(round(long_side * wanted / STEP), 5) * STEP / long_side)

    def _objects(
        self, found: Candidates, info: DetectionInfo, *, width: int, height: int
    ) -> tuple[Objects, DetectionInfo]:
        """Filter by confidence, then cap: neither changes what else is found, nor where."""
        every = self._above(found, min(self.confidence, LOW_SCORE), width, height)
        confident = every.score >= self.confidence
        objects, low_score_objects = every.select(confident), every.select(~confident)
        if len(objects) > self.max_objects:
            objects = objects.select(slice(self.max_objects))
            info = replace(info, warnings=(*info.warnings, messages.cap_reached(self.max_objects)))
        novelty_warning = self.network.card.novelty_warning(objects, width=width, height=height)
        return objects, replace(info, warnings=(*info.warnings, *novelty_warning), low_score_objects=low_score_objects)

    def _above(self, found: Candidates, confidence: float, width: int, height: int) -> Objects:
        """The objects of at least a score, best first."""
        found = found.select(found.score >= confidence)
        found = found.select(nms(found.xyxy, found.score, iou_threshold=IOU))
        score = rescore(found.xyxy, found.score)
        order = best_first(found.xyxy, score)
        order = order[score[order] >= confidence]
        xyxy = np.minimum(found.xyxy, np.array([width, height] * 2, np.float32))
        return Objects.from_boxes(xyxy[order], score=score[order], class_id=found.class_id[order])

    def _with_warnings(self, info: DetectionInfo, sizes: Survey) -> DetectionInfo:
        best = self.network.card.object_px
        warnings = []
        if sizes.object_px is None:
            warnings.append(messages.size_unknown(best))
        elif not sizes.converged:
            warnings.append(messages.budget_exhausted(best))
        if info.object_px and info.object_px * info.scale < MIN_SIZE_SHARE * best and info.scale < 0.9 * ENLARGE:
            warnings.append(messages.input_too_small(info.object_px * info.scale, best))
        return replace(info, warnings=tuple(warnings))
