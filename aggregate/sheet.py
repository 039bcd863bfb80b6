"""The contact sheet: the crops of every cluster over all scenes, most objects first, singles as a grid, noise last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packed_scenes.aggregate.colors import NOISE_COLOR, Color, assign_colors
from packed_scenes.aggregate.legend import INK, PAPER, cut, letterbox, title
from packed_scenes.aggregate.lettering import badge_size, draw_badge, paste, text_mask
from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE, Objects

Image = npt.NDArray[np.uint8]

TEXT = 18  # text height in pixels
GAP = 8
HEAD = 30  # pixels above the crops: badge and count
MIN_PROBABILITY = 0.5  # probability below which a member is marked
UNCERTAIN_COLOR: Color = (230, 120, 0)


@dataclass(frozen=True)
class _Row:
    """One cluster: its number of objects, and the (part, row) of the objects shown."""

    cluster: int
    count: int
    shown: list[tuple[int, int]]


class ContactSheet:
    """Collects crops scene by scene, so that one picture at a time is in memory, and draws the sheet.

    Crops of a cluster run from its most to its least probable member, evenly thinned where there are more than fit, so
    that the doubtful ones are seen, too; they are marked with "?".

    Args:
        parts: (scene name, objects with ``cluster``) of the whole run.
        colors: cluster -> colour (:func:`packed_scenes.aggregate.assign_colors`); None = from the parts.
        columns: most crops per cluster; the rest becomes "+n more".
        rows: most clusters; the smallest become "+n more clusters", noise keeps its row.
        cell: (height, width) of a crop in pixels.
        names: cluster -> name to write instead of its number.

    Memory: rows x columns x cell x 3 bytes at most (88 MB with the defaults if all are large), twice while drawing.

    Raises:
        InputError: if objects have no cluster, or a scene name repeats.

    Example:
        >>> sheet = ContactSheet([(scene.name, objects)])  # doctest: +SKIP
        >>> sheet.add(scene.name, scene.image)  # doctest: +SKIP
        >>> picture = sheet.draw()  # doctest: +SKIP
    """

    def __init__(
        self,
        parts: Sequence[tuple[str, Objects]],
        *,
        colors: Mapping[int, Color] | None = None,
        columns: int = 12,
        rows: int = 200,
        cell: tuple[int, int] = (128, 96),
        names: Mapping[int, str] | None = None,
    ) -> None:
        if columns < 1 or rows < 1 or min(cell) < 1:
            raise InputError(f"columns, rows and cell must be at least 1, got {columns}, {rows} and {cell}")
        self._parts = [objects for _, objects in parts]
        self._index = {name: at for at, (name, _) in enumerate(parts)}
        if len(self._index) != len(parts):
            raise InputError("scene names repeat on the contact sheet", remedy="Give every scene its own name.")
        self._colors = assign_colors(self._parts) if colors is None else colors
        self._columns, self._cell, self._names = columns, cell, names or {}
        self._rows, self._left_out = _choose(self._parts, columns, rows)
        self._crops: dict[tuple[int, int], Image] = {}

    @property
    def scenes_needed(self) -> list[str]:
        """Names of the scenes whose pictures the sheet needs, in the order given; the others need not be read."""
        parts = {key[0] for row in self._rows for key in row.shown}
        return [name for name, at in self._index.items() if at in parts]

    def add(self, name: str, image: Image) -> None:
        """Cut one scene's crops out of its picture, (H, W, 3) uint8 RGB.

        Raises:
            InputError: if the scene is none of the run's.
        """
        if name not in self._index:
            raise InputError(f"scene {name!r} is not on this contact sheet")
        part = self._index[name]
        for row in self._rows:
            for key in row.shown:
                if key[0] == part:
                    self._crops[key] = letterbox(cut(image, self._parts[part].xyxy[key[1]]), self._cell)

    @property
    def shown(self) -> list[tuple[int, int]]:
        """(part, row) of every object that is shown."""
        return [key for row in self._rows for key in row.shown]

    def add_crop(self, key: tuple[int, int], crop: Image) -> None:
        """Show a ready-made crop, (H, W, 3) uint8 RGB, for one of ``shown``; instead of :meth:`add`."""
        self._crops[key] = letterbox(crop, self._cell)

    def first_crops(self) -> dict[int, Image]:
        """The crop of the most probable member of each cluster, by cluster; absent where its scene was not added."""
        found = {row.cluster: self._crops.get(row.shown[0]) for row in self._rows}
        return {cluster: crop for cluster, crop in found.items() if crop is not None}

    def draw(self) -> Image:
        """Draw the sheet as (H, W, 3) uint8 RGB; crops of scenes that were not added stay grey."""
        tall, wide = self._cell[0] + HEAD, self._cell[1] + GAP
        widths = [max(1, len(row.shown) + (row.count > len(row.shown))) for row in self._rows]
        noisy = bool(self._rows) and self._rows[-1].cluster == NOISE  # noise has a line of its own
        lines = _flow(widths[:-1] if noisy else widths, self._columns + 1)
        if noisy:
            lines.append([(len(widths) - 1, widths[-1])])
        across = max([sum(width for _, width in line) for line in lines], default=4)
        height = GAP + max(1, len(lines)) * (tall + GAP) + (2 * TEXT if self._left_out else 0)
        sheet = np.full((height, max(GAP + across * wide, 12 * TEXT), 3), PAPER, np.uint8)
        if not self._rows:
            paste(sheet, text_mask("no objects", TEXT), (GAP, (height - TEXT) // 2), INK)
        for number, line in enumerate(lines):
            x, y = GAP, GAP + number * (tall + GAP)
            for at, width in line:
                self._draw_cluster(sheet, self._rows[at], x, y)
                x += width * wide
        if self._left_out:
            paste(sheet, text_mask(f"+{self._left_out} more clusters", TEXT), (GAP, height - 2 * TEXT), INK)
        return sheet

    def _draw_cluster(self, sheet: Image, row: _Row, x: int, y: int) -> None:
        """Draw one cluster with its top left at (x, y): its badge and count above its crops."""
        tall, wide = self._cell
        amount = f"x {row.count}"
        if row.cluster == NOISE:
            label = text_mask("noise", TEXT)
            paste(sheet, label, (x, y + (HEAD - label.shape[0]) // 2), INK)
            right = x + label.shape[1]
        else:
            cells = max(1, len(row.shown) + (row.count > len(row.shown)))
            counted = GAP + text_mask(amount, TEXT - 3).shape[1] if row.count > 1 else 0
            name = title(row.cluster, self._names, TEXT, cells * (wide + GAP) - GAP - counted)
            draw_badge(sheet, name, (x, y), TEXT, self._colors[row.cluster])
            right = x + badge_size(name, TEXT)[0]
        if row.count > 1:
            paste(sheet, text_mask(amount, TEXT - 3), (right + GAP, y + 4), INK)
        y += HEAD
        for column, key in enumerate(row.shown):
            left = x + column * (wide + GAP)
            crop = self._crops.get(key)
            sheet[y : y + tall, left : left + wide] = np.array(NOISE_COLOR, np.uint8) if crop is None else crop
            if row.count > 1 and row.cluster != NOISE and self._confident(key) < MIN_PROBABILITY:
                sheet[y + tall - 3 : y + tall, left : left + wide] = UNCERTAIN_COLOR
                draw_badge(sheet, "?", (left + 2, y + tall - 2 * TEXT), TEXT - 4, UNCERTAIN_COLOR)
        if row.count > len(row.shown):
            more = text_mask(f"+{row.count - len(row.shown)} more", TEXT - 3)
            paste(sheet, more, (x + len(row.shown) * (wide + GAP), y + (tall - TEXT) // 2), INK)

    def _confident(self, key: tuple[int, int]) -> float:
        probability = self._parts[key[0]].probability
        return 1.0 if probability is None else float(probability[key[1]])


def _flow(widths: Sequence[int], across: int) -> list[list[tuple[int, int]]]:
    """Break blocks of given widths into lines of at most ``across`` cells; return (block, width) by line."""
    lines: list[list[tuple[int, int]]] = []
    free = 0
    for at, width in enumerate(widths):
        if width > free:
            lines.append([])
            free = max(across, width)
        lines[-1].append((at, width))
        free -= width
    return lines


def _choose(parts: Sequence[Objects], columns: int, rows: int) -> tuple[list[_Row], int]:
    """Choose the clusters and objects to show; return them and the number of clusters left out."""
    for objects in parts:
        if objects.cluster is None:
            raise InputError("objects have no cluster yet", remedy="Cluster them first.")
    cluster = np.concatenate([np.zeros(0, np.int64), *(p.cluster for p in parts if p.cluster is not None)])
    membership = np.concatenate(
        [np.zeros(0), *(np.ones(len(p)) if p.probability is None else p.probability for p in parts)]
    )
    part = np.repeat(np.arange(len(parts)), [len(p) for p in parts])
    place = np.concatenate([np.zeros(0, np.int64), *(np.arange(len(p)) for p in parts)])
    # as the tables show them: the last bits of a probability change with the number of threads
    order = np.lexsort((place, part, -np.round(membership, 4), cluster))
    ids, start, count = np.unique(cluster[order], return_index=True, return_counts=True)
    by_size = np.lexsort((ids, -count, ids == NOISE)).tolist()
    noisy = int(len(ids) > 0 and ids[by_size[-1]] == NOISE)
    shown = by_size if len(by_size) <= rows else by_size[: rows - noisy] + by_size[-1:] * noisy
    chosen = []
    for at in shown:
        members = order[start[at] : start[at] + count[at]]
        kept = members[np.unique(np.linspace(0, len(members) - 1, min(columns, len(members))).round().astype(int))]
        keys = list(zip(part[kept].tolist(), place[kept].tolist(), strict=True))
        chosen.append(_Row(int(ids[at]), int(count[at]), keys))
    return chosen, len(by_size) - len(shown)
