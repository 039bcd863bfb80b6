"""What SECURITY.md promises of the code as a whole: no shell, no foreign pickles, every dependency pinned."""

from __future__ import annotations

import ast
import re
import sysconfig
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from packed_scenes.data import InputError

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("data", "detect", "embed", "cluster", "aggregate", "packed_scenes", "scripts")
SOURCES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
UNPICKLES = {
    "packed_scenes/engines/ray_data.py": "the driver's own rows, between its own workers",
    "packed_scenes/engines/ray_workers.py": "the same rows",
    "embed/descriptors/matrix.py": "behind --trust",
}
# The CUDA libraries come with torch on Linux, and torch's own requirements name their versions.
WITH_TORCH = re.compile(r"nvidia-|cuda-|triton$")


def calls(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_shell_no_evaluation_no_pickles(path):
    for name, node in calls(path):
        where = f"{path.relative_to(ROOT)}:{node.lineno}"
        shell = [k for k in node.keywords if k.arg == "shell"]
        assert not any(not (isinstance(k.value, ast.Constant) and k.value.value is False) for k in shell), where
        assert name not in ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"), where
        assert name not in ("eval", "exec"), where
        if str(path.relative_to(ROOT)) not in UNPICKLES:
            assert name not in ("pickle.load", "pickle.loads", "joblib.load", "cloudpickle.loads"), where
        if name in ("np.load", "numpy.load") and str(path.relative_to(ROOT)) not in UNPICKLES:
            assert all(ast.unparse(k.value) == "False" for k in node.keywords if k.arg == "allow_pickle"), where
        assert name not in ("yaml.unsafe_load", "yaml.full_load"), where
        if name == "yaml.load":
            assert "SafeLoader" in ast.unparse(node), where


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_installed_package_is_pinned_at_the_version_that_was_tested():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pins = dict(pin.split("==") for pin in project["tool"]["uv"]["constraint-dependencies"])
    # of this environment alone: libraries that carry others inside them put those on the path when they are imported
    place = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    there = {canonical(found.name): found.version for found in metadata.distributions(path=place)}
    if there.get("torch", "").split("+")[0] != pins["torch"]:
        pytest.skip("the packages were not installed by uv with the pins of pyproject.toml")
    outside = {"pip", "setuptools", "wheel", "uv", project["project"]["name"]}
    free = {name for name in there if name not in pins and not WITH_TORCH.match(name)} - outside
    assert not free, f"add to constraint-dependencies: {sorted(free)}"
    assert {name: there[name] for name in pins if name in there} == {n: v for n, v in pins.items() if n in there}


@pytest.mark.parametrize("backend", ["openvino", "torch"])
def test_shipped_weights_that_were_changed_are_refused(tmp_path, monkeypatch, backend):
    import shutil

    from packed_scenes.detect import load

    for file in ("detector.json", "detector.onnx", "detector.pt"):
        shutil.copy(load.ASSETS / file, tmp_path)
    for file in ("detector.onnx", "detector.pt"):
        data = bytearray((tmp_path / file).read_bytes())
        data[len(data) // 2] ^= 1
        (tmp_path / file).write_bytes(data)
    monkeypatch.setattr(load, "ASSETS", tmp_path)
    with pytest.raises(InputError, match="SHA-256 differs from the card"):
        load.load_network(None, backend=backend)
