"""Names of identities that stay the same while a collection grows.

Every batch clusters all vectors again, so that its identities are those of one run over everything; only the names
come from before: an identity keeps the name under which most of its objects were known, new ones get numbers that
were never used (:func:`packed_scenes.cluster.keep_names`). Putting new vectors into the clusters that are there
(:class:`packed_scenes.cluster.Assigner`) would be cheaper, but its answer depends on the order in which photos arrive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from packed_scenes.data.objects import NOISE, Objects
from packed_scenes.data.text import load_json

Ids = tuple[npt.NDArray[np.str_], npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Names:
    """The names an earlier run gave.

    Attributes:
        known: scene name -> (object ids, their identities).
        next_number: lowest number that no identity has had.
        scenes: path of a picture -> scene name.
    """

    known: Mapping[str, Ids] = field(default_factory=dict)
    next_number: int = 0
    scenes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_run(cls, out: Path) -> Names:
        """Read the names of a run folder; no names if there is no run, or one that is not whole."""
        from packed_scenes.objects_table import read_objects

        try:
            record = load_json((out / "run.json").read_text(encoding="utf-8"))
            scenes = {scene["source"]: name for name, scene in record["scenes"].items() if scene["source"]}
            names, ids, objects = read_objects(out, embeddings=False)
            next_name = int(record["clustering"].get("next_name", 0))
        except (OSError, KeyError, ValueError, TypeError, AttributeError):
            return cls()
        cluster = np.zeros(0, np.int64) if objects.cluster is None else objects.cluster
        order = np.argsort(names, kind="stable")
        found, start = np.unique(names[order], return_index=True)
        known = {
            str(name): (ids[rows], cluster[rows])
            for name, rows in zip(found, np.split(order, start[1:]), strict=True)
            if len(rows)
        }
        return cls(known, max(next_name, int(cluster.max(initial=NOISE)) + 1), scenes)

    def carry_over(self, scenes: Sequence[str], parts: Sequence[Objects]) -> tuple[list[Objects], Names]:
        """Give the identities of ``parts`` the names known here.

        Args:
            scenes: name of the scene of each part.
            parts: objects with ``cluster``.

        Returns:
            The objects with the names kept, and the names with the new ones added.
        """
        from packed_scenes.cluster import keep_names

        rows, before, start = [], [], 0
        for name, part in zip(scenes, parts, strict=True):
            if name in self.known and len(part):
                here, there = self._same_objects(name, part)
                rows.append(here + start)
                before.append(self.known[name][1][there])
            start += len(part)
        old = np.concatenate([np.zeros(0, np.int64), *before])
        labels = np.concatenate([np.zeros(0, np.int64), *(p.cluster for p in parts if p.cluster is not None)])
        named = keep_names(old, labels, rows=np.concatenate([np.zeros(0, np.int64), *rows]))
        first = (
            int(old.max(initial=NOISE)) + 1
        )  # keep_names counts on from the names in use; old names are not used again
        named[named >= first] += max(self.next_number - first, 0)
        bounds = np.cumsum([0, *map(len, parts)])
        done = [p.replace(cluster=named[a:b]) for p, a, b in zip(parts, bounds[:-1], bounds[1:], strict=True)]
        known = {n: (p.object_id, p.cluster) for n, p in zip(scenes, done, strict=True) if p.cluster is not None}
        return done, Names(known, max(self.next_number, int(named.max(initial=NOISE)) + 1), self.scenes)

    def without(self, scene: str) -> Names:
        """Return the names without those of one scene's objects: its picture is another one now, or gone."""
        return Names({name: ids for name, ids in self.known.items() if name != scene}, self.next_number, self.scenes)

    def _same_objects(self, name: str, part: Objects) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Rows of the part and of the known table that are one object, by its id."""
        _, here, there = np.intersect1d(part.object_id, self.known[name][0], assume_unique=True, return_indices=True)
        return here, there
