"""Which entry belongs to which picture, and names that are distinct."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.data.naming import distinct, flat_names, match_names, rows_of, same_name

CAMS = ["/p/cam1/0001.jpg", "/p/cam2/0001.jpg"]


@pytest.mark.parametrize(
    ("pictures", "entries", "expected"),
    [
        (CAMS, ["cam1/0001.jpg"], [0, None]),  # the other camera's boxes are nobody else's
        (CAMS, ["cam2/0001.jpg", "cam1/0001.jpg"], [1, 0]),
        (CAMS, ["0001.jpg"], [None, None]),  # fits both
        (CAMS, ["0001.jpg", "cam2/0001.jpg"], [0, 1]),
        (CAMS, ["cam3/0001.jpg"], [None, None]),
        (CAMS[:1], ["cam3/0001.jpg"], [0]),  # a folder that was renamed; it is told
        (["q/a.jpg", "q/a.png"], ["a.jpg"], [0, None]),
        (["q/a.png"], ["a.jpg"], [0]),
        (["q/a.png", "q/a.jpg"], ["a"], [None, None]),
        (["r/store12_1.jpg", "r/aisle_1.jpg"], ["1"], [None, None]),
        (["clip_000015.png", "clip_000010.png"], ["10", "15"], [1, 0]),
        (["/p/A.JPG"], ["a.jpg"], [0]),
        (["/p/a.jpg"], ["/data/upload/1/12ab34cd-a.jpg"], [0]),
        (["/p/f/a b.jpg"], ["/data/local-files/?d=f/a%20b.jpg"], [0]),
        (["/p/shelf.jpg"], ["shelf_jpg.rf.0a1b2c.jpg"], [0]),
        (["/p/x/a.jpg", "/p/y/a.jpg"], ["C:\\other\\x\\a.jpg", "C:\\other\\y\\a.jpg"], [0, 1]),
        (["a.jpg"], ["s3://bucket/x/a.jpg?token=1"], [0]),
        (["a.jpg"], ["b.jpg"], [None]),
        ([], ["a"], []),
        (["a"], [], [None]),
    ],
)
def test_the_longest_matching_end_decides(pictures, entries, expected):
    found = match_names(pictures, entries)
    assert [found.entry.get(row) for row in range(len(pictures))] == expected


def test_doubt_and_other_folders_are_told():
    assert "'0001.jpg' fits '/p/cam1/0001.jpg' and '/p/cam2/0001.jpg'" in match_names(CAMS, ["0001.jpg"]).unclear[0]
    assert match_names(CAMS[:1], ["cam3/0001.jpg"]).notes == (
        "/p/cam1/0001.jpg: taken for 'cam3/0001.jpg', the only such name",
    )
    assert match_names(CAMS, ["cam1/0001.jpg", "cam2/0001.jpg"]).notes == ()


def test_unicode_forms_are_one_name():
    composed, apart = unicodedata.normalize("NFC", "Kaffee-é.jpg"), unicodedata.normalize("NFD", "Kaffee-é.jpg")
    assert match_names([apart], [composed]).entry == {0: 0}
    assert same_name(composed) == same_name(apart)
    assert len({same_name(name) for name in distinct([composed, apart])}) == 2


parts = st.lists(st.sampled_from("ab"), min_size=1, max_size=4).map(lambda p: "/".join([*p, "x.jpg"]))


@settings(max_examples=100, deadline=None)
@given(st.lists(parts, unique=True, max_size=8), st.lists(parts, unique=True, max_size=8))
def test_an_entry_serves_one_picture_and_equal_paths_find_each_other(pictures, entries):
    found = match_names(pictures, entries)
    assert len(set(found.entry.values())) == len(found.entry)
    for row, name in enumerate(pictures):
        if name in entries:
            assert entries[found.entry[row]] == name


def test_rows_of_a_table():
    names = ["a/1.jpg", "b/1.jpg", "b/2.jpg"]
    assert rows_of(["b/1.jpg", "2.jpg", "1.jpg", "3.jpg", "b/1.jpg"], names) == {"b/1.jpg": 1, "2.jpg": 2}


def test_flat_names_are_distinct_short_and_stay_where_they_can():
    assert flat_names(["1/1.jpg", "1__1.jpg", "2/1.jpg", "x.jpg"]) == ["1__1_2.jpg", "1__1.jpg", "2__1.jpg", "x.jpg"]
    (long, other) = flat_names([f"{'Verzeichnis' * 18}/1.jpg", "b/1.jpg"])
    assert len(long) <= 150
    assert long.endswith(".jpg")
    assert other == "b__1.jpg"
    assert distinct(["a.jpg", "A.jpg", "a.jpg"], taken=["b"]) == ["a.jpg", "A_2.jpg", "a_3.jpg"]
    assert distinct(["a", "A"], form=str) == ["a", "A"]
