"""Estimators by name, for configuration files and command lines."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from packed_scenes.cluster.base import Clusterer
from packed_scenes.data import InputError
from packed_scenes.data.registry import Registry

REGISTRY = Registry(
    "clustering method",
    "packed_scenes.cluster",
    {
        "default": "decision.estimator:PairDecision",
        "decision": "decision.estimator:PairDecision",
        "average": "average:AverageLinkage",
        "k-reciprocal": "reranked:Reranked",
        "two-stage": "two_stage:TwoStage",
        "hdbscan": "density:HDBSCAN",
        "dbscan": "libraries:DBSCAN",
        "kmeans": "libraries:KMeans",
        "agglomerative": "libraries:Agglomerative",
        "infomap": "community:Infomap",
        "leiden": "community:Leiden",
    },
)


def names() -> list[str]:
    """Return the names that :func:`make` takes, ``default`` first."""
    return REGISTRY.names()


def make(name: str = "default", **params: Any) -> Clusterer:
    """Make an estimator.

    Args:
        name: one of :func:`names`; ``"default"`` is the best by the table in README.md beside this file.
        params: its parameters, see the class.

    Raises:
        InputError: for an unknown name or parameter, with the known ones.
    """
    factory: Callable[..., Clusterer] = REGISTRY.get(name)
    known = list(inspect.signature(factory).parameters)
    unknown = [p for p in params if p not in known]
    if unknown:
        raise InputError(
            f"clustering method {name!r} has no parameter {unknown[0]!r}", remedy=f"It has: {', '.join(known)}"
        )
    return factory(**params)
