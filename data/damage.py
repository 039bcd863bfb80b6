"""What the libraries underneath raise on damaged files, to be reported as one line."""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib

# of NumPy and zipfile; RuntimeError: encrypted members, SyntaxError and TokenError: headers of arrays
UNREADABLE = (
    ValueError, OSError, EOFError, KeyError, TypeError, struct.error, zipfile.BadZipFile, zlib.error, RuntimeError,
    OverflowError, MemoryError, SyntaxError, tokenize.TokenError,
)  # fmt: skip


def reason(error: BaseException) -> str:
    """Return the reason, cut: some libraries quote whole headers."""
    return f"{type(error).__name__}: {error}"[:200]
