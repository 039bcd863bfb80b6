"""The tables of a scene, as text that is the same for the same result, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from packed_scenes.aggregate.congregations import Congregation
from packed_scenes.data.cells import csv_text
from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import Objects

COLUMNS = ("object_id", "x1", "y1", "x2", "y2", "score", "cluster", "probability", "congregation")


def congregation_labels(objects: Objects, congregations: Sequence[Congregation]) -> npt.NDArray[np.str_]:
    """Return (N,) the label of each object's congregation, such as ``"4_2"``; empty for noise.

    Raises:
        InputError: if a congregation names an object that is not there.
    """
    row = {name: at for at, name in enumerate(objects.object_id.tolist())}
    labels = np.full(len(objects), "", dtype=object)
    try:
        for c in congregations:
            labels[[row[name] for name in c.object_ids]] = c.label
    except KeyError as error:
        raise InputError(f"a congregation names object {error.args[0]!r}, which is not among the objects") from error
    return labels.astype(np.str_)


def objects_csv(
    objects: Objects,
    congregations: Sequence[Congregation],
    *,
    names: Mapping[int, str] | None = None,
    identities: Mapping[int, int] | None = None,
) -> str:
    """Return the table of a scene's objects: one row each, in their order, with the columns of ``COLUMNS``.

    Coordinates have up to 2 decimals, score and probability up to 4; ``congregation`` is its label, empty for noise.

    Args:
        objects: with ``cluster``.
        congregations: of the same scene.
        names: cluster -> name; if given, a column ``name`` follows, empty where there is none.
        identities: cluster -> its number in a catalogue; if given, a last column ``identity`` follows, likewise.

    Raises:
        InputError: if the objects have no cluster yet.
    """
    if objects.cluster is None:
        raise InputError("objects have no cluster yet", remedy="Cluster them first.")
    probability = np.ones(len(objects)) if objects.probability is None else objects.probability
    columns = [
        objects.object_id.tolist(),
        *([_number(v, 2) for v in column] for column in objects.xyxy.T.astype(np.float64).tolist()),
        [_number(v, 4) for v in objects.score.tolist()],
        objects.cluster.tolist(),
        [_number(v, 4) for v in probability.tolist()],
        congregation_labels(objects, congregations).tolist(),
    ]
    header: tuple[str, ...] = COLUMNS
    for name, known in (("name", names), ("identity", identities)):
        if known is not None:
            header = (*header, name)
            columns.append([known.get(c, "") for c in objects.cluster.tolist()])
    return csv_text([header, *zip(*columns, strict=True)])


def congregations_json(congregations: Sequence[Congregation]) -> str:
    """Return the congregations as JSON text: a list, one congregation per line (see :meth:`Congregation.to_json`)."""
    lines = [json.dumps(c.to_json(), ensure_ascii=False, allow_nan=False) for c in congregations]
    return "[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n"


def _number(value: float, decimals: int) -> str:
    """Write a number without trailing zeros and without -0."""
    text = f"{value:.{decimals}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
