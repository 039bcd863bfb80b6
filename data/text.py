"""Text files from outside: UTF-8, or what an editor or a spreadsheet made of it."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

from packed_scenes.data.checks import shorten
from packed_scenes.data.errors import InputError
from packed_scenes.data.files import read_bytes

_SHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")  # .xlsx and .ods; .xls
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: str | Path, *, what: str = "label", any_encoding: bool = False) -> str:
    """Read a text file: UTF-8, or UTF-16 that says so by its byte order mark, which is dropped.

    Args:
        path: the file.
        what: what it is, for messages.
        any_encoding: take what is no UTF-8 for Windows-1252, as spreadsheets save it in western Europe.

    Raises:
        InputError: if it cannot be read, is empty or is no text.
    """
    return decode_text(read_bytes(path, what=what), file=path, what=what, any_encoding=any_encoding)


def decode_text(data: bytes, *, file: str | Path, what: str = "label", any_encoding: bool = False) -> str:
    """Decode as :func:`read_text` does; ``file`` is for messages.

    Raises:
        InputError: if it is no text.
    """
    if data.startswith(_SHEETS):
        raise InputError("is a spreadsheet or an archive, no text", file=file, remedy=f"Save the {what} file as CSV.")
    wide = data.startswith(_WIDE)
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        if any_encoding and not wide and b"\0" not in data:
            return data.decode("cp1252", "replace")
        raise InputError(
            f"is no UTF-8 text (byte {error.start})", file=file, remedy=f"Save the {what} file as UTF-8 text."
        ) from error


def read_lines(path: str | Path, *, what: str = "list") -> list[str]:
    """Read a list with one entry a line, without the space and the quotes around it; empty lines are skipped.

    Raises:
        InputError: as :func:`read_text`.
    """
    stripped = (line.strip() for line in read_text(path, what=what, any_encoding=True).splitlines())
    return [_unquoted(line) for line in stripped if line]


def _unquoted(line: str) -> str:
    quoted = len(line) > 2 and line[0] == line[-1] == '"'
    return line[1:-1].replace('""', '"') if quoted else line


def load_json(text: str | bytes) -> Any:
    """Parse JSON of our own files and cards, where a key that appears twice is no matter.

    Raises:
        ValueError: whatever is wrong with it; the standard library has an error of its own for deep nesting.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def parse_json(text: str, *, file: str | Path) -> Any:
    """Parse JSON; a key that appears twice is an error, because the first value would be lost.

    Raises:
        InputError: with line and column where the text is no JSON, is nested too deeply or repeats a key.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            seen: set[str] = set()
            twice = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]
            raise InputError(
                f"the key {shorten(twice)} appears twice", file=file, remedy="Give every entry its own key."
            )
        return made

    try:
        return json.loads(text, object_pairs_hook=unique)
    except InputError:
        raise
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"is no valid JSON ({error.msg}, {where})", file=file, remedy="Export it again.") from error
    except (RecursionError, ValueError) as error:  # ValueError: an integer of thousands of digits
        reason = "nested too deeply" if isinstance(error, RecursionError) else "a number is too long"
        raise InputError(f"is no valid JSON ({reason})", file=file, remedy="Export it again.") from error
