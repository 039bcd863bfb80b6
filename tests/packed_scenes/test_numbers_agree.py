"""One run says one thing: the terminal, every table, the report and the exports hold the same numbers."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from html.parser import HTMLParser

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from packed_scenes.cli.main import application
from packed_scenes.data import read_image, write_image
from packed_scenes.data.coco import read_coco
from packed_scenes.data.shipped import SAMPLE_FOLDER


class Page(HTMLParser):
    """The figures and the tables (rows of cells) of a page."""

    def __init__(self, text):
        super().__init__()
        self.figures, self.tables, self._cell, self._inside = [], [], None, ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th", "b"):
            self._cell, self._inside = "", tag

    def handle_data(self, data):
        if self._cell is not None:
            self._cell += data

    def handle_endtag(self, tag):
        if tag == self._inside and self._cell is not None:
            (self.figures if tag == "b" else self.tables[-1][-1]).append(self._cell)
            self._cell = None

    def table(self, *head):
        """Rows of the table whose header ends so."""
        found = next(t for t in self.tables if tuple(t[0][-len(head) :]) == head)
        return found[1:]


def run(name, *arguments):
    done = CliRunner().invoke(application(name), [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two photos of a part of the sample with their true boxes, and a file that is no picture."""
    folder = tmp_path_factory.mktemp("photos")
    scene = next(s for s in read_coco(SAMPLE_FOLDER / "annotations.json") if s.name == "tray")
    image, boxes = read_image(scene.image), scene.truth.xyxy
    half = image.shape[1] // 2
    sides = {"left": (image[:, :half], boxes[boxes[:, 2] <= half], 0),
             "right": (image[:, half:], boxes[boxes[:, 0] >= half], half)}  # fmt: skip
    lines = ["image,x1,y1,x2,y2"]
    for name, (part, own, start) in sides.items():
        write_image(folder / "in" / f"{name}.png", np.ascontiguousarray(part))
        lines += [f"{name}.png,{a - start},{b},{c - start},{d}" for a, b, c, d in own.tolist()]
    (folder / "in" / "broken.jpg").write_bytes(b"no picture")
    (folder / "boxes.csv").write_text("\n".join(lines))
    return folder


@pytest.mark.slow
def test_a_run_says_one_thing(photos):
    out = photos / "run"
    said = run("analyze", photos / "in", "--boxes", photos / "boxes.csv", "--clusterer", "hdbscan", "--out", out,
               "--export", "coco", "--export", "cvat")  # fmt: skip
    line = re.search(r"(\d+) objects in (\d+) scenes?: (\d+) identities, (\d+)% noise, (\d+) congregations", said)
    objects, scenes, identities, noise, places = map(int, line.groups())
    assert (scenes, objects) == (2, len((photos / "boxes.csv").read_text().splitlines()) - 1)

    rows = {name: table(out / name / "objects.csv") for name in ("left", "right")}
    every = [row for own in rows.values() for row in own]
    groups = Counter(int(row["cluster"]) for row in every)
    alone = groups.pop(-1, 0)
    assert 0 < alone < objects == len(every)  # so that noise is tested
    assert (len(groups), round(100 * alone / objects)) == (identities, noise)
    standing = {name: {row["congregation"] for row in own} - {""} for name, own in rows.items()}
    assert sum(map(len, standing.values())) == places
    for name, own in rows.items():
        written = json.loads((out / name / "congregations.json").read_text())
        assert {c["label"] for c in written} == standing[name]
        members = {c["label"]: sorted(c["object_ids"]) for c in written}
        for label in standing[name]:
            assert members[label] == sorted(r["object_id"] for r in own if r["congregation"] == label)

    record = json.loads((out / "run.json").read_text())
    lost = table(out / "errors.csv")
    assert record["counts"] == {"scenes": 2, "errors": len(lost), "objects": objects, "clusters": identities,
                                "congregations": places}  # fmt: skip
    assert record["clustering"]["n_clusters"] == identities
    assert record["clustering"]["noise_share"] == pytest.approx(alone / objects, abs=1e-4)
    for name, own in rows.items():
        assert (record["scenes"][name]["n_objects"], record["scenes"][name]["n_congregations"]) == (
            len(own), len(standing[name]),
        )  # fmt: skip

    vectors = pq.read_table(out / "objects.parquet", columns=["scene", "object_id", "cluster"]).to_pylist()
    assert [(r["scene"], r["object_id"], r["cluster"]) for r in vectors] == [
        (name, row["object_id"], int(row["cluster"])) for name, own in rows.items() for row in own
    ]

    page = Page((out / "report.html").read_text())
    assert page.figures == [str(n) for n in (scenes, objects, identities, places, len(lost))]
    for name, *numbers in page.table("objects", "identities", "congregations", "in no group"):
        clusters = [int(row["cluster"]) for row in rows[name]]
        assert list(map(int, numbers)) == [
            len(clusters), len(set(clusters) - {-1}), len(standing[name]), clusters.count(-1),
        ]  # fmt: skip
    listed = {row[1]: list(map(int, row[2:])) for row in page.table("group", "objects", "congregations", "photos")}
    assert listed.pop("in no group")[:2] == [alone, 0]
    assert {int(group): numbers[0] for group, numbers in listed.items()} == groups
    assert sum(numbers[1] for numbers in listed.values()) == places

    coco = json.loads((out / "export" / "coco.json").read_text())
    labels = {c["id"]: c["name"] for c in coco["categories"]}
    assert Counter(labels[a["category_id"]] for a in coco["annotations"]) == {
        **{str(k): v for k, v in groups.items()}, "noise": alone,
    }  # fmt: skip
    assert (out / "export" / "cvat.xml").read_text().count("<box ") == objects


@pytest.mark.slow
def test_a_shelf_report_says_one_thing(photos):
    out = photos / "shelf"
    run("shelf", photos / "in" / "left.png", photos / "in" / "right.png", "--boxes", photos / "boxes.csv", "--out", out)
    boards, totals, gaps = (table(out / name) for name in ("shelf.csv", "totals.csv", "gaps.csv"))
    for scene in ("left", "right"):
        mine = {t["cluster"]: t for t in totals if t["scene"] == scene}
        facings = Counter()
        for row in boards:
            facings[row["cluster"]] += int(row["facings"]) * (row["scene"] == scene)
        assert +facings == {key: int(t["facings"]) for key, t in mine.items()}
        for kind in ("share_count", "share_area"):
            assert sum(float(t[kind]) for t in mine.values()) == pytest.approx(1, abs=0.01)
        page = Page((out / scene / "shelf.html").read_text())
        rows = {int(row["row"]) for row in boards if row["scene"] == scene}
        shown = [sum(facings.values()), len(mine), len(rows), sum(g["scene"] == scene for g in gaps), 0]
        assert page.figures[:5] == [str(n) for n in shown]


@pytest.mark.slow
def test_scores_are_printed_as_they_are_written(tmp_path):
    said = run("evaluate", SAMPLE_FOLDER / "annotations.json", "--out", tmp_path / "m.json")
    overall = json.loads((tmp_path / "m.json").read_text())["overall"]
    sections = {part.split(maxsplit=1)[0]: part for part in said.split("\n\n")[1:]}
    words = {
        "Identities": {
            "BCubed F": "bcubed_f", "pairwise F": "pairwise_f", "adjusted Rand index": "ARI",
            "adjusted mutual information": "AMI", "V-measure": "V",
        },
        "Congregations:": {"pairwise F": "pairwise_f"},
    }  # fmt: skip
    for (section, lines), key in zip(words.items(), ("clustering", "congregations"), strict=True):
        for word, name in lines.items():
            (printed,) = re.findall(rf"^  {word}.* ([01]\.\d\d\d) +1$", sections[section], re.M)
            assert float(printed) == pytest.approx(overall[key][name], abs=5e-4)
        counts = (
            overall[key].get("k_pred", overall[key].get("n_predicted")),
            overall[key].get("k_true", overall[key].get("n_true")),
        )
        assert re.search(r"found / true +{} / {} ".format(*counts), sections[section])
        assert f" {100 * overall[key]['count_error']:.0f} % " in sections[section]
