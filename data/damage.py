"""What the libraries underneath raise on damaged files, to be reported as one line."""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from packed_scenes.data.errors import InputError

# of NumPy and zipfile; RuntimeError: encrypted members, SyntaxError and TokenError: headers of arrays
UNREADABLE = (
    ValueError, OSError, EOFError, KeyError, TypeError, struct.error, zipfile.BadZipFile, zlib.error, RuntimeError,
    OverflowError, MemoryError, SyntaxError, tokenize.TokenError,
)  # fmt: skip


@contextmanager
def one_line_of(
    file: str | Path | None, what: str, *, remedy: str | None = None, kinds: tuple[type[Exception], ...] = UNREADABLE
) -> Iterator[None]:
    """Turn what a damaged file raises in the block into one line; an InputError passes as it is.

    Args:
        file: the file at fault, None = not known here.
        what: what is wrong; the reason follows in brackets.
        remedy: what to do about it.
        kinds: of the exceptions.

    Raises:
        InputError: in place of these.
    """
    try:
        yield
    except InputError:
        raise
    except kinds as error:
        raise InputError(f"{what} ({reason(error)})", file=file, remedy=remedy) from error


def reason(error: BaseException) -> str:
    """Return the reason, cut: some libraries quote whole headers."""
    return f"{type(error).__name__}: {error}"[:200]
