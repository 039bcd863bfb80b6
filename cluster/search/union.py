"""Disjoint sets in one array: ``parent[a]`` is another member of a's set, and of its root the root itself.

Source: Tarjan and van Leeuwen 1984, "Worst-case analysis of set union algorithms" (path halving).
"""

from __future__ import annotations

from typing import Any

from packed_scenes.cluster.compiled import compiled


# numba keeps its callers compiled on disk and does not see changes here: after one, their files must change too.
@compiled
def find(parent: Any, a: int) -> Any:  # pragma: no cover
    """Return the root of ``a``'s set; every other node on the way is hung one level higher, in place."""
    while parent[a] != a:
        parent[a] = parent[parent[a]]
        a = parent[a]
    return a
