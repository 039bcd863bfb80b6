"""Where the files that ship with the package lie: weights, their cards, sample pictures."""

from pathlib import Path

ASSETS = Path(__file__).parents[1] / "assets"
SAMPLE_FOLDER = ASSETS / "samples"
