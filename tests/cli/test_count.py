"""The counting command as a user runs it: JSON, resume, bad input, and the dialogue in a real browser."""

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from packed_scenes.data.images import write_image
from tests.commands import call

ROOT = Path(__file__).resolve().parents[2]
BROWSER = "/usr/bin/chromium"


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    """24 crops of 8 flat colours, three each."""
    root = tmp_path_factory.mktemp("crops")
    rng = np.random.default_rng(3)
    for who, hue in enumerate(rng.permutation(8)):
        for number in range(3):
            colour = np.array([30 + 28 * hue, 225 - 25 * hue, 40 * (hue % 5)])
            picture = np.clip(colour + rng.normal(0, 3, (40, 30, 3)), 0, 255).astype(np.uint8)
            write_image(root / f"{who}_{number}.png", picture)
    return root


def _run(*arguments, text=None):
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts/count.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        input=text,
        cwd=ROOT,
    )


def _in_process(*arguments, text=None):
    """The same without a new process: loading the libraries takes most of a run's time."""
    from packed_scenes.cli import count

    return CliRunner().invoke(count.app, list(map(str, arguments)), input=text)


@pytest.mark.slow
def test_json_holds_the_count_and_its_interval(crops, tmp_path):
    done = _run(crops, "--truth", "(.)_", "--out", tmp_path / "run", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["interval"][0] <= 8 <= found["interval"][1]
    assert found["interval"][0] <= found["count"] <= found["interval"][1]
    assert found["pairs_vetted"] > 0
    assert found["files"] == 24
    for name in ("cluster_labels.csv", "curve.png", "curve.csv", "clusters.png", "run.json", "clusters"):
        assert (tmp_path / "run" / name).exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "no such folder"),
        ([".", "--ask", "parrot"], "unknown --ask"),
        ([".", "--ask", "terminal", "--truth", "folders"], "exclude each other"),
    ],
)
def test_bad_input_is_one_line_and_code_2(arguments, says):
    done = call("count", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.slow
def test_the_terminal_dialogue_resumes(crops, tmp_path):
    first = _in_process(crops, "--ask", "terminal", "--out", tmp_path, text="n\nn\n?\nq\n")
    assert first.exit_code == 0, first.output
    answers = (tmp_path / "answers.csv").read_text().splitlines()
    assert len(answers) == 4
    assert answers[-1].endswith("unsure")
    second = _in_process(crops, "--ask", "terminal", "--out", tmp_path, text="n\nu\nq\n")
    assert second.exit_code == 0, second.output
    assert (tmp_path / "answers.csv").read_text().splitlines() == answers
    assert not (tmp_path / "pair.png").exists()


@pytest.mark.slow
@pytest.mark.skipif(not Path(BROWSER).exists(), reason="no chromium here")
def test_a_person_answers_in_a_browser(crops, tmp_path):
    from playwright.sync_api import expect, sync_playwright

    command = [sys.executable, str(ROOT / "scripts/count.py"), str(crops), "--ask", "browser", "--pairs", "6"]
    with open(tmp_path / "log", "w") as log:
        program = subprocess.Popen([*command, "--out", str(tmp_path / "run")], stderr=log, cwd=ROOT)
    try:
        address = None
        for _ in range(600):
            if hit := re.search(r"http://\S+", (tmp_path / "log").read_text()):
                address = hit.group()
                break
            time.sleep(0.2)
        assert address, (tmp_path / "log").read_text()
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 960, "height": 820})
            page.goto(address)
            box = page.get_by_test_id("review")
            shown = []
            for key in ["n", "y", "Backspace", "?", "y", *"nnynnn"]:
                page.get_by_role("heading", name="The same?").wait_for(timeout=60_000)
                for side in page.locator(".pair img").all():
                    expect(side).to_be_visible()
                shown.append(page.locator(".pair figcaption").all_inner_texts())
                number, answered = box.get_attribute("data-number"), box.get_attribute("data-answered")
                page.keyboard.press(key)
                if answered == "5" and key != "Backspace":
                    break
                expect(box).not_to_have_attribute("data-number", number, timeout=60_000)
            page.get_by_role("heading", name="Done").wait_for(timeout=60_000)
            browser.close()
        assert shown[1] == shown[3]  # undone, the same pair comes again
        assert program.wait(120) == 0
    finally:
        program.kill()
    answers = (tmp_path / "run" / "answers.csv").read_text().splitlines()[1:]
    assert [line.rsplit(",", 1)[1] for line in answers][:3] == ["different", "unsure", "same"]
    assert len(answers) == 6
    shutil.rmtree(tmp_path / "run")
