"""Where the real pictures are, and how a test says that it needs them."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def needs(*names: str) -> pytest.MarkDecorator:
    """Skip the test, with the reason, unless every named path under the shared data folder is there."""
    missing = [name for name in names if not (SHARED / name).exists()]
    return pytest.mark.skipif(bool(missing), reason=f"real pictures absent: {', '.join(missing)}")
