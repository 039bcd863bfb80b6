"""Readers of everything that is no picture, label or plain archive: a valid small file of each, and what reads it.

Networks (ONNX, OpenVINO IR, safetensors with its card, ``.pt``), videos, catalogues, matrices, run folders, projects
and the zips they come in, descriptor caches, training pools and crop stores.
"""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from packed_scenes.data.errors import InputError
from packed_scenes.embed.store import HEIGHT, WIDTH
from tests.fuzz.cases import mutate_bytes, mutate_text

TEXTS = ("card", "ir", "run.json", "project.json", "log.jsonl", "maker")  # mutated as text, mostly


@cache
def seeds() -> tuple[tuple[str, bytes], ...]:
    """Return (reader, content) of a valid file for each reader; some have several."""
    with TemporaryDirectory(prefix="fuzz-seeds-") as name:
        folder = Path(name)
        made = [*_networks(folder), *_videos(folder), *_matrices(folder), *_own(folder)]
    return tuple(made)


def make_store_case(seed: int, index: int) -> tuple[str, bytes]:
    """Return the reader and the bytes of a case: every reader equally often."""
    rng = np.random.default_rng((seed, index, 1))
    pool = seeds()
    names = sorted({reader for reader, _ in pool})
    name = names[int(rng.integers(len(names)))]
    own = [data for reader, data in pool if reader == name]
    data = own[int(rng.integers(len(own)))]
    for _ in range(int(rng.choice((1, 1, 1, 2, 3, 6)))):
        is_text = name in TEXTS and rng.random() < 0.7
        data = mutate_text(data, rng) if is_text else mutate_bytes(data, pool, rng)
    return name, data


def _networks(folder: Path) -> list[tuple[str, bytes]]:
    import torch

    from packed_scenes.detect.network import build, save
    from packed_scenes.embed.networks import LayoutNet
    from packed_scenes.embed.weights import save_weights
    from tests.netfiles import constant_onnx, means_ir, means_onnx

    onnx = means_onnx(folder / "n.onnx", ("batch", 3, 32, 32)).read_bytes()
    boxes = np.zeros((1, 7, 84), np.float32)
    yolo = constant_onnx(folder / "d.onnx", (1, 3, 64, 64), {"output0": boxes}, {"names": "{0: 'a', 1: 'b', 2: 'c'}"})
    ir = means_ir(folder / "n.xml", (1, 3, 32, 32))
    torch.manual_seed(0)
    options: dict[str, Any] = {"width": 32, "height": 32, "channels": (4, 4, 8, 8), "dimension": 8}
    network = LayoutNet(**options)
    card = {"name": "tiny", "architecture": "layout", "options": options, "fit": "stretch"}
    save_weights(folder / "e.safetensors", network.state_dict(), card)
    model = build(classes=1)
    save(folder / "d.pt", model, card={}, names=["a"], width="n")
    return [
        ("onnx embedder", onnx), ("onnx detector", yolo.read_bytes()), ("ir", ir.read_bytes()),
        ("bin", ir.with_suffix(".bin").read_bytes()), ("safetensors", (folder / "e.safetensors").read_bytes()),
        ("card", (folder / "e.json").read_bytes()), ("pt", (folder / "d.pt").read_bytes()),
    ]  # fmt: skip


def _videos(folder: Path) -> list[tuple[str, bytes]]:
    import cv2

    made = []
    for name, code in (("v.avi", "MJPG"), ("v.mp4", "mp4v")):
        writer = cv2.VideoWriter(str(folder / name), cv2.VideoWriter_fourcc(*code), 5, (48, 32))
        for k in range(4):
            writer.write(np.full((32, 48, 3), 60 * k, np.uint8))
        writer.release()
        made.append(("video", (folder / name).read_bytes()))
    return made


def _matrices(folder: Path) -> list[tuple[str, bytes]]:
    import pandas as pd

    rows = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
    np.save(folder / "m.npy", rows)
    np.savez(folder / "s.npz", embeddings=rows, paths=np.array(list("abcdef")))
    np.savez_compressed(folder / "c.npz", embeddings=rows, labels=np.array(list("aabbcc")))
    pd.DataFrame({"path": list("abcdef"), "embedding": list(rows)}).to_parquet(folder / "m.parquet")
    return [
        ("npy", (folder / "m.npy").read_bytes()), ("npz", (folder / "s.npz").read_bytes()),
        ("npz", (folder / "c.npz").read_bytes()), ("parquet", (folder / "m.parquet").read_bytes()),
    ]  # fmt: skip


def _own(folder: Path) -> list[tuple[str, bytes]]:
    """What this program writes itself: catalogue, project, run folder, cache, pool, store."""
    from packed_scenes.analysis import analyze
    from packed_scenes.catalogue import Catalogue
    from packed_scenes.detect.training.pool import Pool
    from packed_scenes.embed.descriptors.cache import Cache
    from packed_scenes.embed.store import StoreWriter
    from packed_scenes.observation import Observation, dump_observation
    from packed_scenes.web.project.folder import export_zip
    from tests.packed_scenes.catalogue.made import EMBEDDING, entry
    from tests.packed_scenes.conftest import ColourObserver, paint
    from tests.packed_scenes.workbench import painted

    catalogue = Catalogue.create(folder / "catalogue")
    catalogue.add([entry("a", [0, 1, 1], picture=True), entry("b", [1, 2])], embedding=EMBEDDING)
    catalogue.rename(1, "cola")
    project = painted(folder / "project", [[0, 0, 1]])
    export_zip(project.folder.path, [], folder / "p.zip")
    project.folder.close()
    analysis = analyze(paint([[0, 0, 1]]), observer=ColourObserver())
    run = analysis.save(folder / "run")
    seen = Observation(objects=analysis.scenes[0].objects, size=(90, 60), seconds={}, detection={}, warnings=())
    kept = Cache(folder / "cache", {"name": "x"}, dimension=4)
    kept.add([bytes([k]) * 32 for k in range(5)], np.eye(5, 4, dtype=np.float32))
    kept.flush()
    pool = Pool()
    pool.add(np.full((40, 60, 3), 90, np.uint8), np.array([[1, 2, 20, 30]], np.float32))
    pool.save(folder / "pool.npz")
    store = StoreWriter(folder / "store")
    store.add(np.full((40, 30, 3), 90, np.uint8), label=1)
    store.close()
    rows = next((folder / "project" / "rows").glob("*.npz"))
    return [
        ("sqlite", (folder / "catalogue" / "catalogue.sqlite").read_bytes()),
        ("values", bytes(range(16))), ("import", (folder / "p.zip").read_bytes()),
        ("project.json", (folder / "project" / "project.json").read_bytes()),
        ("log.jsonl", (folder / "project" / "log.jsonl").read_bytes()), ("rows", rows.read_bytes()),
        ("run.json", (run / "run.json").read_bytes()), ("objects.parquet", (run / "objects.parquet").read_bytes()),
        ("shard", next(kept.folder.glob("*.safetensors")).read_bytes()), ("pool", (folder / "pool.npz").read_bytes()),
        ("columns", (folder / "store" / "columns.npy").read_bytes()), ("seen", dump_observation(seen, "key")),
    ]  # fmt: skip


def prepare(folder: Path) -> None:
    """Write every seed once to where its reader looks, and read it: files beside the case, libraries loaded."""
    for reader, content in seeds():
        name, read = READERS[reader]
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "store" / "store.json").write_text('{"count": 1}')
    (folder / "store" / "pixels.u8").write_bytes(bytes(HEIGHT * WIDTH * 4))
    for reader, content in seeds():
        name, read = READERS[reader]
        (folder / name).write_bytes(content)
        with suppress(*([InputError] if reader == "values" else [])):  # its values need not be sound
            read(folder / name)


def _embedder_of(path: Path) -> None:
    """Load weights whose card fits them by its hash, as a stranger's would."""
    from packed_scenes.data.files import sha256_file
    from packed_scenes.embed.load import load_file

    card = path.with_suffix(".json")
    try:
        known = json.loads(card.read_text())
        card.write_text(json.dumps(known | {"sha256": sha256_file(path)}))
    except (ValueError, TypeError):
        pass  # what the card says then is a case of its own
    load_file(path)


def _weights(path: Path) -> None:
    _restore(path.with_suffix(".json"), "card")
    _embedder_of(path)


def _card(path: Path) -> None:
    _restore(path.with_suffix(".safetensors"), "safetensors")
    _embedder_of(path.with_suffix(".safetensors"))


def _restore(path: Path, reader: str) -> None:
    path.write_bytes(next(content for name, content in seeds() if name == reader))


def _onnx(path: Path) -> None:
    from packed_scenes.embed.exported import load_exported

    load_exported(path)


def _detector(path: Path) -> None:
    from packed_scenes.detect.load import load_network

    load_network(path)


def _ir(path: Path) -> None:
    _restore(path.with_suffix(".bin"), "bin")
    _onnx(path)


def _bin(path: Path) -> None:
    _restore(path.with_suffix(".xml"), "ir")
    _onnx(path.with_suffix(".xml"))


def _video(path: Path) -> None:
    from packed_scenes.data.video import read_video

    for _, frame in read_video(path, max_frames=5, warn=lambda _: None):
        assert frame.ndim == 3


def _matrix(path: Path) -> None:
    from packed_scenes.embed.descriptors.matrix import load_table

    table = load_table(path)
    assert np.asarray(table.matrix).ndim == 2


def _catalogue(path: Path) -> None:
    from packed_scenes.catalogue import Catalogue

    for left in path.parent.glob("catalogue.sqlite-*"):
        left.unlink()
    found = Catalogue(path.parent)
    for scene in found.scenes():
        found.in_scene(scene.name)
        found.preview(scene.name)
    for identity in found.identities():
        with suppress(InputError):  # one whose scenes the damage took
            found.seen(identity.identity_id)
    found.vectors()
    found.share()
    assert isinstance(found.history(), list)
    found.export(path.parent / "out.csv")
    found.export(path.parent / "out.json")
    found.export(path.parent / "out.parquet")


def _values(path: Path) -> None:
    """Put values that cannot be into a sound database; the case's bytes choose them."""
    file = path.with_name("catalogue.sqlite")
    _restore(file, "sqlite")
    rng = np.random.default_rng(zlib.crc32(path.read_bytes()))
    odd = (None, -1, 1 << 62, 1.5, float("inf"), "", "x", "[" * 5000, "{}", "9" * 5000, b"", b"\0\0\0", b"\xff" * 40)
    with closing(sqlite3.connect(file)) as opened:
        opened.execute("PRAGMA ignore_check_constraints = ON")
        for _ in range(int(rng.integers(1, 4))):
            tables = [row[0] for row in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            table = tables[int(rng.integers(len(tables)))]
            columns = [row[1] for row in opened.execute(f"PRAGMA table_info({table})")]
            column = columns[int(rng.integers(len(columns)))]
            with suppress(sqlite3.Error):  # a column may refuse
                opened.execute(f"UPDATE {table} SET {column} = ?", (odd[int(rng.integers(len(odd)))],))
        opened.commit()
    _catalogue(file)


def _project(path: Path) -> None:
    from packed_scenes.web.project.folder import ProjectFolder
    from packed_scenes.web.project.project import Project
    from tests.packed_scenes.workbench import CARD

    held = ProjectFolder(path)
    try:
        project = Project(held, roots=[], card=CARD)
        assert project.settings
        project.view()
        for photo in project.photos:
            project.objects(photo.number)
            project.places(photo.number)
    finally:
        held.close()


def _import(path: Path) -> None:
    from packed_scenes.web.project.folder import import_zip

    target = path.parent / "imported"
    shutil.rmtree(target, ignore_errors=True)
    import_zip(path, target)
    _project(target)


def _member(name: str) -> Callable[[Path], None]:
    """Put a mutated file of a project into an otherwise sound archive, which its checksum cannot refuse."""

    def read(path: Path) -> None:
        sound = next(content for reader, content in seeds() if reader == "import")
        out = path.with_suffix(".zip")
        with zipfile.ZipFile(io.BytesIO(sound)) as old, zipfile.ZipFile(out, "w") as new:
            for info in old.infolist():
                mutated = info.filename == name or (name == "rows" and info.filename.startswith("rows/"))
                new.writestr(info.filename, path.read_bytes() if mutated else old.read(info))
        _import(out)

    return read


def _run(path: Path) -> None:
    from packed_scenes.names import Names
    from packed_scenes.retrieval.run import load_run
    from packed_scenes.web.project.runs import read_run

    other = "objects.parquet" if path.name == "run.json" else "run.json"
    _restore(path.with_name(other), other)
    Names.of_run(path.parent)
    refused: list[InputError] = []
    for reader in (load_run, read_run):
        try:
            reader(path.parent)
        except InputError as error:
            refused.append(error)
    if refused:
        raise refused[0]


def _seen(path: Path) -> None:
    from packed_scenes.observation import load_observation

    if load_observation(path, "key") is None:  # it is made again then
        raise InputError("damaged", file=path, remedy="Look again.")


def _shard(path: Path) -> None:
    from packed_scenes.embed.descriptors.cache import Cache

    kept = Cache(path.parent.parent, {"name": "x"}, dimension=4)
    (path.parent.parent / "out.npy").unlink(missing_ok=True)
    known = [bytes([k]) * 32 for k in range(5) if bytes([k]) * 32 in kept]
    kept.gather(known, path.parent.parent / "out.npy")


def _pool(path: Path) -> None:
    from packed_scenes.detect.training.pool import Pool

    pool = Pool()
    pool.extend(path)
    if len(pool):
        pool.draw(np.random.default_rng(0))


def _columns(path: Path) -> None:
    from packed_scenes.embed.store import CropStore

    CropStore.open(path.parent)


@cache
def _cache_name() -> str:
    from packed_scenes.embed.descriptors.cache import key_of

    return f"x-{key_of({'name': 'x'})}"


# The file's name below the folder, and what reads it.
READERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "onnx embedder": ("onnx/n.onnx", _onnx),
    "onnx detector": ("det/d.onnx", _detector),
    "ir": ("ir/n.xml", _ir),
    "bin": ("ir/n.bin", _bin),
    "safetensors": ("own/e.safetensors", _weights),
    "card": ("own/e.json", _card),
    "pt": ("det/d.pt", _detector),
    "video": ("v.avi", _video),
    "npy": ("m.npy", _matrix),
    "npz": ("m.npz", _matrix),
    "parquet": ("m.parquet", _matrix),
    "sqlite": ("catalogue/catalogue.sqlite", _catalogue),
    "values": ("catalogue/values", _values),
    "import": ("p.zip", _import),
    "project.json": ("project.json", _member("project.json")),
    "log.jsonl": ("log.jsonl", _member("log.jsonl")),
    "rows": ("rows.npz", _member("rows")),
    "run.json": ("run/run.json", _run),
    "objects.parquet": ("run/objects.parquet", _run),
    "shard": (f"cache/{_cache_name()}/shard-0.safetensors", _shard),
    "pool": ("pool.npz", _pool),
    "seen": ("seen/a.parquet", _seen),
    "columns": ("store/columns.npy", _columns),
}
