"""Ultralytics loaded our way leaves the rest of the process, the home folder and the network alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
from PIL import Image
opened = Image.open
from packed_scenes.detect.ultralytics_import import import_ultralytics
import_ultralytics()
assert Image.open is opened
import ultralytics
assert not ultralytics.settings["sync"]
from ultralytics.utils import ONLINE
assert not ONLINE
"""


@pytest.mark.slow
def test_nothing_is_left_behind(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / ".config")}
    done = subprocess.run([sys.executable, "-c", CODE], env=os.environ | home, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not [p for p in tmp_path.rglob("*") if "ltralytics" in p.name or "yolo" in p.name.lower()]
