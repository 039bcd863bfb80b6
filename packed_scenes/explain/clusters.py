"""Clusters by their most central, their most doubtful, and the nearest foreign crops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.tables import by_name, read_table

if TYPE_CHECKING:
    from packed_scenes.cluster import MembershipEvidence
    from packed_scenes.crops.listing import Crops

Image = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

CELL, GAP, TEXT = (128, 96), 8, 15
HEADS = ("most central", "most doubtful", "nearest foreign")


def read_labels(path: Path, names: Sequence[str]) -> Labels:
    """Read the clusters of crops from a CSV with the columns ``file`` and ``cluster``; crops without a line are noise.

    Raises:
        InputError: if the file has no such columns, a cluster is no whole number, or no crop is in it.
    """
    found, _ = by_name(read_table(path, "file", "cluster", what="labels", remedy="Columns: file,cluster."), names)
    try:
        labels = np.array(
            [max(int(float(found[row]["cluster"])), -1) if row in found else -1 for row in range(len(names))], np.int64
        )
    except (ValueError, OverflowError) as error:
        raise InputError(f"no readable labels ({error})", file=path, remedy="Columns: file,cluster.") from error
    if (labels < 0).all():
        raise InputError("names none of the crops", file=path, remedy="Give the folder that the labels were made of.")
    return labels


def chosen_rows(labels: Labels, about: MembershipEvidence, cluster: int, *, each: int) -> list[list[int]]:
    """Rows of the most central members, the most doubtful others, and the nearest rows of other clusters."""
    members = np.flatnonzero(labels == cluster)
    order = members[np.lexsort((members, about.own[members]))]
    central = order[:each].tolist()
    doubtful = [int(r) for r in members[np.lexsort((members, -about.ambiguity[members]))] if r not in central][:each]
    foreign = about.foreign[order]
    _, first = np.unique(foreign, return_index=True)
    near = [int(foreign[i]) for i in np.sort(first) if foreign[i] >= 0][:each]
    return [central, doubtful, near]


def draw_clusters(
    crops: Crops, labels: Labels, about: MembershipEvidence, *, clusters: int = 12, each: int = 3, doubtful: bool = True
) -> tuple[Image, list[int]]:
    """Draw one row per cluster of several crops.

    Args:
        crops: the collection.
        labels: (N,) clusters.
        about: of :func:`packed_scenes.cluster.membership_evidence`.
        clusters: at most so many.
        each: crops of each kind.
        doubtful: show the clusters with the most doubtful members first; else the largest first.

    Returns:
        (H, W, 3) uint8 RGB, and the clusters shown.

    Raises:
        InputError: if no cluster has several crops.
    """
    from packed_scenes.aggregate.legend import letterbox
    from packed_scenes.aggregate.lettering import paste, text_mask
    from packed_scenes.data.images import read_image

    size = np.bincount(labels[labels >= 0], minlength=1)
    worst = np.zeros(len(size))
    np.maximum.at(worst, labels[labels >= 0], about.ambiguity[labels >= 0])
    several = np.flatnonzero(size > 1)
    if not len(several):
        raise InputError("no cluster has several crops", remedy="Give other labels.")
    order = np.lexsort((several, -(worst if doubtful else size)[several]))
    shown = several[order][:clusters].tolist()
    tall, wide = CELL
    block = each * (wide + GAP) + GAP
    head, top = 7 * TEXT, 2 * TEXT + GAP
    sheet = np.full((top + len(shown) * (tall + TEXT + 2 * GAP), head + 3 * block, 3), 255, np.uint8)
    for place, text in enumerate(HEADS):
        paste(sheet, text_mask(text, TEXT + 3), (head + place * block, GAP), (20, 20, 20))
    for at, cluster in enumerate(shown):
        y = top + at * (tall + TEXT + 2 * GAP)
        paste(sheet, text_mask(f"cluster {cluster}", TEXT), (GAP, y + tall // 3), (20, 20, 20))
        paste(sheet, text_mask(f"x {size[cluster]}", TEXT), (GAP, y + tall // 3 + 2 * TEXT), (20, 20, 20))
        for place, rows in enumerate(chosen_rows(labels, about, cluster, each=each)):
            for column, row in enumerate(rows):
                x = head + place * block + column * (wide + GAP)
                sheet[y : y + tall, x : x + wide] = letterbox(read_image(crops.paths[row]), CELL)
                note = f"of {labels[row]}" if place == 2 else f"doubt {about.ambiguity[row]:.2f}"
                if place == 2 and labels[row] < 0:
                    note = "noise"
                paste(sheet, text_mask(note, TEXT - 3), (x, y + tall + 2), (90, 90, 90))
    return sheet, shown
