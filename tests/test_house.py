"""The rules of the house: who may import whom, what loads lazily, that every command explains itself."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(path.name for path in (ROOT / "scripts").glob("*.py"))
PACKAGES = (
    "packed_scenes",
    *(f"packed_scenes.{room}" for room in ("data", "detect", "embed", "cluster", "aggregate")),
)
HEAVY = (
    "torch",
    "torchvision",
    "ultralytics",
    "sklearn",
    "hdbscan",
    "numba",
    "matplotlib",
    "pandas",
    "umap",
    "streamlit",
    "ray",
)


def test_stages_import_data_only_and_only_pipeline_composes():
    # in a process of its own: import-linter disables every logger that there is, and later tests read ours
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_loads_nothing_heavy(package):
    code = f"import {package}, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_every_command_explains_itself_without_loading_anything_heavy(script):
    code = (
        "import runpy, sys\n"
        f"sys.argv = [{script!r}, '--help']\n"
        "try:\n"
        f"    runpy.run_path({str(ROOT / 'scripts' / script)!r}, run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        f"heavy = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


def test_no_module_is_longer_than_300_lines():
    roots = ("packed_scenes", "data", "detect", "embed", "cluster", "aggregate", "scripts")
    lengths = {file: len(file.read_bytes().splitlines()) for root in roots for file in (ROOT / root).rglob("*.py")}
    assert {str(file.relative_to(ROOT)): n for file, n in lengths.items() if n > 300} == {}


@pytest.mark.slow
def test_every_public_name_of_a_package_can_be_had():
    roots = [ROOT / room for room in ("packed_scenes", "data", "detect", "embed", "cluster", "aggregate")]
    folders = [file.parent.relative_to(ROOT) for root in roots for file in root.rglob("__init__.py")]
    names = {".".join(f.parts if f.parts[0] == "packed_scenes" else ("packed_scenes", *f.parts)) for f in folders}
    code = (
        "import importlib\n"
        f"for package in {sorted(names)!r}:\n"
        "    module = importlib.import_module(package)\n"
        "    for name in getattr(module, '__all__', ()):\n"
        "        getattr(module, name)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
