"""The composition of detect, embed, cluster and aggregate: one scene, many scenes, run folders, evaluation."""

from typing import TYPE_CHECKING

from data.lazy import attach

if TYPE_CHECKING:
    from pipeline.analysis import Analysis as Analysis
    from pipeline.analysis import SceneResult as SceneResult
    from pipeline.analysis import analyze as analyze
    from pipeline.catalogue import Catalogue as Catalogue
    from pipeline.evaluation import evaluate as evaluate
    from pipeline.retrieval import Searcher as Searcher
    from pipeline.settings import Settings as Settings

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Analysis": "analysis",
        "Catalogue": "catalogue",
        "SceneResult": "analysis",
        "Searcher": "retrieval",
        "Settings": "settings",
        "analyze": "analysis",
        "evaluate": "evaluation",
    },
)
