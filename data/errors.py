"""The one error that means "your input, not our code"."""

from __future__ import annotations

from pathlib import Path


class InputError(ValueError):
    """Bad input from outside: a file, a table, an option.

    Its text is one line that names the file and says what to do about it; command lines print it and exit with code 2.

    Args:
        message: what is wrong, with expected and actual values where that helps.
        file: the file at fault, put in front of the message.
        remedy: what the user can do, put behind it.
    """

    def __init__(self, message: str, *, file: str | Path | None = None, remedy: str | None = None) -> None:
        self.message = " ".join(str(message).split())
        self.file = None if file is None else str(file)
        self.remedy = remedy
        text = f"{self.file}: {self.message}" if self.file else self.message
        super().__init__(f"{text}. {remedy}" if remedy else text)
