"""The table of the clusters of crops, one form for every command that writes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt


def label_table(
    names: Sequence[str], labels: npt.NDArray[np.int64], probability: npt.NDArray[np.floating], **more: Iterable[object]
) -> list[tuple[object, ...]]:
    """Return a header and one row per crop: ``file, cluster, probability``, then the columns of ``more`` by name.

    Args:
        names: (N,) files.
        labels: (N,) clusters, -1 = noise.
        probability: (N,) in [0, 1], written with four digits.
        more: further columns of N values each.
    """
    rows = zip(names, labels.tolist(), (f"{p:.4f}" for p in probability.tolist()), *more.values(), strict=True)
    return [("file", "cluster", "probability", *more), *rows]
