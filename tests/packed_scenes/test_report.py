"""The page of a run: all its parts, no name that acts, nothing from outside, a bounded size."""

import re
from html.parser import HTMLParser

import numpy as np

from packed_scenes import analyze, report
from packed_scenes.data.hidden import POLICY, html_text
from packed_scenes.data.images import write_image
from tests.packed_scenes.conftest import paint

HOSTILE = '<img src=x onerror=alert(1)>"&\u202egpj'
TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "div", "b", "span", "p", "table",
    "thead", "tbody", "tr", "th", "td", "label", "input", "img", "ul", "li", "code",
}  # fmt: skip


class Reader(HTMLParser):
    """Collects tags, attributes and text as a browser reads them."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.values, self.words = set(), [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.values += attrs

    def handle_data(self, data):
        self.words.append(data)


def test_hostile_names_are_shown_and_do_nothing(observer, tmp_path):
    write_image(tmp_path / f"{HOSTILE}.png", paint([[0, 0, None, 1]]))
    (tmp_path / f"bad{HOSTILE}.jpg").write_bytes(b"")
    result = analyze(tmp_path, observer=observer)
    page = (result.save(tmp_path / "run") / "report.html").read_text(encoding="utf-8")
    read = Reader(page)
    assert read.tags == TAGS
    assert ("content", POLICY) in read.values
    assert not [name for name, _ in read.values if name.startswith("on") or name == "href"]
    assert all(value.startswith("data:image/jpeg;base64,") for name, value in read.values if name == "src")
    assert page.replace("\n", "").isprintable()
    words = "\n".join(read.words)
    assert 'bad<img src=x onerror=alert(1)>"&\\u202egpj.jpg' in words
    for part in ("Photos", "Groups", "Doubtful objects", "Left out", "Warnings", "How it was made", "clusterer"):
        assert part in words
    again = result.save(tmp_path / "again") / "report.html"
    assert again.read_text(encoding="utf-8") == page


def test_boxes_that_were_left_out_are_listed_and_counted(observer, tmp_path):
    write_image(tmp_path / "a.png", paint([[0, 0, None, 1]]))
    rows = ["a.png,5,5,25,25", "a.png,25,5,5,25", "a.png,65,5,35,25", "a.png,900,5,920,25"]
    (tmp_path / "boxes.csv").write_text("\n".join(["image,x1,y1,x2,y2", *rows]))
    result = analyze(tmp_path / "a.png", boxes=tmp_path / "boxes.csv", observer=observer)
    page = (result.save(tmp_path / "run") / "report.html").read_text(encoding="utf-8")
    assert "<b>3</b><span>left out</span>" in page
    part = page.partition("<h2>Left out</h2>")[2]
    assert "2 left out: the box is reversed (line 3, line 4)" in part
    assert "1 left out: the box lies outside the picture" in part
    assert "There are no warnings." in part
    assert len((tmp_path / "run" / "errors.csv").read_text().splitlines()) == 3


def test_text_is_cut_and_escaped():
    assert html_text("a\n<b>\x1b\u2066'") == "a\\n&lt;b&gt;\\x1b\\u2066&#x27;"
    assert len(html_text("x" * 10_000)) == 500


def test_many_photos_are_named_and_not_all_shown(observer, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "PICTURES", 2)
    pictures = {f"p{i}": paint([[0, 1]]) for i in range(4)}
    for name, image in pictures.items():
        write_image(tmp_path / f"{name}.png", image)
    out = analyze(tmp_path, observer=observer).save(tmp_path / "run")
    page = (out / "report.html").read_text(encoding="utf-8")
    assert len(re.findall('class="zoom"', page)) == 2
    assert "overlays of 2 photos are only in their folders (overlay.jpg): p2, p3." in page
    monkeypatch.setattr(report, "MAX_BYTES", 0)
    small = analyze(tmp_path, observer=observer).save(tmp_path / "small") / "report.html"
    assert 'class="zoom"' not in small.read_text(encoding="utf-8")


def test_doubtful_members_are_listed(observer, tmp_path):
    result = analyze(paint([[0, 0, 0]]), observer=observer)
    objects = result.scenes[0].objects
    object.__setattr__(objects, "probability", np.array([1, 0.25, 0.9], np.float32))
    page = (result.save(tmp_path) / "report.html").read_text(encoding="utf-8")
    assert "the least sure first: 1." in page
    assert "<td class=n>0.25</td>" in page
