r"""Text as cells of a CSV table, such that no spreadsheet runs it and every reader of this project gets it back.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, whoever wrote it, and formulas
can fetch addresses and start programs (OWASP, "CSV injection"). So:

- a text that begins with one of these (or their full-width forms) and is no number gets an apostrophe in front;
- a text with hidden characters (:mod:`packed_scenes.data.hidden`), with space at an end, or with a formula behind a
  semicolon (where some countries' spreadsheets begin a cell) is written as ``'\`` and the text with backslash escapes
  (``\\``, ``\n``, ``\r``, ``\t``, ``\xNN``, ``\uNNNN``);
- a text that begins with an apostrophe and could be mistaken for one of these gets one more.

Numbers stay numbers, and every other text stays as it is. :func:`from_cell` is the inverse of :func:`to_cell` for every
text; :mod:`packed_scenes.data.tables` applies it to what it reads.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from numbers import Number
from typing import Any

from packed_scenes.data.hidden import HIDDEN

_FORMULA = r"=+\-@\uff0b\uff0d\uff1d\uff20"
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_MARK = re.compile(rf"[{_FORMULA}]|'[{_FORMULA}'\\]")
_SPLIT = re.compile(rf'(;["\s]*)([{_FORMULA}])')
_ENDS = re.compile(r"\s|.*\s\Z", re.DOTALL)
_ESCAPE = re.compile(r"\\(\\|n|r|t|x[0-9a-f]{2}|u[0-9a-f]{4})")
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_LONG = {"\\": "\\", "n": "\n", "r": "\r", "t": "\t"}


def to_cell(value: object) -> object:
    """Return a value as a cell: numbers and None as they are, everything else as harmless text."""
    if value is None or isinstance(value, Number):
        return value
    text = str(value)
    if HIDDEN.search(text) or _ENDS.match(text) or _SPLIT.search(text):
        return "'\\" + _escape(text)
    return f"'{text}" if _MARK.match(text) and not _NUMBER.fullmatch(text) else text


def from_cell(cell: str) -> str:
    """Return the text that :func:`to_cell` made a cell of; any other cell is returned as it is."""
    if cell.startswith("'\\"):
        return _ESCAPE.sub(_unescape, cell[2:])
    return cell[1:] if cell.startswith("'") and _MARK.match(cell) else cell


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """Write rows as CSV text, the header first, lines ending in LF."""
    out = io.StringIO()
    write_rows(out, rows)
    return out.getvalue()


def write_rows(out: Any, rows: Iterable[Iterable[object]]) -> None:
    """Write rows as CSV into an open text file (made with ``newline=""``)."""
    csv.writer(out, lineterminator="\n").writerows([to_cell(value) for value in row] for row in rows)


def _escape(text: str) -> str:
    text = HIDDEN.sub(_code, text.replace("\\", r"\\"))
    text = _SPLIT.sub(lambda found: found[1] + _code(found[2]), text)
    return text[:-1] + _code(text[-1]) if text[-1].isspace() else text


def _code(found: re.Match[str] | str) -> str:
    character = found if isinstance(found, str) else found[0]
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def _unescape(found: re.Match[str]) -> str:
    code = found[1]
    return _LONG.get(code) or chr(int(code[1:], 16))
