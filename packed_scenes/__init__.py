"""Packed scenes: find every object in a photo full of look-alikes, group the same ones, draw where each group stands.

The composition of :mod:`packed_scenes.detect`, :mod:`packed_scenes.embed`, :mod:`packed_scenes.cluster` and
:mod:`packed_scenes.aggregate`, which each import :mod:`packed_scenes.data` and never each other. Names load on first
use.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if not (Path(__file__).parent / "data").is_dir():  # a checkout without symbolic links (Windows): the rooms stand above
    __path__.append(str(Path(__file__).resolve().parents[1]))

from packed_scenes.data.lazy import attach

if TYPE_CHECKING:
    from packed_scenes.analysis import analyze as analyze
    from packed_scenes.catalogue import Catalogue as Catalogue
    from packed_scenes.evaluation import evaluate as evaluate
    from packed_scenes.results import Analysis as Analysis
    from packed_scenes.results import SceneResult as SceneResult
    from packed_scenes.retrieval import Searcher as Searcher
    from packed_scenes.settings import Settings as Settings

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Analysis": "results",
        "Catalogue": "catalogue",
        "SceneResult": "results",
        "Searcher": "retrieval",
        "Settings": "settings",
        "analyze": "analysis",
        "evaluate": "evaluation",
    },
)
