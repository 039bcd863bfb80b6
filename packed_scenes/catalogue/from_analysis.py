"""An analysis as entries of a catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.catalogue.pictures import taken
from packed_scenes.catalogue.recognise import recognise
from packed_scenes.catalogue.records import Embedding, Entry, Vectors
from packed_scenes.data.objects import NOISE

if TYPE_CHECKING:
    from packed_scenes.pictures import Source
    from packed_scenes.results import Analysis


def entries_of(analysis: Analysis) -> Iterator[Entry]:
    """Yield the scenes of an analysis, with the hash of their pictures and the camera's time."""
    for scene in analysis.scenes:
        source = scene.source
        yield Entry(
            name=scene.name,
            fingerprint=source.fingerprint(),
            size=scene.size,
            objects=scene.objects,
            picture=partial(_picture, analysis, source),
            source=None if source.path is None else source.path.resolve(),
            taken=taken(source.path),
        )


def embedding_of(analysis: Analysis) -> Embedding:
    """Say which embedder made the vectors of an analysis."""
    return Embedding(
        analysis.settings.embedder, analysis.weights.get("embedder", ""), analysis.clustering.get("threshold")
    )


def identities_of(analysis: Analysis, known: Vectors, *, threshold: float | None) -> dict[int, int]:
    """Recognise the clusters of an analysis of which more than half the objects look like one identity."""
    full = [scene.objects for scene in analysis.scenes if len(scene.objects)]
    vectors = [o.embedding for o in full if o.embedding is not None]
    clusters = [o.cluster for o in full if o.cluster is not None]
    if not vectors or not clusters:
        return {}
    cluster = np.concatenate(clusters)
    claim, _ = recognise(known, np.concatenate(vectors), threshold=threshold, cluster=cluster)
    sizes = dict(zip(*(v.tolist() for v in np.unique(cluster, return_counts=True)), strict=True))
    pairs, votes = np.unique(np.stack([cluster, claim], axis=1), axis=0, return_counts=True)
    return {
        c: i
        for (c, i), n in zip(pairs.tolist(), votes.tolist(), strict=True)
        if NOISE not in (c, i) and 2 * n > sizes[c]
    }


def record_of(analysis: Analysis) -> dict[str, Any]:
    """Say how the analysis was made: the run record without its list of scenes."""
    from packed_scenes.runfolder import run_record

    return {key: value for key, value in run_record(analysis).items() if key != "scenes"}


def _picture(analysis: Analysis, source: Source) -> npt.NDArray[np.uint8]:
    return analysis.pictures.get(source).image
