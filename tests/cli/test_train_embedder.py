import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(ROOT / "scripts" / "train_embedder.py"), *arguments]
    return subprocess.run(line, capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.mark.slow
def test_audit_then_training_on_what_stays(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, colour in {"red": (30, 30, 220), "green": (30, 200, 30)}.items():
        (tmp_path / "crops" / name).mkdir(parents=True)
        for i in range(10):
            picture = np.clip(rng.normal(colour, 25, (40, 30, 3)), 0, 255).astype(np.uint8)
            cv2.imwrite(str(tmp_path / "crops" / name / f"{i}.png"), picture)
    out = tmp_path / "out"
    done = command(str(tmp_path / "crops"), "--audit", "--apply", "--epochs", "1", "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr
    assert {"audit", "metrics"} <= set(json.loads(done.stdout))
    assert {"audit.html", "clean.csv", "embedder.safetensors", "history.csv"} <= {p.name for p in out.iterdir()}


@pytest.mark.slow
def test_bad_input_is_one_line_and_exit_code_two(tmp_path: Path) -> None:
    for arguments in ([], [str(tmp_path / "none")], [str(tmp_path)], ["x", "--preset", "odd"], ["x", "--apply"]):
        done = command(*arguments)
        assert done.returncode == 2, arguments
        assert done.stderr.startswith("error: ")
        assert len(done.stderr.strip().splitlines()) == 1
