"""The cosine distance at which two identities part: the embedder's calibration, else one default for everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UNCALIBRATED = 0.18  # that of the first networks for goods; the shipped card says .20


def calibrated_threshold(card: Mapping[str, Any]) -> float:
    """Cosine distance of an embedder's card, :data:`UNCALIBRATED` where it has none."""
    return float((card.get("calibration") or {}).get("threshold", UNCALIBRATED))
