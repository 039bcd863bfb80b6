"""``Catalogue``: everything analysed so far, in one folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from packed_scenes.catalogue import adding, curate, edits, reading
from packed_scenes.catalogue.edits import Edit
from packed_scenes.catalogue.export import Format, export
from packed_scenes.catalogue.recognise import recognise
from packed_scenes.catalogue.records import Added, Embedding, Entry, Identity, SceneRecord, Share, Sighting, Vectors
from packed_scenes.catalogue.store import TIMEOUT_SECONDS, Store
from packed_scenes.catalogue.times import moment

if TYPE_CHECKING:
    from packed_scenes.results import Analysis

Which = int | str  # an identity's number, or its name


class Catalogue:
    """A catalogue on disk.

    Safe for several processes and threads at once, and after a crash at any point: every method that changes something
    is one transaction. No connection is held between calls.

    Args:
        folder: its folder.
        create: make it if it is not there.
        wait: seconds to wait for another writer before giving up.

    Raises:
        InputError: if there is no catalogue, it is damaged, or it was made by a newer version.
    """

    def __init__(self, folder: str | Path, *, create: bool = False, wait: float = TIMEOUT_SECONDS) -> None:
        self._store = Store(folder, create=create, wait=wait)

    @classmethod
    def create(cls, folder: str | Path) -> Self:
        """Open the catalogue, or make it if it is not there."""
        return cls(folder, create=True)

    @property
    def folder(self) -> Path:
        """Where the catalogue lies."""
        return self._store.folder

    @property
    def state(self) -> int:
        """Number of the last edit; what was derived from the catalogue is stale when this has grown."""
        with self._store.read() as connection:
            return reading.state(connection)

    @property
    def embedding(self) -> Embedding | None:
        """Which embedder's vectors it holds; None while it is empty."""
        with self._store.read() as connection:
            return reading.embedding(connection)

    # Adding

    def add(self, entries: Iterable[Entry], *, embedding: Embedding, record: dict[str, Any] | None = None) -> Added:
        """Add analysed scenes; all of them appear in one step.

        Objects that look like a known identity get it, others get new ones
        (see :mod:`packed_scenes.catalogue.assign_identities`).
        No identity that is there changes. A picture that is there already (same SHA-256) is left as it is.

        Args:
            entries: the scenes; taken one by one, so they may be a generator.
            embedding: the embedder of their vectors.
            record: how the run was made, JSON values.

        Memory: the vectors of the catalogue and of the entries, one picture.

        Raises:
            InputError: if the catalogue holds vectors of another embedder, or an entry has none.
        """

        def look(
            known: Vectors, vectors: npt.NDArray[np.float32], cluster: npt.NDArray[np.int64]
        ) -> npt.NDArray[np.int64]:
            return recognise(known, vectors, threshold=embedding.threshold, cluster=cluster)[0]

        return adding.add(self._store, entries, embedding=embedding, record=record or {}, recognise=look)

    def add_analysis(self, analysis: Analysis) -> Added:
        """Add the scenes of an analysis, with crops and previews; as :meth:`add`."""
        from packed_scenes.catalogue.from_analysis import embedding_of, entries_of, record_of

        return self.add(entries_of(analysis), embedding=embedding_of(analysis), record=record_of(analysis))

    def recognise(self, analysis: Analysis) -> Analysis:
        """Return an analysis with the numbers and names of what is known in it, by the majority of a cluster's objects.

        Several clusters may be one identity; a cluster of which nothing is known has no number.

        Raises:
            InputError: if the catalogue holds vectors of another embedder.
        """
        from packed_scenes.catalogue.from_analysis import embedding_of, identities_of

        with self._store.read() as connection:
            embedding = embedding_of(analysis)
            adding.check_embedding(reading.embedding(connection), embedding)
            named = {i.identity_id: i.name for i in reading.identities(connection) if i.name}
            found = identities_of(analysis, reading.vectors(connection), threshold=embedding.threshold)
        return replace(analysis, identities=found, names={c: named[i] for c, i in found.items() if i in named})

    # Editing: every method returns the number of its edit (move and split: with the identities they made)

    def rename(self, identity: Which, name: str | None) -> int:
        """Name an identity; None takes its name away."""
        with self._store.write() as connection:
            return curate.rename(connection, reading.find_identity(connection, identity), name)

    def merge(self, into: Which, *others: Which) -> int:
        """Make several identities one, under the number of the first and its name (or the first name there is)."""
        with self._store.write() as connection:
            found = [reading.find_identity(connection, i) for i in (into, *others)]
            return curate.merge(connection, found[0], found[1:])

    def move(self, object_ids: Sequence[int], to: Which | None = None) -> tuple[int, int]:
        """Give objects to another identity, or to a new one; returns the edit and the identity."""
        with self._store.write() as connection:
            target = None if to is None else reading.find_identity(connection, to).identity_id
            return curate.move(connection, object_ids, target)

    def split(self, identity: Which, parts: Sequence[Sequence[int]]) -> tuple[int, list[int]]:
        """Give each part (object numbers) of an identity a new identity; returns the edit and the new identities."""
        with self._store.write() as connection:
            return curate.split(connection, reading.find_identity(connection, identity), parts)

    def parts(self, identity: Which, threshold: float) -> list[list[int]]:
        """Propose a split: the objects of an identity by average linkage at a cosine distance, largest part first."""
        from packed_scenes import cluster

        with self._store.read() as connection:
            found = reading.find_identity(connection, identity)
            held = reading.vectors(connection)
        rows = np.flatnonzero(held.identity_id == found.identity_id)
        labels = cluster.AverageLinkage(threshold).fit_predict(held.vector[rows])
        return [held.object_id[rows[labels == k]].tolist() for k in range(int(labels.max()) + 1)]

    def remove(self, *scenes: str) -> int:
        """Take scenes and their objects out of sight."""
        with self._store.write() as connection:
            return curate.remove(connection, scenes)

    def undo(self, edit: int | None = None) -> Edit:
        """Take back an edit (default: the latest that holds) and return it; adding scenes is an edit, too."""
        with self._store.write() as connection:
            return edits.undo(connection, edit)

    def redo(self) -> Edit:
        """Bring back what was undone last."""
        with self._store.write() as connection:
            return edits.redo(connection)

    # Asking

    def history(self) -> list[Edit]:
        """All edits, newest first."""
        with self._store.read() as connection:
            return edits.history(connection)

    def identities(self) -> list[Identity]:
        """All identities, most objects first."""
        with self._store.read() as connection:
            return reading.identities(connection)

    def identity(self, which: Which) -> Identity:
        """One identity by number or name."""
        with self._store.read() as connection:
            return reading.find_identity(connection, which)

    def scenes(self) -> list[SceneRecord]:
        """All scenes, newest first."""
        with self._store.read() as connection:
            return reading.scenes(connection)

    def seen(self, which: Which) -> list[Sighting]:
        """Where an identity has been seen, newest scene first."""
        with self._store.read() as connection:
            return reading.seen(connection, reading.find_identity(connection, which).identity_id)

    def in_scene(self, scene: str) -> list[Sighting]:
        """The objects of a scene."""
        with self._store.read() as connection:
            return reading.in_scene(connection, scene)

    def sightings(self, object_ids: Sequence[int]) -> list[Sighting]:
        """Objects by number, in the order asked; unknown ones are left out."""
        with self._store.read() as connection:
            return reading.sightings(connection, list(object_ids))

    def share(self, scenes: str = "*") -> list[Share]:
        """Share of shelf by count and area in every scene whose name matches the pattern (``aisle3*``)."""
        with self._store.read() as connection:
            return reading.share(connection, scenes)

    def new(self, since: str, scenes: str = "*") -> list[Identity]:
        """Identities first seen since a moment (``2026-11-15``, ``7d``, ``2w``), newest first."""
        with self._store.read() as connection:
            return reading.new(connection, moment(since), scenes)

    def gone(self, since: str, scenes: str = "*") -> list[Identity]:
        """Identities seen before a moment and not since, in scenes whose name matches."""
        with self._store.read() as connection:
            return reading.gone(connection, moment(since), scenes)

    def vectors(self) -> Vectors:
        """All vectors with their objects and identities."""
        with self._store.read() as connection:
            return reading.vectors(connection)

    def crops(self, object_ids: Sequence[int]) -> dict[int, bytes]:
        """JPEG thumbnails by object number; objects without one are left out."""
        with self._store.read() as connection:
            return reading.crop(connection, list(object_ids))

    def preview(self, scene: str) -> bytes | None:
        """JPEG of a scene, at most 960 px; None if there is none."""
        with self._store.read() as connection:
            return reading.preview(connection, scene)

    def export(self, path: str | Path, form: Format | str | None = None) -> int:
        """Write all objects as COCO, CSV or Parquet (by the suffix, if not said); returns how many."""
        with self._store.read() as connection:
            return export(connection, Path(path), form)
