"""Every stage with its one line and its time; the code of a stage is imported when it runs."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .inputs import Work
    from .record import Found


@dataclass(frozen=True)
class Stage:
    """A stage.

    Attributes:
        place: ``module:function`` in this folder.
        about: one line.
        usual: whether it is part of ``all``.
    """

    function: str
    about: str
    by_default: bool = True

    def __call__(self, work: Work) -> Found:
        """Run it."""
        module, function = self.function.split(":")
        found: Any = getattr(importlib.import_module(f".{module}", __package__), function)
        run: Callable[[Work], Found] = found
        return run(work)


STAGES = {
    "scene": Stage("whole:run", "the whole job on one photo, with and without detection"),
    "reference": Stage("reference:run", "given boxes: ours beside the author's method written plainly"),
    "startup": Stage("startup:run", "--help of every command, the first result, what of it is importing"),
    "detect": Stage("detecting:run", "our detector on three backends beside ultralytics, SAHI, supervision"),
    "identify": Stage("identifying:run", "identities beside an ImageNet network with scikit-learn's HDBSCAN"),
    "cluster": Stage("grouping:pairs", "clustering beside hdbscan, fast_hdbscan, scikit-learn, scipy"),
    "search": Stage("searching:run", "search beside faiss and a plain product"),
    "scaling": Stage("scaling:run", "seconds per scene from 50 to 3,000 objects"),
    "cluster-quality": Stage("grouping:quality", "every method on simulated scenes", by_default=False),
    "cluster-large": Stage("grouping:large", "HDBSCAN of 416,314 vectors", by_default=False),
    "cluster-curve": Stage("grouping:curve", "time and memory from 1,000 vectors up", by_default=False),
    "cluster-real": Stage("pictures:run", "every method on real pictures with true boxes", by_default=False),
    "decision": Stage("decided:run", "the default on every set: F, stability, calibration, count", by_default=False),
    "memory": Stage("others:memory", "memory over a thousand scenes", by_default=False),
    "study": Stage("others:study", "hundreds of models of clustering", by_default=False),
}
