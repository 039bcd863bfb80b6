"""What the workers of a Ray cluster do with one picture: read it, observe it, draw it.

Rows travel between them. A picture that cannot be used becomes a row with the exception as bytes, so no picture stops
the others.
"""

from __future__ import annotations

import json
import pickle
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from packed_scenes.data.errors import InputError
from packed_scenes.data.scene import Scene
from packed_scenes.engines.ray_rounds import Row
from packed_scenes.observation import dump_observation, observation_key, parse_observation
from packed_scenes.observe import Observer, boxes_for, reason, weights_of
from packed_scenes.settings import Settings
from packed_scenes.storage import Storage


class Observing:
    """The models of one actor."""

    def __init__(self, make_observer: Callable[[Settings], Observer], settings: Settings, store: Storage) -> None:
        self._observer, self._store = make_observer(settings), store

    def __call__(self, row: Row) -> Row:
        """Observe what :func:`read` has read, and keep it in the run folder."""
        if row["staged"] or row["error"]:
            return _result_row(row)
        try:
            name, where, given, seconds, key = pickle.loads(row["work"])
            shape = row["height"], row["width"], 3
            scene = Scene(np.frombuffer(row["pixels"], np.uint8).reshape(shape).copy(), name)
            boxes, clipped = boxes_for(scene, where, given)
            seen = self._observer.observe(scene, boxes).after_reading(seconds, warnings=clipped)
            data = dump_observation(seen, key)
            self._store.write(f".seen/{name}.parquet", data)
            return _result_row(row, staged=data) | {"weights": json.dumps(weights_of(self._observer))}
        except Exception as error:  # any failure costs its own picture only; the reason is reported
            return _result_row(row, error=error)


def read(row: Row, settings: Settings, store: Storage) -> Row:
    """Read a picture, unless its observation is kept already."""
    from packed_scenes.data.images import decode_image

    blank: Row = {
        "number": row["number"],
        "work": b"",
        "staged": b"",
        "error": b"",
        "pixels": b"",
        "height": 0,
        "width": 0,
    }
    try:
        source, given = pickle.loads(row["work"])
        start = time.perf_counter()
        data = source.content()
        source_key = source.fingerprint() if data is None else _digest(data)
        key = observation_key(source_key, settings, None if given is None else given.for_image(source.where)[0])
        kept = store.read(f".seen/{source.name}.parquet")
        if kept is not None and parse_observation(kept, key) is not None:
            return blank | {"staged": kept}
        scene = source.scene() if data is None else Scene(decode_image(data, name=source.where), source.name)
        work = pickle.dumps((source.name, source.where, given, time.perf_counter() - start, key))
        pixels = np.ascontiguousarray(scene.image).tobytes()
        return blank | {"work": work, "pixels": pixels, "height": scene.height, "width": scene.width}
    except Exception as error:  # handed on, to be listed
        return blank | {"error": _pickled(error)}


def draw(row: Row, store: Storage, show: str) -> Row:
    """Draw and tabulate one scene; ``show`` as in :func:`packed_scenes.aggregate.draw_overlay`."""
    from packed_scenes.runfolder import save_overlay, save_tables

    try:
        scene, colors = pickle.loads(row["work"])
        with tempfile.TemporaryDirectory() as folder:
            save_overlay(scene, scene.source.scene().image, Path(folder), colors, show=show)
            save_tables(scene, Path(folder))
            for file in sorted(Path(folder).iterdir()):
                store.write(f"{scene.name}/{file.name}", file.read_bytes())
    except Exception as error:  # a picture that vanished since it was observed, a full disk
        return {"number": row["number"], "error": _pickled(error)}
    return {"number": row["number"], "error": b""}


def _result_row(row: Row, *, staged: bytes = b"", error: Exception | None = None) -> Row:
    return {
        "number": row["number"],
        "staged": staged or row["staged"],
        "error": row["error"] if error is None else _pickled(error),
        "weights": "{}",
    }


def _pickled(error: Exception) -> bytes:
    """An exception as bytes; those that cannot travel become their one line."""
    try:
        data = pickle.dumps(error)
        pickle.loads(data)
    except Exception:  # exceptions with arguments of their own
        data = pickle.dumps(InputError(reason(error)))
    return data


def _digest(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()
