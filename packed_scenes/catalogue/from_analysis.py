"""An analysis as entries of a catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.catalogue.pictures import taken
from packed_scenes.catalogue.records import Embedding, Entry

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


def record_of(analysis: Analysis) -> dict[str, Any]:
    """Say how the analysis was made: the run record without its list of scenes."""
    from packed_scenes.runfolder import run_record

    return {key: value for key, value in run_record(analysis).items() if key != "scenes"}


def _picture(analysis: Analysis, source: Source) -> npt.NDArray[np.uint8]:
    return analysis.pictures.get(source).image
