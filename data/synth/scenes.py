"""``generate`` one scene, ``stream`` endless ones: scene ``i`` depends on seed, specification, goods and ``i`` alone.

Speed on one core of a 2-core machine: 25 to 30 scenes/s of 640 px with 100 objects once some 200 scenes have filled the
store of drawn goods (10 to 15/s before); 18 to 30 with close-ups, whose large goods are slow to draw.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import Objects
from packed_scenes.data.scene import Scene
from packed_scenes.data.synth import shelf
from packed_scenes.data.synth.canvas import Canvas, visible_boxes
from packed_scenes.data.synth.congregations import congregations
from packed_scenes.data.synth.crowd import crowd
from packed_scenes.data.synth.occluders import TrolleySource
from packed_scenes.data.synth.people.families import PeopleSource
from packed_scenes.data.synth.photometry import develop
from packed_scenes.data.synth.pool import BASE, SMALL, Pool, Source
from packed_scenes.data.synth.scatter import scatter
from packed_scenes.data.synth.signs import SignSource, TagSource
from packed_scenes.data.synth.spec import Layout, SceneSpec
from packed_scenes.data.synth.things import Kind, ThingSource
from packed_scenes.data.synth.view import View, choose_view

COMPACT = 0.4  # of its box that is left of an object
# What is left of an object fills its box at least this much as densely as the whole object would. Otherwise scattered
# slivers are left, whose box shows what stands in front: where less than .4 of the box is the object's, the shipped
# detector finds 6 % of the objects, of the others 85 %.
WHOLE = 0.5


@dataclass(frozen=True)
class Labelled:
    """A scene and what every pixel shows.

    Attributes:
        scene: picture and truth.
        ids: (H, W) uint16, 0 = no labelled object, k = row k - 1 of the truth.
        ignore: (M, 4) float32 boxes of compact remains of what shows too little to be labelled; a detection mostly
            inside one should count neither way.
    """

    scene: Scene
    ids: npt.NDArray[np.uint16]
    ignore: npt.NDArray[np.float32]


class SceneStream:
    """Endless labelled scenes with random access: ``stream[i]``, or iterate from the first.

    Safe for many workers: give worker ``k`` of ``n`` the scenes ``stream.scenes(start=k, step=n)``. Memory: textures at
    hand, at most 160 MB of goods and 200 MB of all else, what the goods keep themselves, and a few copies of a picture.

    Args:
        seed: of everything.
        spec: what to make.
        goods: source of the goods on shelves; procedural ones if None.
    """

    def __init__(self, seed: int, *, spec: SceneSpec | None = None, goods: Source | None = None) -> None:
        if seed < 0:
            raise InputError(f"seed must be >= 0, got {seed}")
        self.seed = seed
        self.spec = spec or SceneSpec()
        if goods is None:
            from packed_scenes.data.synth.sources import DrawnGoods

            goods = DrawnGoods()

        def pool(source: Source, salt: int, variants: int, *, base: int = BASE) -> Pool:
            return Pool(source, seed, salt=salt, variants=variants, budget=SMALL, base=base)

        self._pools = shelf.Pools(
            goods=Pool(goods, seed, variants=self.spec.variants),
            people=Pool(PeopleSource(), seed, salt=1, variants=self.spec.variants, budget=3 * SMALL),
            tags=pool(TagSource(), 2, 8, base=48),
            signs=pool(SignSource(), 3, 4, base=96),
            trolleys=pool(TrolleySource(), 4, 1),
        )
        self._things = {kind: pool(ThingSource(kind), 10 + k, 5) for k, kind in enumerate(Kind)}

    def __getitem__(self, index: int) -> Scene:
        """Scene number ``index`` >= 0."""
        return self.labelled(index).scene

    def __iter__(self) -> Iterator[Scene]:
        return self.scenes()

    def scenes(self, *, start: int = 0, step: int = 1) -> Iterator[Scene]:
        """Yield scenes ``start``, ``start + step``, … without end."""
        while True:
            yield self[start]
            start += step

    def labelled(self, index: int) -> Labelled:
        """Scene number ``index`` with its id sheet (instance masks)."""
        if index < 0:
            raise InputError(f"scene index must be >= 0, got {index}")
        spec = self.spec
        rnd = Random(f"{self.seed}/{index}")
        layout = spec.layout
        if layout is Layout.MIXED:
            layout = rnd.choices((Layout.SHELF, Layout.CROWD, Layout.SCATTER), spec.mixture)[0]
        count = round(np.exp(rnd.uniform(np.log(spec.count[0]), np.log(spec.count[1]))))
        first = int(index * spec.fresh)
        # large goods are slow to draw: fewer families serve the close-ups
        large = (spec.size[0] * spec.size[1] / (0.7 * count)) ** 0.5 / BASE
        families = range(first, first + max(min(8, spec.families), round(spec.families / max(1.0, large) ** 2)))
        view = choose_view(spec, rnd, tilted=layout is not Layout.SCATTER)
        canvas = Canvas(view.height, view.width)
        self._paint(layout, canvas, families, rnd, count)
        return finish(canvas, view, spec, rnd, f"synthetic-{self.seed}-{index:06d}")

    def _paint(self, layout: Layout, canvas: Canvas, families: range, rnd: Random, count: int) -> None:
        if layout is Layout.CROWD:
            crowd(canvas, self._pools.people, families, self.spec, rnd, count)
        elif layout is Layout.SCATTER:
            scatter(canvas, self._things, self._pools.goods, families, self.spec, rnd, count)
        else:
            shelf.shelves(canvas, self._pools, families, self.spec, rnd, count)


def finish(canvas: Canvas, view: View, spec: SceneSpec, rnd: Random, name: str) -> Labelled:
    """Look at the canvas through the view, read the truth off the id sheet, take the photo."""
    picture, sheet = canvas.warp(view.matrix, *spec.size)
    count = len(canvas.identity)
    boxes, pixels = visible_boxes(sheet, count)
    full = canvas.full_area(view.matrix)
    sides = boxes[:, 2:] - boxes[:, :2]
    box = np.prod(sides, axis=1)
    kept = (pixels > 0) & (pixels >= spec.visible * full) & (sides.min(axis=1, initial=1e9) >= spec.min_side)
    kept &= pixels >= WHOLE * np.array(canvas.fill_share) * box
    # ids of what is left out become 0, the others the row of the truth plus one
    renumber = np.zeros(count + 1, np.uint16)
    renumber[1:][kept] = np.arange(1, np.count_nonzero(kept) + 1)
    sheet = renumber[sheet]
    identity = np.array(canvas.identity, np.int64)[kept]
    truth = Objects.from_boxes(boxes[kept], cluster=identity, congregation=congregations(boxes[kept], identity))
    image = np.ascontiguousarray(develop(picture, rnd, strength=spec.photometry, jpeg=spec.jpeg))
    # scattered slivers of something hidden span the things in front of it: only compact remains are worth ignoring
    compact = (pixels >= COMPACT * box) & (sides.min(axis=1, initial=1e9) >= spec.min_side)
    return Labelled(Scene(image, name, truth), sheet, boxes[~kept & (pixels > 0) & compact])


def stream(seed: int, *, spec: SceneSpec | None = None, goods: Source | None = None, **options: Any) -> SceneStream:
    """Return endless scenes; ``options`` are fields of :class:`SceneSpec`.

    Example:
        ``for scene in stream(0, layout="mixed", size=(640, 640)): …``

    Raises:
        InputError: if an option is unknown or out of range.
    """
    return SceneStream(seed, spec=make_spec(spec, options), goods=goods)


def generate(seed: int, *, spec: SceneSpec | None = None, goods: Source | None = None, **options: Any) -> Scene:
    """Return scene 0 of ``stream(seed, …)``. For many scenes use :func:`stream`, which keeps rendered goods at hand.

    Example:
        ``scene = generate(7, layout="shelf", size=(1200, 1600), count=(120, 120))``

    Raises:
        InputError: if an option is unknown or out of range.
    """
    return stream(seed, spec=spec, goods=goods, **options)[0]


def make_spec(spec: SceneSpec | None, options: dict[str, Any]) -> SceneSpec:
    """Apply options to a spec."""
    try:
        return replace(spec or SceneSpec(), **options)
    except TypeError as error:
        known = ", ".join(SceneSpec.__dataclass_fields__)
        raise InputError(f"unknown scene option ({error})", remedy=f"Known: {known}.") from error
