"""Vectors to identities: estimators in scikit-learn's manner, scores, assignment of new vectors. Names load on first
use.
"""

from typing import TYPE_CHECKING

from data.lazy import attach

if TYPE_CHECKING:
    from cluster.average import AverageLinkage as AverageLinkage
    from cluster.base import Clusterer as Clusterer
    from cluster.density import HDBSCAN as HDBSCAN
    from cluster.labels import canonical as canonical
    from cluster.labels import noise_share as noise_share
    from cluster.labels import singletons as singletons
    from cluster.metrics import ClusteringScores as ClusteringScores
    from cluster.metrics import NoisePolicy as NoisePolicy
    from cluster.metrics import PairCounts as PairCounts
    from cluster.metrics import pair_counts as pair_counts
    from cluster.metrics import pooled_pairs as pooled_pairs
    from cluster.metrics import score as score
    from cluster.registry import make as make
    from cluster.registry import names as names
    from cluster.two_stage import TwoStage as TwoStage

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AverageLinkage": "average",
        "Clusterer": "base",
        "ClusteringScores": "metrics",
        "HDBSCAN": "density",
        "NoisePolicy": "metrics",
        "PairCounts": "metrics",
        "TwoStage": "two_stage",
        "canonical": "labels",
        "make": "registry",
        "names": "registry",
        "noise_share": "labels",
        "pair_counts": "metrics",
        "pooled_pairs": "metrics",
        "score": "metrics",
        "singletons": "labels",
    },
)
