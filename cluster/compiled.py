"""How inner loops are compiled: once per machine, kept on disk, free of the interpreter's lock."""

from __future__ import annotations

from typing import Any

import numba


def compiled(function: Any, *, fastmath: bool = False) -> Any:
    """Compile with numba; in memory only where neither the package's folder nor the user's cache can be written.

    Args:
        function: what to compile.
        fastmath: let sums be reordered; not where distances may be infinite or the last digit matters.
    """
    try:
        return numba.njit(nogil=True, fastmath=fastmath, cache=True)(function)
    except RuntimeError:  # "no locator available"
        return numba.njit(nogil=True, fastmath=fastmath)(function)
