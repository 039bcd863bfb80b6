"""Vectors to identities: estimators in scikit-learn's manner, scores, assignment of new vectors.

Names load on first use, so importing this package loads no library.
"""

from typing import TYPE_CHECKING

from data.lazy import attach

if TYPE_CHECKING:
    from cluster.assign import Assigner as Assigner
    from cluster.assign import Assignment as Assignment
    from cluster.assign import keep_names as keep_names
    from cluster.average import AverageLinkage as AverageLinkage
    from cluster.base import Clusterer as Clusterer
    from cluster.community import Infomap as Infomap
    from cluster.community import Leiden as Leiden
    from cluster.density import HDBSCAN as HDBSCAN
    from cluster.knn import neighbours as neighbours
    from cluster.labels import canonical as canonical
    from cluster.labels import noise_share as noise_share
    from cluster.labels import singletons as singletons
    from cluster.libraries import DBSCAN as DBSCAN
    from cluster.libraries import Agglomerative as Agglomerative
    from cluster.libraries import KMeans as KMeans
    from cluster.metrics import ClusteringScores as ClusteringScores
    from cluster.metrics import NoisePolicy as NoisePolicy
    from cluster.metrics import PairCounts as PairCounts
    from cluster.metrics import pair_counts as pair_counts
    from cluster.metrics import pooled_pairs as pooled_pairs
    from cluster.metrics import score as score
    from cluster.reciprocal import cluster_counts as cluster_counts
    from cluster.registry import make as make
    from cluster.registry import names as names
    from cluster.reliable import Doubts as Doubts
    from cluster.reliable import doubts as doubts
    from cluster.reliable import reassign as reassign
    from cluster.reliable import reliable_rows as reliable_rows
    from cluster.reranked import Reranked as Reranked
    from cluster.two_stage import TwoStage as TwoStage

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Agglomerative": "libraries",
        "Assigner": "assign",
        "Assignment": "assign",
        "AverageLinkage": "average",
        "Clusterer": "base",
        "ClusteringScores": "metrics",
        "DBSCAN": "libraries",
        "HDBSCAN": "density",
        "Infomap": "community",
        "KMeans": "libraries",
        "Leiden": "community",
        "Doubts": "reliable",
        "NoisePolicy": "metrics",
        "PairCounts": "metrics",
        "Reranked": "reranked",
        "TwoStage": "two_stage",
        "canonical": "labels",
        "cluster_counts": "reciprocal",
        "doubts": "reliable",
        "keep_names": "assign",
        "make": "registry",
        "names": "registry",
        "neighbours": "knn",
        "noise_share": "labels",
        "pair_counts": "metrics",
        "pooled_pairs": "metrics",
        "reassign": "reliable",
        "reliable_rows": "reliable",
        "score": "metrics",
        "singletons": "labels",
    },
)
