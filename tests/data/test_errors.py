"""The error is one line whatever goes into it."""

from __future__ import annotations

import os
from enum import StrEnum

import pytest

from packed_scenes.data import InputError
from packed_scenes.data.errors import MAX_MESSAGE, named, of_file


def test_parts_of_the_line() -> None:
    assert str(InputError("is empty", file="a.png", remedy="Copy it again.")) == "a.png: is empty. Copy it again."
    assert str(InputError("is\n  empty")) == "is empty"


def test_names_cannot_break_the_line_or_steer_the_terminal() -> None:
    name = "a\n\x1b[31m\u202eb" + os.fsdecode(b"\xff") + ".png"
    text = str(InputError("is empty", file=name))
    assert text == "a\\n\\x1b[31m\\u202eb\\udcff.png: is empty"
    assert text.isprintable()
    text.encode()


def test_names_of_all_languages_stay_readable() -> None:
    assert str(InputError("fehlt", file="été 写真 🛒.png")) == "été 写真 🛒.png: fehlt"


def test_a_choice_names_what_there_is() -> None:
    class Size(StrEnum):
        SMALL = "small"
        LARGE = "large"

    assert named(Size, "large", "size") is Size.LARGE
    assert named(Size, Size.SMALL, "size") is Size.SMALL
    with pytest.raises(InputError, match=r"unknown size 'huge'\. Choose one of: small, large"):
        named(Size, "huge", "size")


def test_what_a_file_says_does_not_fill_the_screen() -> None:
    assert len(str(InputError("x" * 10**6, file="a.npz", remedy="Make it again."))) < MAX_MESSAGE + 100


def test_a_file_and_a_remedy_are_added_where_they_are_missing() -> None:
    with pytest.raises(InputError, match=r"^a\.json: is odd\. Correct it\.$"), of_file("a.json", remedy="Correct it."):
        raise InputError("is odd")
    with pytest.raises(InputError, match=r"^b\.json: is odd\. Now\.$"), of_file("a.json", remedy="Correct it."):
        raise InputError("is odd", file="b.json", remedy="Now.")
