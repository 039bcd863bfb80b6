"""Every table that a person may edit, in every form that editors and spreadsheets leave behind: the same is read."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from packed_scenes.aggregate.planogram import read_planogram
from packed_scenes.counting.answers import AnswerBook
from packed_scenes.counting.simple import read_similar
from packed_scenes.crops.listing import listed_rows
from packed_scenes.crops.values import read_values
from packed_scenes.data import InputError, read_boxes
from packed_scenes.explain.clusters import read_labels
from packed_scenes.refining.review import read_review
from packed_scenes.study.collection import Collection, with_truth

NAMES = ("a/Caf\u00e9 1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg")
ONE, TWO, THREE, FOUR = NAMES


def study_truth(file):
    found = with_truth(Collection(4, (), tuple(file.parent / name for name in NAMES)), str(file), [file.parent])
    return found.truth.tolist(), found.truth_names


def boxes(file):
    found = read_boxes(file).assign(NAMES)
    return [found.for_image(name)[0].xyxy.tolist() for name in NAMES]


def plan(file):
    return [[unicodedata.normalize("NFC", slot.product) for slot in board] for board in read_planogram(file)]


TABLES = {
    "truth": (lambda f: read_values(str(f), NAMES), "file,identity", [ONE, "x"], [TWO, "x"], [THREE, "y"], [FOUR, "z"]),
    "camera": (lambda f: read_values(str(f), NAMES, what="camera"), "file,camera", [ONE, "1"], [TWO, "1"], [THREE, "2"],
               [FOUR, "2"]),
    "review": (lambda f: read_review(f, NAMES), "file,central,nearest_central,decision", [ONE, TWO, THREE, "keep"],
               [FOUR, THREE, TWO, "move"], [THREE, THREE, TWO, f"not {ONE}"]),
    "similar": (lambda f: read_similar(f, NAMES).tolist(), "first,second", [ONE, TWO], [THREE, FOUR]),
    "answers": (lambda f: AnswerBook(NAMES, f).answers, "first,second,answer", [ONE, TWO, "same"],
                [THREE, FOUR, "different"]),
    "labels": (lambda f: read_labels(f, NAMES).tolist(), "file,cluster", [ONE, "0"], [TWO, "0"], [FOUR, "-1"]),
    "study": (study_truth, "file,label", [ONE, "p"], [TWO, "p"], [THREE, "q"], [FOUR, "q"]),
    "plan": (plan, "row,position,product,facings", ["1", "1", "M\u00fcsli", "2"], ["1", "2", "Tee", "1"]),
    "boxes": (boxes, "image,x1,y1,x2,y2", *([name, "1", "2", "30", "40"] for name in NAMES)),
    "list": (lambda f: listed_rows({name: Path(name) for name in NAMES}, f), "a/2.jpg", [ONE], [FOUR]),
}  # fmt: skip


def joined(rows, between=",", end="\n"):
    return "".join(between.join(row) + end for row in rows)


FORMS = {
    "byte order mark, CRLF": lambda rows: joined(rows, end="\r\n").encode("utf-8-sig"),
    "CR": lambda rows: joined(rows, end="\r").encode(),
    "no last line end": lambda rows: joined(rows).rstrip("\n").encode(),
    "semicolons": lambda rows: joined(rows, ";").encode(),
    "semicolons, Windows-1252": lambda rows: joined(rows, ";", "\r\n").encode("cp1252"),
    "tabs, UTF-16": lambda rows: joined(rows, "\t", "\r\n").encode("utf-16"),
    "UTF-16, other order": lambda rows: b"\xfe\xff" + joined(rows).encode("utf-16-be"),
    "quotes": lambda rows: joined([[f'"{cell}"' for cell in row] for row in rows]).encode(),
    "space": lambda rows: joined([[f" {cell}\u00a0 " for cell in row] for row in rows]).encode(),
    "empty lines": lambda rows: ("\n" + joined(rows, end="\n\n")).encode(),
    "Unicode's other form": lambda rows: unicodedata.normalize("NFD", joined(rows)).encode(),
    "Windows paths": lambda rows: joined(rows).replace("/", "\\").encode(),
}
ONLY_TABLES = {
    "sep=;": lambda rows: ("sep=;\n" + joined(rows, ";")).encode(),
    "sep in quotes": lambda rows: ('"sep=;"\r\n' + joined(rows, ";", "\r\n")).encode("utf-8-sig"),
    "whole lines in quotes": lambda rows: "".join(f'"{",".join(row)}"\n' for row in rows).encode(),
    "empty rows": lambda rows: joined([part for row in rows for part in (row, [""] * len(row))]).encode(),
    "empty cells at the end": lambda rows: joined([[*row, "", ""] for row in rows]).encode(),
    "capital letters": lambda rows: joined([[cell.upper() for cell in rows[0]], *rows[1:]]).encode(),
    "columns of one name": lambda rows: joined([[*row, "note", "note"] for row in rows]).encode(),
    "numbered rows": lambda rows: joined([["" if row is rows[0] else "7", *row] for row in rows]).encode(),
}


@pytest.mark.parametrize("form", [*FORMS, *ONLY_TABLES])
@pytest.mark.parametrize("kind", TABLES)
def test_the_same_is_read(kind, form, tmp_path):
    if kind == "list" and form in ONLY_TABLES:
        return
    read, header, *rows = TABLES[kind]
    rows = [header.split(","), *rows]
    file = tmp_path / "table.csv"
    file.write_bytes(joined(rows).encode())
    expected = read(file)
    file.write_bytes((FORMS | ONLY_TABLES)[form](rows))
    assert read(file) == expected


@pytest.mark.parametrize("kind", TABLES)
def test_a_spreadsheet_is_refused_in_one_line(kind, tmp_path):
    (tmp_path / "table.csv").write_bytes(b"PK\x03\x04\x14")
    with pytest.raises(InputError, match="is a spreadsheet or an archive") as caught:
        TABLES[kind][0](tmp_path / "table.csv")
    assert "\n" not in str(caught.value)
