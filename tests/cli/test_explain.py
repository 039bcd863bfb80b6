"""explain and the label audit say what they found, in words."""

import json

import numpy as np
import pytest

from packed_scenes.cli.commands import application
from packed_scenes.cli.console import in_words
from packed_scenes.data.images import read_image, write_image
from packed_scenes.explain import draw_pairs, load_explained
from tests.packed_scenes.conftest import paint


@pytest.fixture
def crops(tmp_path):
    image = paint([[0, 0, 1]])
    for number in range(3):
        write_image(tmp_path / f"{number}.png", image[5:25, 30 * number + 5 : 30 * number + 25])
    return [str(tmp_path / f"{number}.png") for number in range(3)]


@pytest.mark.slow
def test_a_pair_has_a_verdict_and_a_legend(crops, tmp_path):
    from typer.testing import CliRunner

    app = application("explain")
    arguments = [*crops[:2], crops[0], crops[2], "--embedder", "colour", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    same, different = done.stdout.splitlines()[:2]
    assert same.startswith("0 / 1: the same: distance 0.000 is within the ")
    assert different.startswith("0 / 2: two different things: distance ")
    told = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert told["verdict"] == [same, different]
    model, gradient = load_explained("colour")
    pair = (read_image(crops[0]), read_image(crops[2]))
    one, _ = draw_pairs(model, [pair], titles=["a / b"], gradient=gradient)
    two, cosines = draw_pairs(model, [pair, pair], titles=["a / b", "a very much longer title" * 4], gradient=gradient)
    assert len(cosines) == 2
    assert two.shape[1] > one.shape[1]  # nothing of a title is cut
    assert (one[-20:] < 128).any()  # the legend


def test_no_python_syntax_in_words():
    counts = {"copy": 1, "rows": [3, 4], "of": {"threshold": 0.2}}
    assert in_words(counts) == "copy 1, rows 3, 4, of threshold 0.2"
    assert in_words(None) == "None"


def test_the_audit_shows_the_copies_that_it_counts(tmp_path):
    from packed_scenes.embed.audit import Audit, Finding, Kind
    from packed_scenes.embed.audit_report import write_report
    from packed_scenes.embed.folders import read_folder

    image = paint([[0, 1, 2]])
    for name, at in (("a/1", 0), ("a/2", 0), ("b/<3>", 0), ("b/z", 1)):
        write_image(tmp_path / "in" / f"{name}.png", image[5:25, 30 * at + 5 : 30 * at + 25])
    folder = read_folder(tmp_path / "in")
    copies = Finding(Kind.COPY, (0, 1), (0, 1, 2), 3.0, "3 copies")
    page = write_report(folder, Audit((copies,), (), np.zeros(0)), tmp_path / "out").read_text(encoding="utf-8")
    assert '<img src="copy-000.jpg"' in page
    assert all(f"{name}.png" in page for name in ("a/1", "a/2", "b/&lt;3&gt;"))
    assert "b/z.png" not in page
    assert (read_image(tmp_path / "out" / "copy-000.jpg").shape[1]) > 3 * 100
