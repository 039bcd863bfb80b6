"""Hundreds of clusterings of one matrix, with the work shared between them: grid, models, scores, choice.

Unlike the estimators of :mod:`cluster`, which take vectors by their direction, everything here measures Euclidean
distance in the space it is given: a prepared descriptor (PCA, scaled columns) has no meaningful direction. Unit rows
give the order of the cosine.
"""

from typing import TYPE_CHECKING

from packed_scenes.data.lazy import attach

if TYPE_CHECKING:
    from packed_scenes.cluster.search.choosing import Candidate as Candidate
    from packed_scenes.cluster.search.choosing import Choice as Choice
    from packed_scenes.cluster.search.choosing import choose as choose
    from packed_scenes.cluster.search.choosing import finalists as finalists
    from packed_scenes.cluster.search.fitting import Fitted as Fitted
    from packed_scenes.cluster.search.fitting import fit as fit
    from packed_scenes.cluster.search.grid import Grid as Grid
    from packed_scenes.cluster.search.grid import Model as Model
    from packed_scenes.cluster.search.knee_detection import elbow as elbow
    from packed_scenes.cluster.search.knee_detection import knee as knee
    from packed_scenes.cluster.search.null_reference import Reference as Reference
    from packed_scenes.cluster.search.null_reference import reference as reference
    from packed_scenes.cluster.search.outliers import Outliers as Outliers
    from packed_scenes.cluster.search.outliers import outlier_scores as outlier_scores
    from packed_scenes.cluster.search.refining import refine as refine
    from packed_scenes.cluster.search.scores import InternalScores as InternalScores
    from packed_scenes.cluster.search.scores import internal_scores as internal_scores
    from packed_scenes.cluster.search.space import Space as Space
    from packed_scenes.cluster.search.stable import stability as stability

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Candidate": "choosing",
        "Choice": "choosing",
        "Fitted": "fitting",
        "Grid": "grid",
        "InternalScores": "scores",
        "Model": "grid",
        "Outliers": "outliers",
        "Reference": "null_reference",
        "Space": "space",
        "choose": "choosing",
        "elbow": "knee_detection",
        "finalists": "choosing",
        "fit": "fitting",
        "internal_scores": "scores",
        "knee": "knee_detection",
        "outlier_scores": "outliers",
        "reference": "null_reference",
        "refine": "refining",
        "stability": "stable",
    },
)
