"""What streamlit runs for every visit and every click."""

import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[2])
if ROOT not in sys.path:  # streamlit puts only this folder there
    sys.path.insert(0, ROOT)

from packed_scenes.web.shell import show  # noqa: E402

show()
