"""The package as users get it: built, installed into fresh environments, run in a folder with names like ours."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UV = shutil.which("uv")
SNIPPET = """
import packed_scenes
from packed_scenes import analyze
from packed_scenes.detect import Detector

result = analyze("shelf.jpg")
assert len(result.scenes[0].objects) > 50, len(result.scenes[0].objects)
result.save("runs/snippet")
print(packed_scenes.__file__)
"""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(UV is None, reason="uv is not here"),
]


def run(*command, cwd, **more):
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")}
    return subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, timeout=600, **more)


def must(*command, cwd):
    done = run(*command, cwd=cwd)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def environment(folder, what, *options):
    """A fresh environment with one thing installed, at the versions that were tested together."""
    must(UV, "venv", "-q", "--python", sys.executable, folder, cwd=folder.parent)
    python = folder / "bin" / "python"
    pins = folder / "pins.txt"
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pins.write_text("\n".join(project["tool"]["uv"]["constraint-dependencies"]))
    must(UV, "pip", "install", "-q", "--python", python, "--constraint", pins, *options, what, cwd=folder.parent)
    return python


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The wheel and the source archive, from a copy without what git ignores."""
    folder = tmp_path_factory.mktemp("dist")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    source = folder / "source"
    for name in filter(None, listed.decode().split("\0")):
        file, target = ROOT / name, source / name
        if file.is_symlink() or file.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target, follow_symlinks=False)
    must(UV, "build", "-q", "--out-dir", folder / "out", source, cwd=folder)
    return next((folder / "out").glob("*.whl")), next((folder / "out").glob("*.tar.gz")), source


@pytest.fixture(scope="module")
def core(built, tmp_path_factory):
    """An environment with the wheel and its core dependencies alone."""
    return environment(tmp_path_factory.mktemp("core") / "env", built[0])


@pytest.fixture
def place(tmp_path):
    """A folder of a user: a photo, and modules whose names ours must not collide with."""
    shutil.copy(ROOT / "assets" / "samples" / "shelf.jpg", tmp_path)
    for name in ("detect.py", "pipeline.py", "cluster.py", "data/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("raise RuntimeError('the user's own')")
    return tmp_path


def test_both_archives_hold_all_of_the_package(built):
    import tarfile

    names = set(zipfile.ZipFile(built[0]).namelist())
    assert {
        "packed_scenes/assets/detector.onnx", "packed_scenes/assets/samples/shelf.jpg", "packed_scenes/data/objects.py",
        "packed_scenes/assets/fonts/DejaVuSans-Bold.ttf", "packed_scenes/cli/analyze.py", "packed_scenes/py.typed",
    } <= names  # fmt: skip
    assert not [name for name in names if not name.startswith(("packed_scenes/", "packed_scenes-"))]
    with tarfile.open(built[1]) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "LICENSE", "packed_scenes/assets/detector.onnx"} <= inside


def test_the_core_takes_at_most_900_mib(core):
    files = (path for path in core.parents[1].rglob("*") if path.is_file() and not path.is_symlink())
    assert sum(path.stat().st_size for path in files) <= 900 * 2**20


def test_command_and_snippet_in_a_folder_with_names_like_ours(core, place):
    command = core.parent / "packed-scenes"
    told = json.loads(must(command, "analyze", "shelf.jpg", "--out", "runs/one", "--json", cwd=place))
    assert told["counts"]["objects"] > 50
    assert (place / "runs/one/shelf/overlay.jpg").is_file()
    assert "site-packages" in must(core, "-c", SNIPPET, cwd=place)
    assert "analyze" in must(core, "-m", "packed_scenes", cwd=place)


def test_core_alone_counts_searches_reports_and_evaluates(core, place):
    command = core.parent / "packed-scenes"
    missing = (
        "import importlib.util as u; print([m for m in ('torch', 'pandas', 'matplotlib', 'numba') if u.find_spec(m)])"
    )
    assert must(core, "-c", missing, cwd=place).strip() == "[]"
    must(command, "analyze", "shelf.jpg", "--out", "one", "--catalogue", "shop", cwd=place)
    must(command, "catalogue", "list", "shop", cwd=place)
    must(command, "shelf", "shelf.jpg", "--out", "report", cwd=place)
    crops = "from PIL import Image; im = Image.open('shelf.jpg'); import os; os.mkdir('crops')\n"
    crops += "[im.crop((x, 200, x + 60, 300)).save(f'crops/{x}.png') for x in range(0, 480, 60)]"
    must(core, "-c", crops, cwd=place)
    assert json.loads(must(command, "count", "crops", "--out", "count", "--json", cwd=place))["count"] > 0
    must(command, "search", "crops/120.png", "--run", "one", cwd=place)
    samples = ROOT / "assets" / "samples"
    scores = json.loads(must(command, "evaluate", samples / "annotations.json", "--json", cwd=place))
    assert scores["overall"]["clustering"]["bcubed_f"] > 0.8


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["describe", "crops", "-d", "shape"], "train"), (["describe", "crops", "-d", "autoencoder"], "train"),
        (["study", "crops"], "study"), (["app"], "app"),
    ],
)  # fmt: skip
def test_what_needs_an_extra_says_so_in_one_line(core, place, arguments, extra):
    (place / "crops").mkdir()
    for side in (40, 50):
        from PIL import Image

        Image.new("RGB", (side, side), (side, 90, 20)).save(place / "crops" / f"{side}.png")
    done = run(core.parent / "packed-scenes", *arguments, cwd=place)
    assert done.returncode == 2, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert f"packed-scenes[{extra}]" in line
    assert run(core.parent / "packed-scenes", arguments[0], "--help", cwd=place).returncode == 0


def test_an_editable_install_works_from_elsewhere(built, place, tmp_path_factory):
    python = environment(tmp_path_factory.mktemp("editable") / "env", built[2], "--editable")
    assert must(python, "-c", SNIPPET, cwd=place).strip().startswith(str(built[2]))
