"""The list of crops for a person to look at, and what they wrote into it.

``review.csv``: ``file, cluster, doubt, central, nearest_cluster, nearest_central, nearest_foreign, decision``. Cluster
numbers change when the crops are clustered again, so decisions are read as relations between files: ``central`` is
the most central crop of the row's cluster, ``nearest_central`` that of the nearest other one.

=============  ==========================================================================
decision       meaning
=============  ==========================================================================
(empty)        nothing said
``keep``       it is the same thing as ``central``
``move``       it is the same as ``nearest_central``, and not the same as ``central``
``apart``      it is not the same as ``central``
``same FILE``  it is the same as that crop
``not FILE``   it is not the same as that crop
``noise``      it shows nothing that counts: it becomes noise (-1)
=============  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.cells import csv_text, from_cell
from packed_scenes.data.errors import InputError
from packed_scenes.data.naming import rows_of
from packed_scenes.data.tables import read_table

if TYPE_CHECKING:
    from packed_scenes.cluster import MembershipEvidence

COLUMNS = (
    "file", "cluster", "doubt", "central", "nearest_cluster", "nearest_central", "nearest_foreign", "decision",
)  # fmt: skip
WORDS = "keep, move, apart, same FILE, not FILE or noise"


@dataclass(frozen=True)
class Links:
    """What a person said, by file name.

    Attributes:
        same, different: pairs of files. noise: files that show nothing that counts.
    """

    same: tuple[tuple[str, str], ...] = ()
    different: tuple[tuple[str, str], ...] = ()
    noise: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.same) + len(self.different) + len(self.noise)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"same": [list(p) for p in self.same], "different": [list(p) for p in self.different],
                "noise": list(self.noise)}  # fmt: skip

    def rows(self, names: Sequence[str]) -> dict[str, npt.NDArray[np.int64]]:
        """``must_link`` and ``cannot_link`` as row pairs for a clusterer; pairs with a file that is gone are left out.

        Raises:
            InputError: if "different" contradicts "same"; the two files are named.
        """
        place = {name: row for row, name in enumerate(names)}

        def pairs(given: Sequence[tuple[str, str]]) -> npt.NDArray[np.int64]:
            found = [(place[a], place[b]) for a, b in given if a in place and b in place and a != b]
            return np.array(found, np.int64).reshape(-1, 2)

        must, cannot = pairs(self.same), pairs(self.different)
        parent = list(range(len(names)))

        def root(row: int) -> int:
            while parent[row] != row:
                parent[row] = parent[parent[row]]
                row = parent[row]
            return row

        for a, b in must.tolist():
            parent[root(a)] = root(b)
        for a, b in cannot.tolist():
            if root(a) == root(b):
                raise InputError(
                    f"{names[a]} and {names[b]} are said to be different, and by other lines the same",
                    remedy="Correct one of the decisions.",
                )
        return {"must_link": must, "cannot_link": cannot}


Pair = tuple[str, str]


@dataclass(frozen=True)
class Review:
    """A review list read back: the links, and how many lines had a decision."""

    links: Links
    decided: int


def review_csv(names: Sequence[str], labels: npt.NDArray[np.int64], found: MembershipEvidence) -> str:
    """The list, most doubtful first.

    Args:
        names: (N,) files.
        labels: (N,) clusters, -1 = noise.
        found: of :func:`packed_scenes.cluster.membership_evidence`.
    """
    rows: list[list[object]] = [[*COLUMNS, f"({WORDS})"]]  # the words stand where they are written
    order = np.lexsort((np.arange(len(names)), -found.ambiguity))
    for row in order.tolist():
        own, near = int(labels[row]), int(found.cluster[row])
        rows.append([
            names[row], own, f"{found.ambiguity[row]:.3f}", "" if own < 0 else names[int(found.central[own])],
            "" if near < 0 else near, "" if near < 0 else names[int(found.central[near])],
            "" if found.foreign[row] < 0 else names[int(found.foreign[row])], "", "",
        ])  # fmt: skip
    return csv_text(rows)


def read_review(path: str | Path, names: Sequence[str]) -> Review:
    """Read the decisions of an edited list.

    Args:
        path: the CSV; only the columns that a decision needs must be there.
        names: files of the collection, to find a mistyped one.

    Raises:
        InputError: with the line, for an unknown decision or file.
    """
    path = Path(path)
    same: list[Pair] = []
    different: list[Pair] = []
    noise: list[str] = []
    everyone, decided = set(names), _decided(path, names)
    for number, word, own, other, central, near in decided:
        if word == "noise":
            noise.append(own)
            continue
        joined, parted = _pairs(word, own, other, central, near)
        if not joined and not parted:
            raise InputError(f"line {number}: unknown decision {word!r}", file=path, remedy=f"Write {WORDS}.")
        wrong = next((name for pair in (*joined, *parted) for name in pair if name not in everyone), None)
        if wrong is not None:
            raise InputError(f"line {number}: no crop is called {wrong!r}", file=path, remedy="Correct the name.")
        same += joined
        different += parted
    for one, two in different:
        if one == two:
            raise InputError(
                f"{one} is the central crop of its cluster, so it cannot be apart from it",
                file=path,
                remedy="Part the other members instead, or write: not FILE.",
            )
    same = [pair for pair in same if pair[0] != pair[1]]
    return Review(Links(tuple(same), tuple(different), tuple(noise)), len(decided))


def _decided(path: Path, names: Sequence[str]) -> list[tuple[int, str, str, str, str, str]]:
    """(line number, word, own crop, the one named, the central one, that of the nearest cluster) of each decision."""
    table = read_table(path, "file", what="review", remedy="Use the review.csv of a run.")
    column = next((name for name in table.header if name.split(" ")[0].rstrip(":") == "decision"), None)
    if column is None:
        raise InputError("lacks the columns file and decision", file=path, remedy="Use the review.csv of a run.")
    lines = [(number, line) for number, line in table.records() if line[column]]
    crops = [
        (line["file"], _other(line[column]), line.get("central", ""), line.get("nearest_central", ""))
        for _, line in lines
    ]
    row_of = rows_of([name for four in crops for name in four if name], names)
    known = {name: names[row] for name, row in row_of.items()}
    words = [line[column].partition(" ")[0].lower() for _, line in lines]
    return [
        (number, word, *(_named(name, known) for name in four))  # type: ignore[misc]
        for (number, _), word, four in zip(lines, words, crops, strict=True)
    ]


def _pairs(word: str, own: str, other: str, central: str, near: str) -> tuple[list[Pair], list[Pair]]:
    """The pairs that a decision joins, and those that it parts; neither for an unknown word."""
    joined: dict[str, list[Pair]] = {"keep": [(own, central)], "move": [(own, near)], "same": [(own, other)]}
    parted: dict[str, list[Pair]] = {
        "apart": [(own, central)], "move": [(own, central)] if central != own else [], "not": [(own, other)]
    }  # fmt: skip
    return joined.get(word, []), parted.get(word, [])


def _other(decision: str) -> str:
    """The file that a decision names; it may have been copied as the cell of another line."""
    return from_cell(decision.partition(" ")[2].strip())


def _named(written: str, known: Mapping[str, str]) -> str:
    """The crop that is meant, or the text itself where none is."""
    return known.get(written, written)
