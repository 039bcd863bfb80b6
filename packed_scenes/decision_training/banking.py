"""Build the bank: crops of the data sets that may train, drawn goods, and generated scenes, as the descriptors see
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data import read_image
from packed_scenes.data.arrays import unit_rows
from packed_scenes.data.files import atomic_write
from packed_scenes.data.tables import read_table
from packed_scenes.embed import Embedder
from packed_scenes.embed.augment import Augmentation
from packed_scenes.embed.batches import draw_views
from packed_scenes.embed.goods_store import render_shard
from packed_scenes.embed.sources import build_store, read_grocery, read_packed, read_vehicles
from packed_scenes.embed.store import CropStore, StoreWriter

DESCRIPTORS = {"embedder": None, "colour": "colour", "person": "person"}  # name in the bank -> name of the embedder
WIDEST = 160  # numbers of a descriptor; wider ones keep their leading directions
SAMPLE = 150  # crops of a source that say which these are
STRENGTHS = (0.3, 1.2)  # of the augmentation, one level each
MAX_PER_IDENTITY = 50  # crops of an identity
PEOPLE = 25  # frames of a person, spread over the video
FAMILIES, FIRST = 100, 90_000  # drawn families per shard, and a shard number that no embedder was trained on
BOXED = ("chess", "cola", "pills")  # folders of pictures with boxes by kind
BOXES, TINY = 400, 6  # boxes that are taken of each, pixels below which one is left out
BATCH = 128


def build(
    data: Path, path: Path, *, scenes: int, seed: int, report: Callable[[str], None], imagenet: str | None = None
) -> None:
    """Write the bank of whatever data sets the folder holds; whole or not at all. Takes some 15 minutes of one core.

    Args:
        data: folder of real pictures. path: .npz to write. scenes: generated scenes. seed: of everything.
        report: receives a line per source.
        imagenet: one more descriptor, as :meth:`Embedder.load` takes it, such as ``mobilenet_v2=FILE``.
    """
    wanted = DESCRIPTORS if imagenet is None else {**DESCRIPTORS, "imagenet": imagenet}
    descriptors = {name: Embedder.load(what, device="cpu") for name, what in wanted.items()}
    held: dict[str, npt.NDArray[Any]] = {}
    with TemporaryDirectory() as work:
        for name, store in _stores(data, Path(work)):
            held |= {f"{name}/{part}": value for part, value in _pool(store, descriptors, seed).items()}
            report(f"{name}: {len(store)} crops")
    for number, part in enumerate(_shelves(scenes, descriptors, seed)):
        held |= {f"shelf-{number:04d}/{key}": value for key, value in part.items()}
    report(f"{scenes} generated scenes")
    for name in descriptors:
        _narrow(held, name, np.random.default_rng(seed))
    with atomic_write(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **held)  # type: ignore[arg-type]  # the stubs take the names for options


def _narrow(held: dict[str, npt.NDArray[Any]], name: str, rng: np.random.Generator) -> None:
    """Project a wide descriptor on its leading directions, which keep nearly all of every cosine."""
    keys = [key for key in held if key.endswith(f"/{name}")]
    width = held[keys[0]].shape[-1]
    if width <= WIDEST:
        return
    rows = [held[key].reshape(-1, width) for key in keys]
    drawn = np.concatenate([part[rng.permutation(len(part))[:SAMPLE]] for part in rows]).astype(np.float32)
    value, vector = np.linalg.eigh(drawn.T @ drawn)
    basis = vector[:, np.argsort(value)[-WIDEST:]]
    for key in keys:
        held[key] = unit_rows(held[key].astype(np.float32) @ basis).astype(np.float16)


def _stores(data: Path, work: Path) -> Iterator[tuple[str, CropStore]]:
    if (data / "packed_products").is_dir():
        yield (
            "packed",
            build_store(
                read_packed(data / "packed_products" / "train"), work / "packed", max_per_class=MAX_PER_IDENTITY
            ),
        )
    if (data / "grocery_store").is_dir():
        yield (
            "grocery",
            build_store(read_grocery(data / "grocery_store"), work / "grocery", max_per_class=MAX_PER_IDENTITY // 2),
        )
    if (data / "vehicle_reid").is_dir():
        yield "vehicles", build_store(read_vehicles(data / "vehicle_reid"), work / "vehicles")
    if (data / "people_intel").is_dir():
        yield "people", _people(data / "people_intel", work / "people")
    for name in BOXED:
        if (data / name / "labels.csv").is_file():
            yield name, _boxed(data / name, work / name)
    for number in range(2):
        folder = render_shard(work / "drawn", seed=FIRST + number, families=FAMILIES, variants=4, views=4)
        yield f"drawn{number}", CropStore.open(folder)


def _people(root: Path, work: Path) -> CropStore:
    rows = [row for _, row in read_table(root / "crops.csv", "file", "person").records()]
    writer = StoreWriter(work)
    for person in sorted({int(row["person"]) for row in rows}):
        own = [row["file"] for row in rows if int(row["person"]) == person]
        for name in own[:: max(1, len(own) // PEOPLE)]:
            writer.add(read_image(root / "crops" / name), label=person)
    writer.close()
    return CropStore.open(work)


def _boxed(root: Path, work: Path) -> CropStore:
    """Crops of the boxes of a folder, by kind."""
    table = read_table(root / "labels.csv", "file", "x1", "y1", "x2", "y2", "label")
    rows = [row for _, row in table.records()]
    kinds = sorted({row["label"] for row in rows})
    place = {path.name: path for path in root.rglob("*") if path.is_file()}
    chosen = [rows[at] for at in np.random.default_rng(0).permutation(len(rows))[:BOXES]]
    writer = StoreWriter(work)
    for file_name in sorted({row["file"] for row in chosen}):
        image = read_image(place[Path(file_name).name])
        for row in chosen:
            x1, y1, x2, y2 = (max(0, int(float(row[key]))) for key in ("x1", "y1", "x2", "y2"))
            if row["file"] == file_name and min(image[y1:y2, x1:x2].shape[:2]) >= TINY:
                writer.add(np.ascontiguousarray(image[y1:y2, x1:x2]), label=kinds.index(row["label"]))
    writer.close()
    return CropStore.open(work)


def _pool(store: CropStore, descriptors: dict[str, Embedder], seed: int) -> dict[str, npt.NDArray[Any]]:
    """Every crop at every strength, by every descriptor."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in descriptors}
    for strength in STRENGTHS:
        how = _strength(strength)
        parts: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in descriptors}
        for low in range(0, len(store), BATCH):
            drawn = [(store, row, None, 0) for row in range(low, min(low + BATCH, len(store)))]
            first = descriptors["embedder"]
            canvases = draw_views(drawn, first.width, first.height, rng, how)
            for name, embedder in descriptors.items():
                parts[name].append(embedder.embed_crops(list(canvases)).astype(np.float16))
        for name, part in parts.items():
            found[name].append(np.concatenate(part))
    out: dict[str, npt.NDArray[Any]] = {name: np.stack(levels) for name, levels in found.items()}
    return out | {"identity": store.label, "family": store.family}


def _strength(factor: float) -> Augmentation:
    """The usual augmentation with every effect stronger or weaker."""
    usual, changed = Augmentation(), {}
    for field in fields(usual):
        value = getattr(usual, field.name)
        if field.name == "low_scale":
            changed[field.name] = 1 - (1 - value) * min(factor, 1.2)
        elif field.name not in ("low_top", "cut_depth"):
            chance = field.name in ("cut", "overlap", "occlude", "gloss", "low")
            changed[field.name] = min(0.9, value * factor) if chance else value * factor
    return Augmentation(**changed)


def _shelves(count: int, descriptors: dict[str, Embedder], seed: int) -> Iterator[dict[str, npt.NDArray[Any]]]:
    """Generated scenes of distinguishable objects, hard and mild ones in turns: who labels a real shelf leaves out
    what hardly shows.
    """
    from packed_scenes.data.synth import stream

    usual: dict[str, Any] = {"layout": "mixed", "size": (900, 900), "bare": 0.0, "families": 200, "fresh": 4}
    hard = stream(
        91_001 + seed, mixture=(0.9, 0.0, 0.1), count=(8, 90), photometry=0.6, disorder=0.35, visible=0.7, **usual
    )
    mild = stream(
        92_001 + seed, mixture=(0.95, 0.0, 0.05), count=(10, 60), variants=3, photometry=0.25, clutter=0.2,
        disorder=0.15, oblique=0.3, visible=0.8, **usual,
    )  # fmt: skip
    for number in range(count):
        scene = (hard, mild)[number % 2][number // 2]
        if scene.truth is None or scene.truth.cluster is None or len(scene.truth) < 6:
            continue
        vectors = {name: e.embed(scene.image, scene.truth.xyxy).astype(np.float16) for name, e in descriptors.items()}
        yield vectors | {"identity": scene.truth.cluster, "xyxy": scene.truth.xyxy}
