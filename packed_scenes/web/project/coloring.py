"""Colours of groups that have none yet; a group keeps its colour for good."""

from __future__ import annotations

from typing import Any

import numpy as np

from packed_scenes.data.objects import NOISE, Objects
from packed_scenes.web.project.document import Change, Document

FAR = 1e4  # px between boxes that are nobody's neighbours


def fresh_colors(document: Document, change: Change) -> dict[str, tuple[Any, Any]]:
    """The values that a change needs besides, as ``color/<group>`` -> (None, [red, green, blue]).

    Only the photos where something new stands are looked at for neighbours; of all other groups it matters alone that
    their colours are taken.
    """
    from packed_scenes.aggregate import assign_colors

    if not {"cluster", "alive"} & set(change.columns):
        return {}
    columns = dict(document.columns)
    for name, patch in change.columns.items():
        columns[name] = columns[name].copy()
        columns[name][patch.at] = patch.new
    known = {int(k): tuple(v) for k, v in document.keyed("color").items()}
    alive, cluster = columns["alive"], columns["cluster"]
    fresh = alive & ~np.isin(cluster, [NOISE, *known])
    if not fresh.any():
        return {}
    shown = alive & np.isin(columns["photo"], columns["photo"][fresh])
    parts = [
        Objects.from_boxes(columns["xyxy"][here], cluster=cluster[here])
        for number in np.unique(columns["photo"][shown]).tolist()
        for here in [np.flatnonzero(shown & (columns["photo"] == number))]
    ]
    others = np.setdiff1d(cluster[alive], [NOISE, *cluster[shown].tolist()])
    if len(others):
        at = np.arange(len(others), dtype=np.float32)[:, None] * np.float32(FAR)
        parts.append(Objects.from_boxes(at + np.array([0, 0, 1, 1], np.float32), cluster=others))
    found = assign_colors(parts, fixed=known)
    return {f"color/{c}": (None, list(color)) for c, color in found.items() if c not in known}
