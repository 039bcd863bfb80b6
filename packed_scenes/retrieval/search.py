"""``Searcher``: vectors in, the nearest objects of a catalogue or a run out, and whose they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from packed_scenes.catalogue.assign_identities import NEW
from packed_scenes.catalogue.catalogue import Catalogue
from packed_scenes.catalogue.recognise import Recogniser
from packed_scenes.catalogue.records import Embedding, Vectors
from packed_scenes.data.errors import InputError
from packed_scenes.retrieval.hits import Answer, Hit
from packed_scenes.retrieval.index import Floats, VectorIndex

Describe = Callable[[Sequence[int]], dict[int, Hit]]


class Searcher:
    """The objects of a catalogue or a run, ready to be searched.

    Make it with :meth:`from_catalogue` or :meth:`from_run`, and again when the catalogue's ``state`` has grown.

    Attributes:
        embedding: which embedder's vectors these are; queries must come from the same.
        state: the catalogue's state when the searcher was made.
        index: the vectors.
    """

    def __init__(self, held: Vectors, embedding: Embedding, describe: Describe, **index: Any) -> None:
        self.embedding = embedding
        self.state = held.state
        self.index = VectorIndex(held.vector, **index)
        self._held = held
        self._describe = describe
        self._recogniser = Recogniser(held, threshold=embedding.threshold)

    @classmethod
    def from_catalogue(cls, catalogue: Catalogue | str | Path, **index: Any) -> Self:
        """Load the vectors of a catalogue.

        Args:
            catalogue: the catalogue or its folder.
            **index: options of :class:`VectorIndex`.

        Raises:
            InputError: if there is no catalogue, or nothing in it.
        """
        there = catalogue if isinstance(catalogue, Catalogue) else Catalogue(catalogue)
        held, embedding = there.vectors(), there.embedding
        if embedding is None or not len(held):
            remedy = "Add photos: packed-scenes analyze PHOTOS --catalogue DIR."
            raise InputError("the catalogue is empty", file=there.folder, remedy=remedy)

        def describe(ids: Sequence[int]) -> dict[int, Hit]:
            found = there.sightings(list(ids))
            return {s.object_id: Hit(0, s.object_id, s.scene, s.xyxy, s.identity_id, s.name) for s in found}

        return cls(held, embedding, describe, **index)

    @classmethod
    def from_run(cls, folder: str | Path, **index: Any) -> Self:
        """Load the vectors of a run folder: the objects of ``analyze``, or the crops of ``count``.

        Raises:
            InputError: if it is no run folder, or it holds no object.
        """
        from packed_scenes.retrieval.crops import load_count
        from packed_scenes.retrieval.run import load_run

        folder = Path(folder)
        of_crops = (folder / "cluster_labels.csv").is_file() and not (folder / "objects.parquet").is_file()
        held, embedding, hits = load_count(folder, device=index.get("device", "auto")) if of_crops else load_run(folder)
        return cls(held, embedding, lambda ids: {i: hits(i) for i in ids}, **index)

    def search(self, vectors: Floats, *, top: int = 10) -> list[Answer]:
        """Answer each query.

        Args:
            vectors: (M, D) unit rows of the same embedder.
            top: how many hits each.

        Raises:
            InputError: if the vectors have another dimension or ``top`` is under 1.
        """
        similarity, rows = self.index.search(vectors, top)
        best = np.maximum(rows[:, 0], 0)
        whose = self._recogniser.judge(vectors, best, similarity[:, 0])
        known = self._describe(np.unique(self._held.object_id[rows[rows >= 0]]).tolist())
        answers = []
        for who, scores, found, nearest in zip(whose.tolist(), similarity, rows, best, strict=True):
            ids = self._held.object_id[found[found >= 0]].tolist()
            # What an undo has hidden since is left out.
            hits = tuple(
                Hit(**{**vars(known[i]), "distance": _distance(s)})
                for i, s in zip(ids, scores, strict=False)
                if i in known
            )
            first = known.get(int(self._held.object_id[nearest]))
            identity = first.identity if who != NEW and first is not None else None
            name = first.name if identity is not None and first is not None else None
            answers.append(Answer(identity, name, _distance(scores[0]) if found[0] >= 0 else 1.0, hits))
        return answers


def _distance(similarity: np.float32) -> float:
    """Cosine distance; rounding cannot make it negative."""
    return max(0.0, 1.0 - float(similarity))
