"""Vectors to identities: estimators in scikit-learn's manner, scores, assignment of new vectors.

Names load on first use, so importing this package loads no library.
"""

from typing import TYPE_CHECKING

from packed_scenes.data.lazy import attach

if TYPE_CHECKING:
    from packed_scenes.cluster.assign import Assigner as Assigner
    from packed_scenes.cluster.assign import Assignment as Assignment
    from packed_scenes.cluster.assign import keep_names as keep_names
    from packed_scenes.cluster.average import AverageLinkage as AverageLinkage
    from packed_scenes.cluster.base import Clusterer as Clusterer
    from packed_scenes.cluster.community import Infomap as Infomap
    from packed_scenes.cluster.community import Leiden as Leiden
    from packed_scenes.cluster.decision.estimator import PairDecision as PairDecision
    from packed_scenes.cluster.density import HDBSCAN as HDBSCAN
    from packed_scenes.cluster.knn import neighbours as neighbours
    from packed_scenes.cluster.labels import canonical as canonical
    from packed_scenes.cluster.labels import noise_share as noise_share
    from packed_scenes.cluster.labels import singletons as singletons
    from packed_scenes.cluster.libraries import DBSCAN as DBSCAN
    from packed_scenes.cluster.libraries import Agglomerative as Agglomerative
    from packed_scenes.cluster.libraries import KMeans as KMeans
    from packed_scenes.cluster.metrics import ClusteringScores as ClusteringScores
    from packed_scenes.cluster.metrics import NoisePolicy as NoisePolicy
    from packed_scenes.cluster.metrics import PairCounts as PairCounts
    from packed_scenes.cluster.metrics import bcubed_f as bcubed_f
    from packed_scenes.cluster.metrics import pair_counts as pair_counts
    from packed_scenes.cluster.metrics import pooled_pairs as pooled_pairs
    from packed_scenes.cluster.metrics import score as score
    from packed_scenes.cluster.reciprocal import cluster_counts as cluster_counts
    from packed_scenes.cluster.registry import make as make
    from packed_scenes.cluster.registry import names as names
    from packed_scenes.cluster.reliable import MembershipEvidence as MembershipEvidence
    from packed_scenes.cluster.reliable import membership_evidence as membership_evidence
    from packed_scenes.cluster.reliable import reassign as reassign
    from packed_scenes.cluster.reliable import reliable_rows as reliable_rows
    from packed_scenes.cluster.reranked import Reranked as Reranked
    from packed_scenes.cluster.two_stage import TwoStage as TwoStage

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
        "MembershipEvidence": "reliable",
        "NoisePolicy": "metrics",
        "PairCounts": "metrics",
        "PairDecision": "decision.estimator",
        "Reranked": "reranked",
        "TwoStage": "two_stage",
        "bcubed_f": "metrics",
        "canonical": "labels",
        "cluster_counts": "reciprocal",
        "membership_evidence": "reliable",
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
