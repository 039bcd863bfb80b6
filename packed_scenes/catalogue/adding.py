"""Adding analysed scenes: first hidden, scene by scene; then all get their identities and are shown in one step.

The long part (decoding, thumbnails) so holds the write lock for a few milliseconds a scene, and memory for one picture.
A process that ends before the last step leaves hidden rows that no query returns; the next add deletes them
(:mod:`packed_scenes.catalogue.abandoned`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.catalogue import abandoned, curate, edits, reading
from packed_scenes.catalogue.assign_identities import NEW, assign_identities
from packed_scenes.catalogue.edits import Change, Field, Kind
from packed_scenes.catalogue.records import Added, Embedding, Entry, Ints, Vectors
from packed_scenes.catalogue.store import Store
from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE

Recognise = Callable[[Vectors, npt.NDArray[np.float32], Ints], Ints]


@dataclass
class _Staged:
    """The rows of a run that are written but hidden."""

    run_id: int
    scene: list[int] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    fingerprint: list[str] = field(default_factory=list)
    of_object: list[npt.NDArray[np.int64]] = field(default_factory=list)
    vectors: list[npt.NDArray[np.float32]] = field(default_factory=list)
    cluster: list[Ints] = field(default_factory=list)


def add(
    store: Store, entries: Iterable[Entry], *, embedding: Embedding, record: dict[str, Any], recognise: Recognise
) -> Added:
    """Add scenes; see :meth:`packed_scenes.catalogue.Catalogue.add`."""
    with ExitStack() as alive:
        with store.write() as connection:
            _bind(connection, embedding)
            abandoned.sweep(connection, store.folder)
            there = _fingerprints(connection)
            run = connection.execute(
                "INSERT INTO runs (added, record) VALUES (?, ?)", (edits.now(), json.dumps(record, ensure_ascii=False))
            ).lastrowid
            assert run is not None
            alive.enter_context(abandoned.mark(store.folder, run))  # before anybody can see the run
        try:
            return _fill(store, _Staged(run), entries, there, recognise)
        except BaseException:
            with suppress(Exception), store.write() as connection:  # what cannot be deleted now goes at the next add
                abandoned.delete_runs(connection, [run])
            raise


def _fill(
    store: Store, staged: _Staged, entries: Iterable[Entry], there: dict[str, str], recognise: Recognise
) -> Added:
    """Write the scenes of a run that are not there yet, then show them."""
    skipped = []
    for entry in entries:
        if entry.fingerprint in there:
            skipped.append((entry.name, there[entry.fingerprint]))
            continue
        there[entry.fingerprint] = entry.name
        _stage(store, staged, entry)
    vectors = np.concatenate(staged.vectors) if staged.vectors else np.zeros((0, 0), np.float32)
    staged.vectors.clear()  # as large again
    with store.read() as connection:
        known = reading.vectors(connection)
    cluster = np.concatenate([*staged.cluster, np.zeros(0, np.int64)])
    claim = recognise(known, vectors, cluster)
    with store.write() as connection:
        if reading.state(connection) != known.state:  # another writer was faster: look again, now under the lock
            claim = recognise(reading.vectors(connection), vectors, cluster)
        return _show(connection, staged, vectors, claim, skipped)


def _bind(connection: sqlite3.Connection, embedding: Embedding) -> None:
    """Note the embedder of a new catalogue, or check that it is the same."""
    held = reading.embedding(connection)
    if held is None:
        connection.execute("INSERT INTO about VALUES ('embedding', ?)", (json.dumps(vars(embedding)),))
    check_embedding(held, embedding)


def check_embedding(held: Embedding | None, embedding: Embedding) -> None:
    """Refuse vectors of another embedder than the catalogue holds; an empty one (None) takes any."""
    if held is not None and (held.weights or held.name) != (
        embedding.weights or embedding.name
    ):  # a baseline has no weights
        raise InputError(
            f"this catalogue holds vectors of embedder {held.name!r} (weights {held.weights[:12]}), "
            f"not of {embedding.name!r} ({embedding.weights[:12]})",
            remedy="Use the same embedder, or another catalogue.",
        )


def _fingerprints(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT fingerprint, name FROM scenes WHERE shown = 1").fetchall())


def _stage(store: Store, staged: _Staged, entry: Entry) -> None:
    """Write one scene and its objects, hidden."""
    from packed_scenes.catalogue import pictures

    objects = entry.objects
    if len(objects) and (objects.embedding is None or objects.cluster is None):
        raise InputError(f"scene {entry.name!r} has no vectors or clusters", remedy="Analyse it first.")
    jpegs: list[bytes] = []
    preview = None
    if entry.picture is not None:
        image = entry.picture()
        preview = pictures.thumbnail(image, side=pictures.PREVIEW_SIDE)
        jpegs = pictures.crops(image, objects.xyxy)
    with store.write() as connection:
        scene = connection.execute(
            "INSERT INTO scenes (run_id, name, fingerprint, source, width, height, taken, preview)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                staged.run_id, entry.name, entry.fingerprint, None if entry.source is None else str(entry.source),
                entry.size[1], entry.size[0], entry.taken or edits.now(), preview,
            ),
        ).lastrowid  # fmt: skip
        assert scene is not None
        first = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'objects'").fetchone()
        ids = np.arange(len(objects), dtype=np.int64) + (first[0] if first else 0) + 1
        if objects.embedding is not None and objects.cluster is not None and len(objects):
            probability = np.ones(len(objects)) if objects.probability is None else objects.probability
            connection.executemany(
                "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)",
                zip(
                    ids.tolist(), [scene] * len(objects), objects.object_id.tolist(), *objects.xyxy.T.tolist(),
                    objects.score.tolist(), objects.class_id.tolist(), (objects.cluster == NOISE).astype(int).tolist(),
                    probability.tolist(), map(bytes, np.ascontiguousarray(objects.embedding, "<f4")), strict=True,
                ),
            )  # fmt: skip
            connection.executemany("INSERT INTO crops VALUES (?, ?)", zip(ids.tolist(), jpegs, strict=False))
            staged.vectors.append(objects.embedding)
            staged.cluster.append(objects.cluster)
    staged.scene.append(scene)
    staged.name.append(entry.name)
    staged.fingerprint.append(entry.fingerprint)
    staged.of_object.append(ids)


def _show(
    connection: sqlite3.Connection,
    staged: _Staged,
    vectors: npt.NDArray[np.float32],
    claim: Ints,
    skipped: list[tuple[str, str]],
) -> Added:
    """Give the staged objects their identities and show their scenes; the caller holds the write transaction."""
    there = _fingerprints(connection)  # another writer may have added the same picture meanwhile
    fresh = np.array([f not in there for f in staged.fingerprint], bool)
    skipped += [(n, there[f]) for n, f, new in zip(staged.name, staged.fingerprint, fresh, strict=True) if not new]
    kept = np.repeat(fresh, [len(ids) for ids in staged.of_object])
    ids = np.concatenate([*staged.of_object, np.zeros(0, np.int64)])[kept]
    cluster = np.concatenate([*staged.cluster, np.zeros(0, np.int64)])[kept]
    known, group = assign_identities(vectors[kept], cluster, claim[kept])
    new = [curate.new_identity(connection) for _ in range(int(group.max(initial=NEW)) + 1)]
    identity = np.where(known == NEW, np.array([*new, NEW], np.int64)[group], known)
    connection.executemany(
        "UPDATE objects SET identity_id = ? WHERE object_id = ?", zip(identity.tolist(), ids.tolist(), strict=True)
    )
    connection.execute("UPDATE runs SET finished = 1 WHERE run_id = ?", (staged.run_id,))
    names = _free_names(connection, [n for n, new_ in zip(staged.name, fresh, strict=True) if new_])
    scenes = [s for s, new_ in zip(staged.scene, fresh, strict=True) if new_]
    abandoned.delete_scenes(connection, set(staged.scene) - set(scenes))
    connection.executemany("UPDATE scenes SET name = ? WHERE scene_id = ?", zip(names, scenes, strict=True))
    if not scenes:
        abandoned.delete_runs(connection, [staged.run_id])
        return Added(None, (), tuple(skipped), 0, (), ())
    edits.apply(
        connection,
        Kind.ADD,
        {"run": staged.run_id, "scenes": len(scenes), "objects": len(ids)},
        [Change(Field.SHOWN, scene, 0, 1) for scene in scenes],
    )
    seen = tuple(np.unique(known[known != NEW]).tolist())
    return Added(staged.run_id, tuple(names), tuple(skipped), len(ids), seen, tuple(new))


def _free_names(connection: sqlite3.Connection, names: list[str]) -> list[str]:
    taken = {name for (name,) in connection.execute("SELECT name FROM scenes WHERE shown = 1")}
    free = []
    for base in names:
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        free.append(name)
    return free
