"""Answering pairs in the terminal: the names are shown, the two crops lie side by side in one picture file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from packed_scenes.cluster.counting import StopAsking
from packed_scenes.counting.answers import Answer, AnswerBook, Judge, Undo
from packed_scenes.counting.pictures import pair_picture
from packed_scenes.data.errors import one_line
from packed_scenes.data.images import write_image

KEYS = {"y": Answer.SAME, "n": Answer.DIFFERENT, "?": Answer.UNSURE}


def terminal_judge(
    book: AnswerBook,
    paths: Sequence[Path],
    *,
    picture: Path,
    budget: int | None = None,
    source: TextIO | None = None,
    out: TextIO | None = None,
) -> Judge:
    """Ask on the terminal: y same, n different, ? unsure, u takes the last answer back, q ends.

    Args:
        book: counts the answers given.
        paths: file of each row.
        picture: file that shows the pair in question; written anew for every pair.
        budget: most answers; None = until the interval is small enough.
        source, out: where keys come from and text goes; default standard input and standard error.
    """
    keys, screen = source or sys.stdin, out or sys.stderr

    def judge(a: int, b: int) -> Answer:
        if budget is not None and len(book) >= budget:
            raise StopAsking
        write_image(picture, pair_picture(paths[a], paths[b]))
        of = "" if budget is None else f" of at most {budget}"
        pair = one_line(f"pair {len(book) + 1}{of}: {book.names[a]}  |  {book.names[b]}")
        print(f"\n{pair}\nlook at {one_line(str(picture))}", file=screen)
        while True:
            print("the same? y, n, ? unsure, u undo, q quit: ", end="", file=screen, flush=True)
            line = keys.readline()
            key = line.strip().lower()[:1]
            if not line or key == "q":
                raise StopAsking
            if key == "u":
                raise Undo
            if key in KEYS:
                return KEYS[key]

    return judge
