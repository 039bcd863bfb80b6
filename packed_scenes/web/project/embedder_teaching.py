"""Teach what is the same: a linear head of the embedder, from the groups of photos that are right.

The head, and the distance at which groups merge, are chosen by :mod:`packed_scenes.web.project.embedder_choice`; the
result is compared with the network as it is, on photos that took no part at all. It runs in a process of its own
(:mod:`packed_scenes.web.project.teaching`). What is kept describes every object of the project anew and groups it at
the distance found, as one change that can be undone.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.arrays import unit_rows
from packed_scenes.data.checks import is_number
from packed_scenes.data.errors import InputError
from packed_scenes.data.files import sha256_file, write_json
from packed_scenes.data.objects import NOISE
from packed_scenes.data.text import load_json
from packed_scenes.data.thresholds import calibrated_threshold
from packed_scenes.refining.network import canvases_of, trainable
from packed_scenes.web.project.boxes import Embed
from packed_scenes.web.project.decisions import group, link_pairs
from packed_scenes.web.project.embedder_choice import Labels, Vectors, choose
from packed_scenes.web.project.project import Project

if TYPE_CHECKING:
    from packed_scenes.embed.networks import Unit
    from packed_scenes.embed.store import CropStore

KEPT_OUT = 0.25  # share of the photos that are never trained on
MIN_PHOTOS = 3  # photos
CHUNK = 64  # crops that the network sees at once
FOLDER = "teach"

Report = Callable[[dict[str, Any]], None]


def prepare(project: Project, photos: list[int], *, seed: int = 0) -> Path:
    """Write what the training reads; returns the file that says what to do.

    Args:
        project: is only read.
        photos: those whose boxes and groups are right.
        seed: chooses the photos kept out.

    Raises:
        InputError: if there are too few photos or groups, or a photo cannot be read here.
    """
    chosen = sorted(set(photos))
    if len(chosen) < MIN_PHOTOS:
        raise InputError(
            f"at least {MIN_PHOTOS} photos that are right are needed", remedy="Correct more, ten are better."
        )
    out = set(np.random.default_rng(seed).permutation(chosen)[: max(1, round(KEPT_OUT * len(chosen)))].tolist())
    with project.lock:
        view, columns = project.view(), project.document.columns
        cluster = view.grouping.cluster
        listed = []
        for number in chosen:
            photo = project.photo(number)
            if photo.source is None or photo.source.path is None:
                raise InputError(f"{photo.name} cannot be read here")
            here = (view.photo == number) & (cluster != NOISE)
            listed.append({
                "path": str(photo.source.path), "held": number in out,
                "boxes": columns["xyxy"][view.rows[here]].tolist(), "groups": cluster[here].tolist(),
            })  # fmt: skip
        embedder, threshold = source_of(project), threshold_of(project, project.document.values.get("embedder"))
    trained = [c for item in listed if not item["held"] for c in item["groups"]]
    if len(set(trained)) < 2 or len(set(trained)) == len(trained):
        raise InputError("the photos hold no two groups with several objects", remedy="Name or join groups first.")
    aside = project.folder.path / FOLDER / "looks"
    shutil.rmtree(aside, ignore_errors=True)
    spec = aside / "spec.json"
    write_json(spec, {
        "kind": "embedder", "photos": listed, "embedder": embedder, "threshold": threshold,
    })  # fmt: skip
    return spec


def source_of(project: Project) -> str:
    """The weights that the project's vectors were made with: a name, or a file."""
    taught = project.document.values.get("embedder")
    if taught is not None:
        return str(project.folder.path / str(taught["file"]))
    return str((project.folder.about.get("settings") or {}).get("embedder") or "default")


def threshold_of(project: Project, embedder: Mapping[str, Any] | None) -> float | None:
    """The distance that groups are made at when all is grouped anew with an embedder; None = the clusterer chooses."""
    told = ((project.folder.about.get("settings") or {}) if embedder is None else embedder).get("threshold")
    return float(told) if told is not None and is_number(told) and 0 < told <= 2 else None


@dataclass(frozen=True)
class _Data:
    store: CropStore
    group: Labels
    photo: Labels
    held: npt.NDArray[np.bool_]


def work(spec: Path, report: Report) -> dict[str, Any]:
    """Do what a specification says; reports progress, returns the comparison."""
    import torch

    from packed_scenes.embed.weights import save_weights

    torch.set_num_threads(1)
    task = load_json(spec.read_text(encoding="utf-8"))
    network, card = trainable(task["embedder"])
    last = getattr(network, "head", None)
    if not isinstance(last, torch.nn.Linear):
        raise InputError(f"embedder {task['embedder']!r} cannot be taught", remedy="Take default or person.")
    data = _read(task["photos"], spec.parent / "crops", report)
    features = _features(network, card, data.store, report)
    shutil.rmtree(spec.parent / "crops", ignore_errors=True)
    calibrated = calibrated_threshold(card)
    used = ~data.held
    head = choose(
        features[used], data.group[used], data.photo[used],
        automatic=lambda X, photo: _grouped(X, photo, calibrated, None),
        report=lambda done, total: report({"stage": "looks", "done": done, "total": total}),
    )  # fmt: skip
    report({"stage": "score", "done": 0, "total": 0})
    before = _score(data, unit_rows(features), calibrated, task["threshold"])
    kept_out = f"{int(data.held.sum())} objects of {sum(p['held'] for p in task['photos'])} photos kept out"
    taught = f"{int(used.sum())} objects of {len(np.unique(data.group[used]))} groups"
    if head.threshold is None:
        rows = [{"name": name, "before": value, "after": value} for name, value in before.items()]
        return {"rows": rows, "note": f"Nothing that was tried on {taught} groups photos better than the network as it "
                f"is: there is nothing to keep. On {kept_out}."}  # fmt: skip
    after = _score(data, head.apply(features), calibrated, head.threshold)
    with torch.no_grad():
        weight, bias = torch.from_numpy(head.weight).float(), torch.from_numpy(head.bias).float()
        last.bias.copy_(weight @ last.bias + bias)
        last.weight.copy_(weight @ last.weight)
    about = {k: v for k, v in card.items() if k not in ("sha256", "version")} | {
        "name": "taught", "calibration": {"threshold": head.threshold},  # that of the start is not its
        "data": {"start": card.get("sha256"), "taught": taught, "ridge": head.ridge, "floor": head.floor,
                 "expected": round(head.expected, 4)},
    }  # fmt: skip
    weights = spec.parent / "embedder.safetensors"
    save_weights(weights, network.state_dict(), about, half=False)
    return {
        "rows": [{"name": name, "before": before[name], "after": after[name]} for name in before],
        "note": f"On {kept_out}; taught by {taught}. Groups then merge up to a distance of {head.threshold:.2f}.",
        "sha256": sha256_file(weights),
    }


def _features(network: Unit, card: Mapping[str, Any], store: CropStore, report: Report) -> Vectors:
    """(N, D) what the network's last layer gives for the stored crops, not normalised."""
    import torch

    parts, done = [np.zeros((0, network.dimension), np.float32)], 0
    for canvases in canvases_of(network, card, store):
        report({"stage": "renew", "done": done, "total": len(store)})
        for low in range(0, len(canvases), CHUNK):
            with torch.inference_mode():
                pixels = torch.from_numpy(canvases[low : low + CHUNK]).permute(0, 3, 1, 2).float()
                parts.append(network.features(network.scale(pixels)).float().numpy())
        done += len(canvases)
    return np.concatenate(parts)


def _read(photos: list[dict[str, Any]], folder: Path, report: Report) -> _Data:
    """Cut the objects out, one photo after the other."""
    from packed_scenes.data.images import read_image
    from packed_scenes.embed.store import CropStore, StoreWriter

    writer = StoreWriter(folder)
    groups: list[int] = []
    photo: list[int] = []
    held: list[bool] = []
    for number, item in enumerate(photos):
        report({"stage": "prepare", "done": number, "total": len(photos)})
        image = read_image(item["path"])
        height, width = image.shape[:2]
        for box, c in zip(item["boxes"], item["groups"], strict=True):
            x1, y1, x2, y2 = (round(v) for v in box)
            x1, y1 = min(max(x1, 0), width - 1), min(max(y1, 0), height - 1)
            writer.add(image[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)], label=int(c))
            groups.append(int(c))
            photo.append(number)
            held.append(bool(item["held"]))
    writer.close()
    return _Data(CropStore.open(folder), np.array(groups), np.array(photo), np.array(held))


def _grouped(X: Vectors, photo: Labels, calibrated: float, threshold: float | None) -> Labels:
    """Group as a project does (without boxes)."""
    from packed_scenes import cluster

    model = cluster.make("default", calibrated=calibrated)
    if threshold is not None:
        model.set_params(threshold=threshold)
    return model.fit_predict(X, scene=photo)


def _score(data: _Data, X: Vectors, calibrated: float, threshold: float | None) -> dict[str, float]:
    """How well the kept-out objects are grouped anew, and whether their nearest object is of their group."""
    from packed_scenes import cluster
    from packed_scenes.cluster.knn import neighbours

    rows = np.flatnonzero(data.held)
    found = cluster.score(data.group[rows], _grouped(X[rows], data.photo[rows], calibrated, threshold))
    _, group, count = np.unique(data.group, return_inverse=True, return_counts=True)
    asked = rows[count[group[rows]] > 1]
    right = data.group[neighbours(X, 1).index[asked, 0]] == data.group[asked]
    return {
        "groups found (BCubed F)": round(found.bcubed_f, 4),
        "pairs found (F)": round(found.pairwise_f, 4),
        "the nearest is the same": round(float(right.sum()) / max(len(right), 1), 4),
    }


def keep(
    project: Project, embed: Embed, *, value: Mapping[str, Any] | None, report: Callable[[int], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> str:  # fmt: skip
    """Describe every object anew and group all of them, as one change.

    Args:
        project: changes.
        embed: the network that is used from now on.
        value: where it lies in the project's folder (:func:`file_away`); None = the shipped one.
        report: called with the number of photos done.
        stop: asked before each photo; nothing changes if it says yes.

    Raises:
        InputError: if a photo cannot be read, or it was stopped.
    """
    with project.lock:
        version, columns = project.version, project.document.columns
        photos = project.photos
    vectors = columns["vector"].copy()
    for done, photo in enumerate(photos):
        if stop():
            raise InputError("stopped; nothing has changed")
        report(done)
        rows = np.flatnonzero(columns["photo"] == photo.number)
        if len(rows):
            vectors[rows] = embed(project.image(photo.number), columns["xyxy"][rows].astype(np.float64))
    with project.lock:
        if project.version != version:
            raise InputError("the project changed meanwhile", remedy="Keep it again, without editing meanwhile.")
        same, different = link_pairs(project)
        after = group(
            project, project.grouping, same, different, threshold=threshold_of(project, value), vectors=vectors
        )
        what = "Shipped network for what is the same" if value is None else "Taught network for what is the same"
        every = np.arange(len(vectors))
        patches = project.document.patch("vector", every, vectors)
        return project.commit_grouping(
            what, after, columns=patches, values={"embedder": None if value is None else dict(value)}
        )


def file_away(project: Project) -> dict[str, Any]:
    """Put the trained network where the project keeps what its vectors are made with; returns where that is, and the
    distance that groups are made at.

    Raises:
        InputError: if there is none.
    """
    from packed_scenes.embed.weights import card_path, load_card

    fresh = project.folder.path / FOLDER / "looks" / "embedder.safetensors"
    if not fresh.is_file():
        raise InputError("there is no trained network", remedy="Train one first.")
    card = load_card(fresh)
    sha256 = str(card["sha256"])
    name = f"{FOLDER}/embedders/{sha256[:16]}.safetensors"
    target = project.folder.path / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(card_path(fresh), card_path(target))
    shutil.copyfile(fresh, target)
    return {"file": name, "sha256": sha256, "threshold": float(card["calibration"]["threshold"])}
