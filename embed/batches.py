"""Training batches: hard negatives (variants of one family) and positives (views of one identity) in every batch.

A batch is a pure function of (seed, step), so that an interrupted training resumes with exactly the batch it would have
drawn, and a loader process can run ahead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from torch.utils.data import IterableDataset

from packed_scenes.data.synth.goods.crops import Recolouring, recolour, sample_recolouring
from packed_scenes.embed.augment import Augmentation, augment
from packed_scenes.embed.store import CropStore

Batch = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]
Drawn = tuple[CropStore, int, Recolouring | None, int]  # store, row, change of a virtual identity, proxy index


@dataclass
class Source:
    """One store's part in each batch.

    Attributes:
        stores: crops; several shards count as one source.
        identities: identities drawn per batch.
        views: crops drawn per identity (different crops where it has them).
        group: identities drawn together from one family, 1 = independently.
        virtual: identities made from each real one by a fixed recolouring or mark, the original included; 1 = none.
            Real photographs have textures and reflections that drawn goods lack, but few identities; these differ from
            the original in exactly one thing, as variants on a shelf do.
        offset: first proxy index of this source.
        classes: proxies this source may use.
        start: first training step whose batch holds this source.
    """

    stores: Sequence[CropStore]
    identities: int
    views: int
    group: int = 1
    virtual: int = 1
    offset: int = 0
    classes: int = 0
    start: int = 0
    _rows: list[dict[int, npt.NDArray[np.int64]]] = field(default_factory=list, repr=False)
    _families: list[list[npt.NDArray[np.int64]]] = field(default_factory=list, repr=False)
    _changes: dict[tuple[int, int, int], Recolouring] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for store in self.stores:
            order = np.argsort(store.label, kind="stable")
            labels, start = np.unique(store.label[order], return_index=True)
            self._rows.append(dict(zip(labels.tolist(), np.split(order, start[1:]), strict=True)))
            if self.group > 1:
                first = np.array([store.family[self._rows[-1][int(v)][0]] for v in labels])
                self._families.append([labels[first == f] for f in np.unique(first)])

    def draw(self, rng: np.random.Generator) -> Iterator[Drawn]:
        """Yield one batch's crops."""
        for _ in range(self.identities // self.group):
            shard = int(rng.integers(len(self.stores)))
            store, rows = self.stores[shard], self._rows[shard]
            if self.group > 1:
                family = self._families[shard][rng.integers(len(self._families[shard]))]
                chosen = [(int(v), 0) for v in rng.permutation(family)[: self.group]]
            else:
                chosen = [(int(list(rows)[rng.integers(len(rows))]), int(rng.integers(self.virtual)))]
                if self.virtual > 1 and rng.random() < 0.7:  # the same crops' other self: the hardest negative
                    chosen.append((chosen[0][0], int(rng.integers(self.virtual))))
            for label, change in dict.fromkeys(chosen):
                own = rows[label]
                picks = rng.permutation(own)[: self.views]
                if len(picks) < self.views:
                    picks = np.concatenate([picks, rng.choice(own, self.views - len(picks))])
                proxy = self.offset + label * self.virtual + change
                for row in picks.tolist():
                    yield store, row, self.change(shard, label, change), proxy

    def samples(self) -> list[Drawn]:
        """One crop of every identity, virtual ones included."""
        return [
            (store, int(own[0]), self.change(shard, label, change), self.offset + label * self.virtual + change)
            for shard, store in enumerate(self.stores)
            for label, own in self._rows[shard].items()
            for change in range(self.virtual)
        ]

    def change(self, shard: int, label: int, number: int) -> Recolouring | None:
        """What makes virtual identity ``number`` of a class: the same for all its crops; None for the original."""
        if number == 0:
            return None
        key = (shard, label, number)
        if key not in self._changes:
            store, rows = self.stores[shard], self._rows[shard][label][:2]
            crops = [np.asarray(store.pixels[r, : store.size[r, 1], : store.size[r, 0], :3]) for r in rows]
            self._changes[key] = sample_recolouring(np.random.default_rng([label, number]), crops)
        return self._changes[key]


class Batches(IterableDataset[Batch]):
    """Endless batches from ``start`` on: ((B, H, W, 3) uint8, (B,) int64 proxy indices).

    Args:
        sources: parts of a batch; those whose own ``start`` has come.
        width, height: canvas in pixels.
        seed, start: the batch of step s is a function of (seed, s).
        how: strength of the augmentation.
        later: its strength from a step on, as (step, strength).
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        width: int,
        height: int,
        seed: int,
        start: int,
        how: Augmentation | None = None,
        later: tuple[int, Augmentation] | None = None,
    ) -> None:
        self.sources, self.width, self.height, self.seed, self.start = list(sources), width, height, seed, start
        self.how, self.later = how or Augmentation(), later

    def batch(self, step: int) -> Batch:
        """The batch of one step.

        Raises:
            ValueError: if no source takes part in it.
        """
        rng = np.random.default_rng([self.seed, step])
        drawn = [crop for source in self.sources if step >= source.start for crop in source.draw(rng)]
        if not drawn:
            raise ValueError(f"no source takes part in step {step}")
        how = self.later[1] if self.later is not None and step >= self.later[0] else self.how
        views = draw_views(drawn, self.width, self.height, rng, how)
        return views, np.array([proxy for *_, proxy in drawn], np.int64)

    def __iter__(self) -> Iterator[Batch]:
        step = self.start
        while True:
            yield self.batch(step)
            step += 1


def draw_views(
    drawn: Sequence[Drawn], width: int, height: int, rng: np.random.Generator, how: Augmentation
) -> npt.NDArray[np.uint8]:
    """One augmented view of each crop, among neighbours from the same list: (B, height, width, 3) uint8."""
    out = np.empty((len(drawn), height, width, 3), np.uint8)
    for index, own in enumerate(drawn):
        # half of the time the neighbour is the same goods, as on a shelf
        other = drawn[index if rng.random() < 0.5 else int(rng.integers(len(drawn)))]
        out[index] = augment(*_goods(own), *_goods(other), width=width, height=height, rng=rng, how=how)
    return out


def _goods(drawn: Drawn) -> tuple[npt.NDArray[np.uint8], tuple[int, int]]:
    """A drawn crop's RGBA canvas, changed if it is a virtual identity's, and the (width, height) of its goods."""
    store, row, change, _ = drawn
    width, height = store.size[row].tolist()
    canvas = np.asarray(store.pixels[row])
    if change is not None:
        canvas = canvas.copy()
        canvas[:height, :width, :3] = recolour(np.ascontiguousarray(canvas[:height, :width, :3]), change)
    return canvas, (width, height)
