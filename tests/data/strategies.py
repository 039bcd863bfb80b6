"""Hypothesis strategies for the types of package ``data``."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from packed_scenes.data import Objects


@st.composite
def objects(draw: st.DrawFn, *, max_rows: int = 12, complete: bool | None = None, prefix: str = "") -> Objects:
    """Valid objects; ``complete`` decides whether the optional columns are there (None = drawn for each)."""
    count = draw(st.integers(0, max_rows))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    corner = rng.uniform(0, 900, (count, 2)).astype(np.float32)
    extent = rng.uniform(1, 90, (count, 2)).astype(np.float32)
    made = Objects.from_boxes(
        np.concatenate([corner, corner + extent], axis=1),
        score=rng.random(count),
        class_id=rng.integers(0, 5, count),
        object_id=[f"{prefix}{i}" for i in rng.permutation(1000)[:count]],
    )
    columns = {}
    for name in ("embedding", "cluster", "probability", "congregation"):
        if draw(st.booleans()) if complete is None else complete:
            columns[name] = {
                "embedding": lambda: _unit(rng.normal(size=(count, 5))),
                "cluster": lambda: rng.integers(-1, 4, count),
                "probability": lambda: rng.random(count),
                "congregation": lambda: rng.integers(-1, 3, count),
            }[name]()
    return made.replace(**columns)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
