"""Where little is there or allowed: an ordinary user, nothing to write but the output, no network, no OpenVINO."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from packed_scenes import analyze

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ROOT = Path(__file__).resolve().parents[2]
TRAY = ROOT / "assets" / "samples" / "tray.jpg"
NOBODY = 65534
PATHS = os.pathsep.join([str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))])
# A mount of its own for temporary files, no network, another user, an environment of nothing but what is given.
POOR = (
    "unshare", "-n", "-m", "sh", "-c",
    "mount -t tmpfs -o size=10m,mode=1777 none /mnt && "
    f'exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups "$@"',
    "sh", "env", "-i", "PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=/nonexistent", "TMPDIR=/mnt", f"PYTHONPATH={PATHS}",
    "PYTHONDONTWRITEBYTECODE=1", "OMP_NUM_THREADS=1",
)  # fmt: skip
HIDE_OPENVINO = """
import importlib.util, sys
there = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name.startswith("openvino") else there(name, *more)
sys.modules["openvino"] = None
from packed_scenes.cli import main
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def place():
    """A folder that other users can reach, as pytest's own cannot."""
    folder = Path(tempfile.mkdtemp(prefix="elsewhere-"))
    folder.chmod(0o755)
    shutil.copy(TRAY, folder / "café.jpg")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def usual(place):
    return analyze(place / "café.jpg").save(place / "usual")


@pytest.fixture(scope="module")
def python():
    """A Python of this version that another user may run."""
    try:
        for path in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
            if not subprocess.run([*POOR, path, "-c", "import numpy"], capture_output=True).returncode:
                return path
    except OSError:
        pass
    pytest.skip("needs root, unshare, setpriv and a Python that everybody may run")


def test_an_ordinary_user_with_next_to_nothing(place, usual, python):
    (place / "theirs").mkdir()
    os.chown(place / "theirs", NOBODY, NOBODY)
    out = place / "theirs" / "run"
    done = subprocess.run(
        [*POOR, python, "-m", "packed_scenes", "analyze", place / "café.jpg", "--out", out], capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    for name in ("café/overlay.jpg", "café/objects.csv", "café/congregations.json", "clusters.png"):
        assert (out / name).read_bytes() == (usual / name).read_bytes(), name
    undecoded = [*POOR, "PYTHONUTF8=0", python, "-m", "packed_scenes"]  # every accent comes as bytes that are no text
    found = subprocess.run(
        [*undecoded, "search", place / "café.jpg", "--box", "120,40,260,310", "--run", out, "--json"],
        capture_output=True,
    )
    assert found.returncode == 0, found.stderr.decode(errors="replace")
    assert json.loads(found.stdout.decode("ascii"))
    denied = subprocess.run(
        [*POOR, python, "-m", "packed_scenes", "analyze", place / "café.jpg", "--out", place / "not"],
        capture_output=True,
    )
    assert denied.returncode == 2
    assert denied.stderr.decode().count("\n") == 1


def test_onnx_runtime_and_torch_where_there_is_no_openvino(place, usual):
    pytest.importorskip("torch")
    pytest.importorskip("onnxruntime")
    command = [sys.executable, "-c", HIDE_OPENVINO, "analyze", str(place / "café.jpg"), "--out", str(place / "other")]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    ours, theirs = (pd.read_csv(run / "café" / "objects.csv") for run in (usual, place / "other"))
    assert ours["object_id"].tolist() == theirs["object_id"].tolist()
    corners = ["x1", "y1", "x2", "y2"]
    np.testing.assert_allclose(theirs[corners], ours[corners], atol=0.1)  # px
    np.testing.assert_allclose(theirs["score"], ours["score"], atol=1e-3)
    assert theirs["cluster"].tolist() == ours["cluster"].tolist()
    assert theirs["congregation"].tolist() == ours["congregation"].tolist()
