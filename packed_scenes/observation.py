"""What was observed in each scene, kept on disk so that an interrupted run can be resumed.

One small Parquet file per scene, written whole or not at all. It is reused only if the picture's content and every
setting that could change it are the same, so a stale file is never used.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from packed_scenes.data.files import atomic_write, sha256_file
from packed_scenes.data.objects import Objects
from packed_scenes.data.shipped import ASSETS
from packed_scenes.data.text import load_json
from packed_scenes.settings import Settings

FORMAT = 2
BUNDLED = {"weights": ASSETS / "detector.json", "embedder": ASSETS / "embedder.json"}
# Settings of the second half (identities, congregations) don't change what is observed in a scene.
OBSERVED_WITH = (
    "weights", "classes", "class_names", "confidence", "image_size", "max_objects", "second_look", "embedder", "seed"
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What was observed in one scene.

    Attributes:
        objects: boxes with scores and embeddings.
        size: (height, width) of the picture in pixels.
        seconds: wall time per stage.
        detection: how the detector worked (input size, tiles); empty for given boxes.
        warnings: lines for the user.
    """

    objects: Objects
    size: tuple[int, int]
    seconds: dict[str, float] = field(default_factory=dict)
    detection: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def after_reading(self, seconds: float, *, warnings: Iterable[str] = ()) -> Observation:
        """The same with the wall time of reading the picture, and what is to be said of its boxes, in front."""
        return replace(self, seconds={"read": seconds, **self.seconds}, warnings=(*warnings, *self.warnings))


def observation_key(fingerprint: str, settings: Settings, boxes: Objects | None) -> str:
    """Hash everything that decides what is observed in a scene: picture, settings, weight files, given boxes."""
    choice: dict[str, Any] = {name: settings.to_json()[name] for name in OBSERVED_WITH}
    for name, bundled in BUNDLED.items():
        if choice[name] in (None, "default") and bundled.is_file():
            choice[name] = sha256_file(bundled)  # the card names the weights' own hash
            continue
        file = Path(str(choice[name]).rpartition("=")[2])  # NAME=FILE, too
        beside = [file, *(file.with_suffix(suffix) for suffix in (".json", ".bin"))]  # its card, an IR's weights
        found = [part.stat() for part in beside if part.is_file()]
        if file.is_file():
            choice[name] = [str(choice[name]), [[about.st_size, about.st_mtime_ns] for about in found]]
    if boxes is not None:
        choice["boxes"] = hashlib.sha256(boxes.xyxy.tobytes() + "\0".join(boxes.object_id).encode()).hexdigest()
    return hashlib.sha256(json.dumps([FORMAT, fingerprint, choice], sort_keys=True).encode()).hexdigest()


def dump_observation(seen: Observation, key: str) -> bytes:
    """Return an observation as the bytes of a Parquet file."""
    import pyarrow.parquet as pq

    from packed_scenes.data.arrow import to_arrow

    about = {
        "key": key, "size": seen.size, "seconds": seen.seconds, "detection": seen.detection, "warnings":
        seen.warnings, "dimension": 0 if seen.objects.embedding is None else seen.objects.embedding.shape[1],
    }  # fmt: skip
    table = to_arrow(seen.objects)
    table = table.replace_schema_metadata({"scene": json.dumps(about)})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def parse_observation(data: bytes, key: str | None) -> Observation | None:
    """Read what :func:`dump_observation` made; None if it is damaged or has another key (None = any key will do)."""
    import numpy as np

    from packed_scenes.data.arrow import from_arrow, read_parquet

    try:
        table = read_parquet(io.BytesIO(data))
        about = load_json((table.schema.metadata or {})[b"scene"])
        if key is not None and about["key"] != key:
            return None
        objects = from_arrow(table)
        if not len(objects):
            objects = objects.replace(embedding=np.zeros((0, about["dimension"]), np.float32))
        height, width = about["size"]
        if not (isinstance(height, int) and isinstance(width, int) and height > 0 < width):
            return None
        return Observation(
            objects=objects,
            size=(height, width),
            seconds={str(name): float(value) for name, value in about["seconds"].items()},
            detection=dict(about["detection"]),
            warnings=tuple(map(str, about["warnings"])),
        )
    except (OSError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError):
        return None


def save_observation(path: Path, seen: Observation, key: str) -> None:
    """Write an observation whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(dump_observation(seen, key))


def load_observation(path: Path, key: str) -> Observation | None:
    """Read an observation; None if there is none, it is damaged, or it was made from something else."""
    try:
        return parse_observation(path.read_bytes(), key)
    except OSError:
        return None
