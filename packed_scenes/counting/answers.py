"""The answers about pairs: kept in a CSV the moment they are given, found again at the next start.

Columns ``first,second,answer``: file names relative to the folder of crops, and ``same``, ``different`` or ``unsure``.
What follows from earlier answers is not asked: two crops that are both the same as a third are the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path

from packed_scenes.cluster.counting import StopAsking
from packed_scenes.data.cells import write_rows
from packed_scenes.data.errors import InputError
from packed_scenes.data.files import write_csv
from packed_scenes.data.naming import rows_of
from packed_scenes.data.tables import read_table

COLUMNS = ["first", "second", "answer"]


class Answer(StrEnum):
    """What a person says about two crops."""

    SAME = "same"
    DIFFERENT = "different"
    UNSURE = "unsure"


class Undo(Exception):  # noqa: N818  (no error)
    """Raised by whoever answers: take the last answer back and ask again."""


Judge = Callable[[int, int], Answer]  # may raise Undo or StopAsking
VALUE = {Answer.SAME: 1.0, Answer.DIFFERENT: 0.0, Answer.UNSURE: 0.5}


class AnswerBook:
    """Answers by pair of rows, on disk if a file is given.

    Args:
        names: (N,) file name of each row, as written into the file.
        file: the CSV; read if it is there.

    Attributes:
        answers: (first row, second row, answer) in the order given, first < second.
        unknown: lines of the file about crops that are not in the folder; kept in the file.

    Raises:
        InputError: if the file is no such CSV.
    """

    def __init__(self, names: Sequence[str], file: Path | None = None) -> None:
        self.names, self.file = list(names), file
        self.answers: list[tuple[int, int, Answer]] = []
        self.unknown: list[tuple[str, str, Answer]] = []
        self._appends = True
        if file is not None and file.exists():
            self._read(file)
        self._index()

    def __len__(self) -> int:
        return len(self.answers)

    def known(self, a: int, b: int) -> Answer | None:
        """The answer about two rows, given or implied; None if it has to be asked."""
        pair = (min(a, b), max(a, b))
        if pair in self._given:
            return self._given[pair]
        one, two = self._root(a), self._root(b)
        if one == two:
            return Answer.SAME
        return Answer.DIFFERENT if two in self._apart.get(one, ()) else None

    def ask(self, a: int, b: int, judge: Judge) -> float:
        """Answer from what is known, or by the judge; 1 same, 0 different, .5 unsure."""
        found = self.known(a, b)
        if found is None:
            found = judge(a, b)
            self.add(a, b, found)
        return VALUE[found]

    def add(self, a: int, b: int, answer: Answer) -> None:
        """Keep an answer; it is on the disk when this returns."""
        self.answers.append((min(a, b), max(a, b), answer))
        self._note(*self.answers[-1])
        if self.file is None:
            return
        if not self.file.exists() or not self._appends:  # an edited file is written anew, in the form of ours
            self._write()
            return
        with open(self.file, "a", newline="", encoding="utf-8") as out:
            write_rows(out, [[self.names[min(a, b)], self.names[max(a, b)], answer.value]])
            out.flush()
            os.fsync(out.fileno())

    def undo(self) -> None:
        """Take the last answer back, if there is one."""
        if self.answers:
            self.answers.pop()
            self._index()
            if self.file is not None:
                self._write()

    def links(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Pairs of rows that must and that must not be in one cluster; contradictions go to "same"."""
        must = [(a, b) for a, b, answer in self.answers if answer is Answer.SAME]
        apart = [(a, b) for a, b, answer in self.answers if answer is Answer.DIFFERENT]
        return must, [(a, b) for a, b in apart if self._root(a) != self._root(b)]

    def _index(self) -> None:
        self._given: dict[tuple[int, int], Answer] = {}
        self._parent: dict[int, int] = {}
        self._apart: dict[int, set[int]] = {}
        for entry in self.answers:
            self._note(*entry)

    def _note(self, a: int, b: int, answer: Answer) -> None:
        self._given[a, b] = answer
        one, two = sorted((self._root(a), self._root(b)))
        if answer is Answer.SAME and one != two:
            self._parent[two] = one
            for other in self._apart.pop(two, ()):
                self._apart[other].discard(two)
                if other != one:  # a contradiction goes to "same"
                    self._hold_apart(one, other)
        elif answer is Answer.DIFFERENT and one != two:
            self._hold_apart(one, two)

    def _hold_apart(self, one: int, two: int) -> None:
        self._apart.setdefault(one, set()).add(two)
        self._apart.setdefault(two, set()).add(one)

    def _root(self, row: int) -> int:
        while (up := self._parent.get(row, row)) != row:
            row = up
        return row

    def _read(self, file: Path) -> None:
        if not file.stat().st_size:
            return
        table = read_table(file, *COLUMNS, what="answers")
        self._appends = table.delimiter == "," and file.read_bytes()[-1:] == b"\n"
        lines = list(table.records())
        row_of = rows_of([line[side] for _, line in lines for side in COLUMNS[:2]], self.names)
        for number, line in lines:
            first, second = line["first"], line["second"]
            try:
                answer = Answer(line["answer"].lower())
            except ValueError as error:
                raise InputError(
                    f"line {number} is no answer ({error})",
                    file=file,
                    remedy="Columns: first,second,answer; answers: same, different, unsure.",
                ) from error
            if first in row_of and second in row_of and row_of[first] != row_of[second]:
                a, b = sorted((row_of[first], row_of[second]))
                self.answers.append((a, b, answer))
            else:
                self.unknown.append((first, second, answer))

    def _write(self) -> None:
        assert self.file is not None
        rows = [(self.names[a], self.names[b], answer.value) for a, b, answer in self.answers]
        write_csv(self.file, [COLUMNS, *self.unknown, *rows])
        self._appends = True


def truth_judge(identity: Sequence[object], *, budget: int | None, book: AnswerBook) -> Judge:
    """Answer from known identities, up to ``budget`` answers in the book."""

    def judge(a: int, b: int) -> Answer:
        if budget is not None and len(book) >= budget:
            raise StopAsking
        return Answer.SAME if identity[a] == identity[b] else Answer.DIFFERENT

    return judge
