"""``OUT/objects.parquet``: the objects of all scenes of a run, with their vectors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from packed_scenes.data.arrow import from_arrow, read_parquet, strings, texts, to_arrow
from packed_scenes.data.checks import text_array
from packed_scenes.data.errors import InputError, of_file
from packed_scenes.data.files import atomic_write
from packed_scenes.data.objects import Objects

if TYPE_CHECKING:
    import pyarrow as pa

    from packed_scenes.results import SceneResult


def save_parquet(
    scenes: Iterable[SceneResult],
    path: Path,
    *,
    names: Mapping[int, str] | None = None,
    identities: Mapping[int, int] | None = None,
) -> None:
    """Write the objects of all scenes as one Parquet file, embeddings as fixed-size lists, a row group per scene.

    With ``names`` (cluster -> name) there is a column ``name``, empty where there is none; with ``identities`` (cluster
    -> number in a catalogue) a column ``identity``, null where there is none.
    """
    import pyarrow.parquet as pq

    with atomic_write(path) as temporary, temporary.open("wb") as sink:
        writer = None
        for scene in scenes:
            table = _arrow(scene, names, identities)
            writer = writer or pq.ParquetWriter(sink, table.schema)
            writer.write_table(table)
        if writer is not None:
            writer.close()


def read_objects(
    folder: Path, *, embeddings: bool = True
) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.str_], Objects]:
    """Read what :func:`save_parquet` wrote.

    Returns:
        (N,) the scene of each object and its id there, and the objects with ``cluster``, numbered through.

    Raises:
        FileNotFoundError: if there is none.
        InputError: if it cannot be read.
    """
    file = folder / "objects.parquet"
    with of_file(file, remedy="Make it again with analyze."):
        table = read_parquet(file, without=() if embeddings else ("embedding",))
        missing = [name for name in ("scene", "object_id", "cluster") if name not in table.column_names]
        if missing:
            raise InputError(f"no {missing[0]} column")
        scene, ids = (text_array(texts(table[name])) for name in ("scene", "object_id"))
        return scene, ids, from_arrow(table.drop_columns(["object_id"]))  # an id is one of its scene


def _arrow(scene: SceneResult, names: Mapping[int, str] | None, identities: Mapping[int, int] | None) -> pa.Table:
    import pyarrow as pa

    table, cluster = to_arrow(scene.objects), scene.objects.cluster
    at = table.column_names.index("cluster") + 1 if cluster is not None else 0
    if identities is not None and cluster is not None:
        table = table.add_column(at, "identity", pa.array([identities.get(c) for c in cluster.tolist()], pa.int64()))
    if names is not None and cluster is not None:
        table = table.add_column(at, "name", strings([names.get(c, "") for c in cluster.tolist()]))
    return table.add_column(0, "scene", strings([scene.name] * len(table)))
