from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
from hypothesis import given, settings

from packed_scenes.aggregate.page import shelf_page
from packed_scenes.aggregate.planogram import compare_layouts, layout_of, parse_planogram
from packed_scenes.aggregate.shelf import shelf_report
from packed_scenes.data import Objects
from tests.aggregate.scenes import packed
from tests.aggregate.test_shelf import small_shelf

VOID = {"img", "meta"}


class Checker(HTMLParser):
    """Collects text and insists that tags nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]
        assert tag != "script"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    return checker


def test_one_file_with_everything_in_it() -> None:
    image = np.full((260, 240, 3), 90, np.uint8)
    report = shelf_report(small_shelf(), scene="<b>shop</b>", names={1: "<script>alert(1)</script>", 2: "Tea & milk"})
    plan = parse_planogram("row,position,product\n1,1,Tea & milk\n1,2,Gone\n")
    page = shelf_page(
        report, image, image, differences=compare_layouts(plan, layout_of(report)), difference_picture=image
    )
    checker = read(page)
    text = " ".join(checker.text)
    assert "<script>alert(1)</script>" in text  # as text, not as a tag
    assert "Tea & milk" in text
    assert "Gone" in text
    assert "<b>shop</b>" in text
    assert "1 missing" in text
    assert all(source.startswith("data:image/jpeg;base64,") for source in checker.sources)
    assert len(checker.sources) == 2 + 4
    assert shelf_page(report, image, image) == shelf_page(report, image, image)


@settings(max_examples=15, deadline=None)
@given(packed(clusters=3))
def test_any_shelf(objects: Objects) -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    read(shelf_page(shelf_report(objects), image, image))
