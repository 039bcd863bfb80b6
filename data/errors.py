"""The one error that means "your input, not our code", and a choice by name that raises it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

Choice = TypeVar("Choice", bound=StrEnum)

MAX_MESSAGE = 1000  # characters; messages quote what files say


class InputError(ValueError):
    """Bad input from outside: a file, a table, an option.

    Its text is one line that names the file and says what to do about it; command lines print it and exit with code 2.

    Args:
        message: what is wrong, with expected and actual values where that helps.
        file: the file at fault, put in front of the message.
        remedy: what the user can do, put behind it.
    """

    def __init__(self, message: str, *, file: str | Path | None = None, remedy: str | None = None) -> None:
        line = one_line(" ".join(str(message).split()))
        self.message = line if len(line) <= MAX_MESSAGE else f"{line[: MAX_MESSAGE - 1]}…"
        self.file = None if file is None else one_line(str(file))
        self.remedy = remedy
        text = f"{self.file}: {self.message}" if self.file else self.message
        super().__init__(f"{text}. {remedy}" if remedy else text)


def named(kind: type[Choice], name: str, what: str) -> Choice:
    """Return the member of ``kind`` that is called ``name``.

    Args:
        kind: the names there are.
        name: the wanted one.
        what: what is chosen, for the message.

    Raises:
        InputError: if there is none, with those that there are.
    """
    try:
        return kind(name)
    except ValueError as error:
        raise InputError(f"unknown {what} {name!r}", remedy=f"Choose one of: {', '.join(kind)}") from error


@contextmanager
def of_file(file: str | Path, *, remedy: str) -> Iterator[None]:
    """Name the file, and what to do about it, in every InputError of the block that does not."""
    try:
        yield
    except InputError as error:
        if error.file is not None and error.remedy is not None:
            raise
        raise InputError(error.message, file=error.file or file, remedy=error.remedy or remedy) from error


def one_line(text: str) -> str:
    """Escape what would break the line or steer the terminal: names and messages can come from anyone."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
