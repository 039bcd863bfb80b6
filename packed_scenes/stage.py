"""What was seen in each scene, kept on disk so that an interrupted run goes on where it stopped.

One small Parquet file per scene, written whole or not at all. It is reused only if the picture's content and every
setting that could change it are the same, so a stale file is never trusted.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packed_scenes.data.files import atomic_write, sha256_file
from packed_scenes.data.objects import Objects
from packed_scenes.data.shipped import ASSETS
from packed_scenes.observe import Observation
from packed_scenes.settings import Settings

FORMAT = 1
BUNDLED = {"weights": ASSETS / "detector.json", "embedder": ASSETS / "embedder.json"}
# Settings of the second half (identities, congregations) don't change what is seen in a scene.
SEEN_BY = ("weights", "classes", "confidence", "image_size", "max_objects", "embedder", "seed")


@dataclass(frozen=True)
class Staged:
    """One scene's observation with the picture's (height, width) in pixels."""

    observation: Observation
    size: tuple[int, int]


def stage_key(fingerprint: str, settings: Settings, boxes: Objects | None) -> str:
    """Hash everything that decides what is seen in a scene: picture, settings, weight files, given boxes."""
    choice: dict[str, Any] = {name: settings.to_json()[name] for name in SEEN_BY}
    for name, bundled in BUNDLED.items():
        file = Path(str(choice[name]))
        if choice[name] in (None, "default") and bundled.is_file():
            choice[name] = sha256_file(bundled)  # the card names the weights' own hash
        if choice[name] and file.is_file():
            choice[name] = [file.stat().st_size, file.stat().st_mtime_ns, str(file)]
    if boxes is not None:
        choice["boxes"] = hashlib.sha256(boxes.xyxy.tobytes() + "\0".join(boxes.object_id).encode()).hexdigest()
    return hashlib.sha256(json.dumps([FORMAT, fingerprint, choice], sort_keys=True).encode()).hexdigest()


def dump_stage(staged: Staged, key: str) -> bytes:
    """Return one scene's observation as the bytes of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    seen = staged.observation
    about = {
        "key": key, "size": staged.size, "seconds": seen.seconds, "detection": seen.detection, "warnings":
        seen.warnings, "dimension": 0 if seen.objects.embedding is None else seen.objects.embedding.shape[1],
    }  # fmt: skip
    table = pa.Table.from_pandas(seen.objects.to_pandas(), preserve_index=False)
    table = table.replace_schema_metadata({"scene": json.dumps(about)})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def parse_stage(data: bytes, key: str | None) -> Staged | None:
    """Read what :func:`dump_stage` made; None if it is damaged, or was made from something else (None = anything)."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(data))
        about = json.loads((table.schema.metadata or {})[b"scene"])
        if key is not None and about["key"] != key:
            return None
        objects = Objects.from_pandas(table.to_pandas())
        if not len(objects):
            objects = objects.replace(embedding=np.zeros((0, about["dimension"]), np.float32))
    except (OSError, pa.ArrowException, KeyError, ValueError):
        return None
    seen = Observation(objects, about["seconds"], about["detection"], tuple(about["warnings"]))
    return Staged(seen, (about["size"][0], about["size"][1]))


def save_stage(path: Path, staged: Staged, key: str) -> None:
    """Write one scene's observation whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(dump_stage(staged, key))


def load_stage(path: Path, key: str) -> Staged | None:
    """Read one scene's observation; None if there is none, it is damaged, or it was made from something else."""
    try:
        return parse_stage(path.read_bytes(), key)
    except OSError:
        return None
