"""How inner loops are compiled: once per machine, kept on disk, free of the interpreter's lock."""

from __future__ import annotations

from typing import Any

import numba


def compiled(function: Any) -> Any:
    """Compile with numba. No fastmath: distances may be infinite, and results must not depend on the machine."""
    return numba.njit(nogil=True, cache=True)(function)
