"""README and docs/ tell the truth: their snippets run, their links lead somewhere, the options are the real ones."""

import importlib.util
import re
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from packed_scenes.cli.commands import COMMANDS, application

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(?P<kind>[a-z]*)(?P<rest>[^\n]*)\n(?P<body>.*?)^```$", re.S | re.M)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
RUNS, CHECKED = [], []  # (page, line): commands that are run, and long ones of which only the options are checked
PYTHON = {}  # page -> its Python snippets, one after another
for page in PAGES:
    for fence in FENCE.finditer(page.read_text(encoding="utf-8")):
        if fence["kind"] == "python":
            PYTHON.setdefault(page.name, []).append(fence["body"])
        for line in fence["body"].splitlines() if fence["kind"] == "sh" else ():
            words = shlex.split(line, comments=True)
            if words[:2] == ["uv", "run"] and words[2].startswith("scripts/"):
                words = words[2:]
            elif words[:1] == ["packed-scenes"] and len(words) > 1 and words[1] in COMMANDS:
                words = words[1:]
            else:
                continue
            (CHECKED if "long" in fence["rest"] else RUNS).append((page.name, shlex.join(words)))


def app_of(script):
    """The typer application of a command, loaded in this process: a run costs no second start."""
    if script in COMMANDS:
        return application(script)
    name = f"told_{Path(script).stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / script)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name].app


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the files that the snippets name."""
    from packed_scenes.data.boxes import write_boxes
    from packed_scenes.data.images import write_image
    from packed_scenes.data.synth import generate

    folder = tmp_path_factory.mktemp("docs")
    shelf = generate(1, count=(12, 12), size=(320, 400), bare=0.0, surround=0.0)
    for name in ("shelf.jpg", "today.jpg", "photos/a.jpg"):
        (folder / name).parent.mkdir(exist_ok=True)
        write_image(folder / name, shelf.image)
    other = generate(2, count=(12, 12), size=(320, 400), bare=0.0, surround=0.0)
    for name in ("yesterday.jpg", "photos/b.jpg"):
        write_image(folder / name, other.image)
    write_boxes(folder / "boxes.json", shelf.truth)
    for row, (x1, y1, x2, y2) in enumerate(shelf.truth.xyxy.astype(int)):
        crop = np.ascontiguousarray(shelf.image[y1:y2, x1:x2])
        kept = folder / "crops" / "ab"[row % 2] / f"{row // 2}.jpg"
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_image(kept, crop)
        if row == 0:
            write_image(folder / "crop.jpg", crop)
    shutil.copy(ROOT / "assets" / "samples" / "tray.jpg", folder / "tray.jpg")
    small = ["--count", "2", "--size", "320", "--objects", "6-20"]
    assert CliRunner().invoke(app_of("synthesize"), [str(folder / "truth"), *small]).exit_code == 0
    return folder


@pytest.fixture
def there(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return place


@pytest.mark.slow
@pytest.mark.parametrize("page", PYTHON)
def test_python_snippets_run_in_order(page, there):
    names = {}
    for body in PYTHON[page]:
        exec(compile(body, page, "exec"), names)


@pytest.mark.slow
def test_commands_in_order(there):
    """One after another: later ones use what earlier ones wrote."""
    runner = CliRunner()
    for page, line in RUNS:
        script, *arguments = shlex.split(line)
        done = runner.invoke(app_of(script), arguments)
        assert done.exit_code == 0, f"{page}: {line}\n{done.output}\n{done.exception!r}"


@pytest.mark.parametrize(("page", "line"), CHECKED)
def test_options_of_long_commands_exist(page, line, there):
    from typer.main import get_command

    script, *arguments = shlex.split(line)
    command = get_command(app_of(script))
    if getattr(command, "commands", None) and arguments:
        command = command.commands[arguments.pop(0)]
    command.make_context(script, [a for a in arguments if a != "--help"])  # raises on what does not exist


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_list_of_options_is_what_the_commands_take(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from documents.options import options_page

    told = options_page()
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == told, "uv run scripts/document.py options"


def test_every_option_says_what_it_means(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from documents.options import options_page

    rows = [line for line in options_page().splitlines() if line.startswith("| `")]
    assert rows
    silent = [row for row in rows if not row.rstrip("|").rsplit("|", 1)[1].strip()]
    assert not silent


@pytest.mark.slow
def test_the_walk_through_runs(there):
    import json

    import matplotlib as mpl

    mpl.use("Agg")
    names = {}
    for cell in json.loads((ROOT / "docs" / "walkthrough.ipynb").read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    assert names["both"].bcubed_f > 0.4
    mpl.pyplot.close("all")
