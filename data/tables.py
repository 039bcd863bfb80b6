"""Tables that a person may have edited: what spreadsheets and editors make of a CSV file reads as before.

Taken as they come: a byte order mark, UTF-16, Windows-1252, lines that end in CR, LF or both, a missing last line end,
semicolons or tabs between the cells (with decimal commas), a first line ``sep=;``, quotes, space around cells, empty
lines and empty cells at the end of a line, capital letters in the header. Cells are given as the texts that
:mod:`packed_scenes.data.cells` wrote.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from packed_scenes.data.cells import from_cell
from packed_scenes.data.errors import InputError
from packed_scenes.data.naming import match_names
from packed_scenes.data.text import read_text

_DELIMITERS = ",;\t|"
_LONGEST = 1 << 20  # bytes in a cell


@dataclass(frozen=True)
class Table:
    """Rows under a header.

    Attributes:
        file: where it comes from.
        header: the columns, lower case, without the space around them.
        rows: the cells, without the space around them; a row may be shorter or longer than the header.
        lines: (rows,) number of each row's (last) line in the file.
        delimiter: between the cells.
        raw_header: the header as it is written.
        header_line: its line.
    """

    file: Path
    header: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int] = field(default_factory=list)
    delimiter: str = ","
    raw_header: tuple[str, ...] = ()
    header_line: int = 1

    def column(self, *names: str) -> str | None:
        """The first of these columns that is there."""
        return next((name for name in names if name in self.header), None)

    def require(self, *names: str, remedy: str = "") -> None:
        """Make sure that columns are there, each once.

        Raises:
            InputError: naming the missing one and those that are there.
        """
        for name in names:
            if self.header.count(name) != 1:
                problem = "is missing" if name not in self.header else "appears twice"
                shown = ", ".join(self.header[:8]) or "none"
                raise InputError(
                    f"column {name!r} {problem}; found {shown}",
                    file=self.file,
                    remedy=remedy or f"Columns: {','.join(names)}.",
                )

    def records(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Give (line, cells by column); cells that a row lacks are empty."""
        for line, cells in zip(self.lines, self.rows, strict=True):
            yield line, {n: cells[i] if i < len(cells) else "" for i, n in enumerate(self.header)}


def read_table(path: str | Path, *columns: str, what: str = "table", remedy: str = "") -> Table:
    """Read a table with a header.

    Args:
        path: the file.
        *columns: that must be there.
        what: what it is, for messages.
        remedy: what to do if a column is missing; default: the columns' names.

    Raises:
        InputError: if it cannot be read, is no table or lacks a column.
    """
    table = parse_table(read_text(path, what=what, any_encoding=True), file=path)
    table.require(*columns, remedy=remedy)
    return table


def parse_table(text: str, *, file: str | Path, strict: bool = False) -> Table:
    """Parse the text of a table, the first line with content being its header.

    Args:
        text: the content.
        file: for messages.
        strict: refuse quotes that do not close where they should.

    Raises:
        InputError: if it is no table.
    """
    table = _parse(text, file, strict)
    raw = table.raw_header
    if len(raw) == 1 and not any(len(row) > 1 for row in table.rows) and any(d in raw[0] for d in _DELIMITERS):
        inner = "\n".join([raw[0], *(row[0] for row in table.rows)])  # an editor put every line into quotes
        bare = _parse(inner, file, strict)
        if len(bare.header) > 1 and len(bare.rows) == len(table.rows):
            return replace(bare, lines=table.lines, header_line=table.header_line)
    return table


def _parse(text: str, file: str | Path, strict: bool) -> Table:
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    first, _, rest = text.lstrip("\n").partition("\n")
    said = _said(first)
    skipped = 0
    if said is not None:
        text, skipped = rest, 1
    delimiter = said or delimiter_of(text)
    filled = _filled_rows(text, delimiter, strict, file)
    at, first_row = filled[0] if filled else (1 - skipped, [])
    raw = tuple(_without_empty_end(first_row, 0))
    header = tuple(cell.lower() for cell in raw)
    rows = [_without_empty_end(cells, len(header)) for _, cells in filled[1:]]
    lines = [line + skipped for line, _ in filled[1:]]
    return Table(Path(file), header, rows, lines, delimiter, raw, at + skipped)


def _filled_rows(text: str, delimiter: str, strict: bool, file: str | Path) -> list[tuple[int, list[str]]]:
    """The rows that are not empty, each with the number of the line that it ends in."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    before = csv.field_size_limit(_LONGEST)
    try:
        rows = ((reader.line_num, [from_cell(cell.strip()) for cell in found]) for found in reader)
        return [(line, cells) for line, cells in rows if any(cells)]
    except csv.Error as error:
        raise InputError(
            f"line {reader.line_num}: is no valid CSV ({error})", file=file, remedy="Export it again."
        ) from error
    finally:
        csv.field_size_limit(before)


def _without_empty_end(cells: list[str], width: int) -> list[str]:
    """Cells without the empty ones behind the last column of ``width``."""
    end = len(cells)
    while end > width and not cells[end - 1]:
        end -= 1
    return cells[:end]


def _said(first: str) -> str | None:
    """The delimiter that a line ``sep=;`` names (``""`` where it names none); None if it is no such line."""
    line = first.strip(" ").strip('"').lower()
    if not line.startswith("sep=") or len(line.rstrip(",;")) > 5:
        return None
    return line[4:5]


def delimiter_of(text: str) -> str:
    """The character between the cells: of comma, semicolon, tab and bar, the most frequent one outside quotes in the
    first line.
    """
    first = next((line for line in text[:100_000].splitlines() if line.strip()), "")
    outside = "".join(first.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def by_name(
    table: Table, names: Sequence[str], key: str = "file"
) -> tuple[dict[int, dict[str, str]], Mapping[int, str]]:
    """The rows of a table that belong to files, by the rule of :mod:`packed_scenes.data.naming`.

    Args:
        table: with a column of file names.
        names: the files.
        key: that column.

    Returns:
        The cells by row of ``names``, and by row of ``names`` why a file that something fits gets none.

    Raises:
        InputError: if two lines name one file and say different things.
    """
    records: dict[str, tuple[int, dict[str, str]]] = {}
    for line, cells in table.records():
        name = cells[key]
        known = records.setdefault(name, (line, cells))
        if known[1] != cells:
            raise InputError(
                f"lines {known[0]} and {line} both name {name!r} and differ", file=table.file, remedy="Remove one."
            )
    entries = list(records)
    matched = match_names(names, entries)
    return {row: records[entries[e]][1] for row, e in matched.entry.items()}, matched.unclear
