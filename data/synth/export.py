"""Scenes of the generator as files: pictures with COCO or YOLO labels, resumable.

Truth goes line by line into a journal beside the pictures, so an interrupted run continues where it stopped and a
finished folder can be enlarged; the label file is made from the journal.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from packed_scenes.data.coco import write_coco
from packed_scenes.data.errors import InputError
from packed_scenes.data.images import write_image
from packed_scenes.data.labelled import LabelledScene
from packed_scenes.data.objects import Objects
from packed_scenes.data.synth.pool import SALT, STRIDE
from packed_scenes.data.synth.scenes import Labelled, SceneStream
from packed_scenes.data.synth.things import Kind
from packed_scenes.data.yolo import write_yolo

JOURNAL = "synthetic.jsonl"
KINDS = {0: "goods", 1: "person"} | {10 + k: str(kind) for k, kind in enumerate(Kind)}


class Format(StrEnum):
    """Label formats."""

    COCO = "coco"
    YOLO = "yolo"


def identity_name(identity: int) -> str:
    """Name an identity of the generator: kind, family and variant, such as ``goods 12.3``."""
    number, variant = divmod(identity, STRIDE)
    salt, family = divmod(number, SALT)
    return f"{KINDS.get(salt, 'thing')} {family}.{variant}"


def write_scenes(
    stream: SceneStream,
    folder: str | Path,
    count: int,
    *,
    form: Format | str = Format.COCO,
    note: str = "",
    quality: int = 92,
) -> Iterator[int]:
    """Write scenes 0 … ``count - 1`` of a stream and their labels; yield the number of each scene that is there.

    ``folder/images`` gets the pictures, ``folder/annotations.json`` (COCO, the category is the identity, what shows too
    little is ignored) or ``folder/labels`` and ``folder/data.yaml`` (YOLO, one class) the truth. Scenes that an earlier
    run with the same settings finished are kept. The label file is written after the last scene.

    Args:
        stream: what to write.
        folder: where to; made if it is not there.
        count: number of scenes.
        form: a :class:`Format`.
        note: more settings that must be equal to go on in the same folder, such as the folder of the goods.
        quality: JPEG quality of the files.

    Raises:
        InputError: if the folder holds scenes of other settings or something else, or cannot be written.
    """
    try:
        form = Format(form)
    except ValueError as error:
        raise InputError(f"format must be one of {', '.join(Format)}, got {form!r}") from error
    folder = Path(folder)
    if count < 1:
        raise InputError(f"count must be >= 1, got {count}")
    made = _open_journal(folder, {"seed": stream.seed, "note": note, "spec": asdict(stream.spec)})
    return _write(stream, folder, count, made, form, quality)


def _write(
    stream: SceneStream, folder: Path, count: int, made: dict[int, dict[str, Any]], form: Format, quality: int
) -> Iterator[int]:
    with open(folder / JOURNAL, "a", encoding="utf-8") as journal:
        for index in range(count):
            if index not in made or not _picture(folder, made[index]["name"]).exists():
                labelled = stream.labelled(index)
                write_image(_picture(folder, labelled.scene.name), labelled.scene.image, quality=quality)
                made[index] = _line(index, labelled)
                journal.write(json.dumps(made[index], separators=(",", ":")) + "\n")
                journal.flush()
            yield index
        os.fsync(journal.fileno())
    lines = [(_picture(folder, made[k]["name"]), made[k]) for k in range(count)]
    if form is Format.COCO:
        write_coco(folder / "annotations.json", _with_categories(lines))
    else:
        write_yolo(folder / "data.yaml", _with_categories(lines, one_class=True), split="train")


def _picture(folder: Path, name: str) -> Path:
    return folder / "images" / f"{name}.jpg"


def labelled_scenes(made: Sequence[tuple[Path, str, Labelled]]) -> list[LabelledScene]:
    """Pair pictures that were written (path, name) with their truth; categories are the identities of all of them."""
    return _with_categories([(path, _line(k, scene) | {"name": name}) for k, (path, name, scene) in enumerate(made)])


def _line(index: int, labelled: Labelled) -> dict[str, Any]:
    truth = labelled.scene.truth
    assert truth is not None
    assert truth.cluster is not None
    return {
        "index": index,
        "name": labelled.scene.name,
        "size": [labelled.scene.width, labelled.scene.height],
        "boxes": truth.xyxy.astype(int).tolist(),
        "identity": truth.cluster.tolist(),
        "ignore": labelled.ignore.astype(int).tolist(),
    }


def _open_journal(folder: Path, head: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Start a journal, or read what one of the same settings holds; an incomplete last line is dropped."""
    path = folder / JOURNAL
    head = json.loads(json.dumps(head))
    try:
        (folder / "images").mkdir(parents=True, exist_ok=True)
        lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
        if not lines and any((folder / "images").iterdir()):
            raise InputError("holds pictures of another origin", file=folder, remedy="Choose an empty folder.")
        parsed = [json.loads(line) for line in lines[:-1]]
        if parsed and parsed[0] != head:
            raise InputError(
                "holds scenes of other settings",
                file=folder,
                remedy="Choose another folder, or the same settings to go on.",
            )
        if len(parsed) == 0 or lines[-1]:
            text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in (parsed or [head]))
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"cannot write here ({error.strerror})", file=folder, remedy="Choose another folder."
        ) from error
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"is no journal of scenes ({error})", file=path, remedy="Choose an empty folder.") from error
    return {line["index"]: line for line in parsed[1:]}


def _with_categories(lines: Sequence[tuple[Path, dict[str, Any]]], *, one_class: bool = False) -> list[LabelledScene]:
    identities = sorted({identity for _, line in lines for identity in line["identity"]})
    row = {identity: k for k, identity in enumerate(identities)}
    names = ("object",) if one_class else tuple(map(identity_name, identities))
    scenes = []
    for path, line in lines:
        cluster = None if one_class else np.array([row[identity] for identity in line["identity"]], np.int64)
        scenes.append(
            LabelledScene(
                image=path,
                name=line["name"],
                truth=Objects.from_boxes(np.array(line["boxes"], np.float32).reshape(-1, 4), cluster=cluster),
                size=(line["size"][0], line["size"][1]),
                ignore=np.array(line["ignore"], np.float32).reshape(-1, 4),
                categories=names,
            )
        )
    return scenes
