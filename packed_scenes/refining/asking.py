"""The questions of a refinement: is a doubtful crop the same as the middle of its cluster, or of the nearest other?

The most doubtful first; what follows from earlier answers is not asked (:class:`packed_scenes.counting.AnswerBook`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from packed_scenes.cluster.counting import StopAsking
from packed_scenes.counting.answers import AnswerBook, Judge, Undo
from packed_scenes.refining.review import Links

if TYPE_CHECKING:
    from packed_scenes.cluster import MembershipEvidence
    from packed_scenes.refining.grouping import Labels


def ask_doubtful(found: MembershipEvidence, labels: Labels, book: AnswerBook, judge: Judge) -> None:
    """Ask about every crop, the most doubtful first, until the judge has had enough.

    Args:
        found: of :func:`packed_scenes.cluster.membership_evidence`.
        labels: (N,) clusters, -1 = noise.
        book: keeps the answers.
        judge: may raise :class:`Undo` (the last answer is asked again) or :class:`StopAsking`.
    """
    order = np.lexsort((np.arange(len(labels)), -found.ambiguity))
    try:
        while not _once(order.tolist(), found, labels, book, judge):
            book.undo()
    except StopAsking:
        return


def _once(rows: list[int], found: MembershipEvidence, labels: Labels, book: AnswerBook, judge: Judge) -> bool:
    """Go through the questions that are open; False if the last answer is to be taken back."""
    try:
        for row in rows:
            own = int(found.central[labels[row]]) if labels[row] >= 0 else -1
            if own not in (-1, row) and book.ask(row, own, judge) > 0:
                continue  # the same, or nobody can tell
            near = int(found.central[found.cluster[row]]) if found.cluster[row] >= 0 else -1
            if near not in (-1, row):
                book.ask(row, near, judge)
    except Undo:
        return False
    return True


def answered(book: AnswerBook) -> Links:
    """The answers as links by file name."""
    must, apart = ([(book.names[a], book.names[b]) for a, b in pairs] for pairs in book.links())
    return Links(tuple(must), tuple(apart))


def together(one: Links, other: Links) -> Links:
    """Both."""
    return Links(one.same + other.same, one.different + other.different, one.noise + other.noise)
