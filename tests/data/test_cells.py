"""Cells of CSV tables: every text comes back, and no spreadsheet runs one."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from packed_scenes.data import Objects, read_boxes
from packed_scenes.data.boxes_csv import format_csv
from packed_scenes.data.cells import csv_text, from_cell, to_cell
from packed_scenes.data.files import write_csv
from packed_scenes.data.hidden import HIDDEN, html_text, plot_text
from packed_scenes.data.tables import parse_table, read_table

FORMULA = tuple("=+-@＝＋－＠\t\r")
# Any character, lone surrogates too, and those that decide more often than chance has them.
TEXT = st.text(st.one_of(st.sampled_from("'=+-@\\;,\"| \t\r\n\u202e0x"), st.characters(exclude_categories=[])))


def number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@given(st.lists(st.tuples(TEXT, TEXT), max_size=5))
@example([("'\\x41", "a;=1"), ("'=", "-1"), ("\udcff.jpg", "a\x1cb "), ("''", "+5 ")])
def test_any_text_written_is_the_text_read(rows: list[tuple[str, str]]) -> None:
    text = csv_text([("key", "first", "second"), *((f"k{at}", *row) for at, row in enumerate(rows))])
    read = [(line["first"], line["second"]) for _, line in parse_table(text, file="t.csv", strict=True).records()]
    assert read == rows


@given(st.lists(TEXT, min_size=1, max_size=4))
def test_no_cell_begins_like_a_formula(row: list[str]) -> None:
    text = csv_text([["name", *row], ["name", *row]])
    assert not HIDDEN.search(text.replace("\n", ""))
    for delimiter in ",;\t":  # as spreadsheets of different countries open it
        for cells in csv.reader(io.StringIO(text), delimiter=delimiter):
            for cell in cells:
                assert not cell.lstrip().startswith(FORMULA) or number(cell), (delimiter, cell)


@given(TEXT)
def test_a_cell_written_again_stays_text(text: str) -> None:
    cell = to_cell(text)
    assert from_cell(str(to_cell(cell))) == cell
    assert from_cell(str(cell)) == text


def test_numbers_stay_numbers_and_plain_text_as_it_is() -> None:
    assert csv_text([[-1, -0.5, None, "-1.25", "+3e-4", "a b", "'s Ochtends", "x-y", "C:\\new"]]) == (
        "-1,-0.5,,-1.25,+3e-4,a b,'s Ochtends,x-y,C:\\new\n"
    )
    assert csv_text([["=1+1", "@SUM(A1)", "-1+1", "-", "a\nb", "\u202egpj.exe"]]) == (
        "'=1+1,'@SUM(A1),'-1+1,'-,'\\a\\nb,'\\\\u202egpj.exe\n"
    )


def test_undecodable_names_come_back(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", [("file", "n"), ("\udcfc.jpg", 1)])
    assert read_table(tmp_path / "t.csv").rows == [["\udcfc.jpg", "1"]]


def test_boxes_keep_their_ids(tmp_path: Path) -> None:
    ids = ["=HYPERLINK(1)", "-7", "'x", " a", "+a"]
    boxes = Objects.from_boxes([[0, 0, k + 1, 9] for k in range(5)], object_id=ids)
    (tmp_path / "boxes.csv").write_text(format_csv({"=a/@b.png": boxes}))
    found = read_boxes(tmp_path / "boxes.csv")
    assert list(found.scenes) == ["=a/@b.png"]
    assert found.scenes["=a/@b.png"].object_id.tolist() == ids


@pytest.mark.parametrize("text", ["$x_1$", "_hidden", "a$b", r"\$", "\u202eabc", "\x1b[31m", "$$"])
def test_plots_draw_text_as_it_is(text: str) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    assert matplotlib.cbook.is_math_text(plot_text(text)) is False
    axes = Figure().subplots()
    axes.plot([1], [1], label=plot_text(text))
    assert len(axes.get_legend_handles_labels()[1]) == 1
    axes.legend()
    axes.figure.canvas.draw()


@settings(max_examples=30)
@given(TEXT)
def test_pages_show_what_is_hidden(text: str) -> None:
    shown = html_text(text)
    assert not HIDDEN.search(shown)
    assert not set('<>"') & set(shown)


def test_json_files_show_what_is_hidden(tmp_path):
    from packed_scenes.data.files import write_json
    from packed_scenes.data.hidden import HIDDEN

    told = {"a\u202eb": ["\x9b31m", "\u2028\ufeff\x85", "\udcff", "é 写真 🛒", "\n"]}
    write_json(tmp_path / "a.json", told)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert set(HIDDEN.findall(text)) == {"\n"}  # between the lines
    assert "é 写真 🛒" in text
    assert json.loads(text) == told
