"""Teach what is the same: one short round of fine-tuning of the embedder, on the groups of photos that are right.

The training is :func:`packed_scenes.embed.refine.refine`: groups that a person has named, edited or said to differ are
pushed apart, however near they lie; others only where they are far from each other anyhow. It is compared, before and
after, on photos that were kept out. It runs in a process of its own (:mod:`packed_scenes.web.project.teaching`).
What is kept describes every object of the project anew, as one change that can be undone.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import sha256_file, write_json
from packed_scenes.data.objects import NOISE
from packed_scenes.data.text import load_json
from packed_scenes.data.thresholds import calibrated_threshold
from packed_scenes.web.project.boxes import Embed
from packed_scenes.web.project.decisions import DIFFERENT, group, link_pairs, links
from packed_scenes.web.project.project import Project

if TYPE_CHECKING:
    from packed_scenes.embed.networks import Unit
    from packed_scenes.embed.store import CropStore

KEPT_OUT = 0.25  # share of the photos that are never trained on
MIN_PHOTOS = 3  # photos
STEPS = 300  # at most
TRIAL = 4  # steps that are timed first
AMBIGUOUS = 2.5  # times the calibrated threshold: groups nearer than this are not pushed apart unless that was said
FOLDER = "teach"

Labels = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]
Report = Callable[[dict[str, Any]], None]


def prepare(project: Project, photos: list[int], *, minutes: float, steps: int = STEPS, seed: int = 0) -> Path:
    """Write what the training reads; returns the file that says what to do.

    Args:
        project: is only read.
        photos: those whose boxes and groups are right.
        minutes: time for the training itself.
        steps: at most.
        seed: chooses the photos kept out, and the batches.

    Raises:
        InputError: if there are too few photos or groups, or a photo cannot be read here.
    """
    chosen = sorted(set(photos))
    if len(chosen) < MIN_PHOTOS:
        raise InputError(
            f"at least {MIN_PHOTOS} photos that are right are needed", remedy="Correct more, ten are better."
        )
    if not 0.05 <= minutes <= 600:
        raise InputError("the time must lie between 3 seconds and 10 hours")
    out = set(np.random.default_rng(seed).permutation(chosen)[: max(1, round(KEPT_OUT * len(chosen)))].tolist())
    with project.lock:
        view, columns = project.view(), project.document.columns
        cluster, pinned = view.grouping.cluster, sorted(view.grouping.pinned - {NOISE})
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
        of_row = dict(zip(view.rows.tolist(), cluster.tolist(), strict=True))
        apart = [[of_row[a], of_row[b]] for (a, b), said in links(project).items()
                 if said == DIFFERENT and a in of_row and b in of_row]  # fmt: skip
        apart += [[a, b] for k, a in enumerate(pinned) for b in pinned[k + 1 :]]
        embedder = source_of(project)
    trained = [c for item in listed if not item["held"] for c in item["groups"]]
    if len(set(trained)) < 2 or len(set(trained)) == len(trained):
        raise InputError("the photos hold no two groups with several objects", remedy="Name or join groups first.")
    aside = project.folder.path / FOLDER / "looks"
    shutil.rmtree(aside, ignore_errors=True)
    spec = aside / "spec.json"
    write_json(spec, {
        "kind": "embedder", "photos": listed, "apart": apart, "minutes": minutes, "steps": steps, "seed": seed,
        "embedder": embedder,
    })  # fmt: skip
    return spec


def source_of(project: Project) -> str:
    """The weights that the project's vectors were made with: a name, or a file."""
    taught = project.document.values.get("embedder")
    if taught is not None:
        return str(project.folder.path / str(taught["file"]))
    return str((project.folder.about.get("settings") or {}).get("embedder") or "default")


@dataclass(frozen=True)
class _Data:
    store: CropStore
    group: Labels
    photo: Labels
    held: npt.NDArray[np.bool_]


def work(spec: Path, report: Report) -> dict[str, Any]:
    """Do what a specification says; reports progress, returns the comparison."""
    import torch

    from packed_scenes.embed.refine import PseudoBatches, RefineRecipe, refine
    from packed_scenes.embed.weights import save_weights
    from packed_scenes.refining.network import embed_store, trainable

    torch.set_num_threads(1)
    task = load_json(spec.read_text(encoding="utf-8"))
    network, card = trainable(task["embedder"])
    calibrated = calibrated_threshold(card)
    data = _read(task["photos"], spec.parent / "crops", report)
    report({"stage": "score", "done": 0, "total": 0})
    start = embed_store(network, card, data.store)
    before = _score(data, start, calibrated)

    used = ~data.held
    known, target = np.unique(data.group[used], return_inverse=True)
    labels = np.full(len(data.group), -1, np.int64)
    labels[used] = target
    place = {int(c): k for k, c in enumerate(known.tolist())}
    apart = np.array([(place[a], place[b]) for a, b in task["apart"] if a in place and b in place], np.int64)
    seed, minutes = int(task["seed"]), float(task["minutes"])
    batches = PseudoBatches(data.store, labels, data.photo, identities=10, views=4, seed=seed)

    def train(steps: int, report: Callable[[int, float], None] | None = None) -> Unit:
        recipe = RefineRecipe(
            steps=steps, identities=10, views=4, ambiguous=min(AMBIGUOUS * calibrated, 1.0), seed=seed
        )
        return refine(network, batches, vectors=start, recipe=recipe, apart=apart.reshape(-1, 2), report=report)

    began = time.perf_counter()
    train(TRIAL)
    pace = (time.perf_counter() - began) / TRIAL
    steps = int(np.clip(minutes * 60 / pace, TRIAL, task["steps"]))
    report({"stage": "looks", "done": 0, "total": steps})
    trained = train(steps, lambda done, _: report({"stage": "looks", "done": done, "total": steps}))
    report({"stage": "score", "done": steps, "total": steps})
    after = _score(data, embed_store(trained, card, data.store), calibrated)
    about = {"name": "taught", "data": {"start": card.get("sha256"), "crops": int(used.sum()), "groups": len(known)}}
    weights = spec.parent / "embedder.safetensors"
    save_weights(
        weights, trained.state_dict(), {k: v for k, v in card.items() if k not in ("sha256", "version")} | about
    )
    shutil.rmtree(spec.parent / "crops", ignore_errors=True)
    return {
        "rows": [{"name": name, "before": before[name], "after": after[name]} for name in before],
        "note": f"On {int(data.held.sum())} objects of {sum(p['held'] for p in task['photos'])} photos kept out; "
        f"trained on {int(used.sum())} objects of {len(known)} groups for {steps} steps.",
        "sha256": sha256_file(weights),
    }  # fmt: skip


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


def _score(data: _Data, X: Vectors, calibrated: float) -> dict[str, float]:
    """How well the kept-out objects are grouped anew, and whether their nearest object is of their group."""
    from packed_scenes import cluster
    from packed_scenes.cluster.knn import neighbours

    rows = np.flatnonzero(data.held)
    model = cluster.make("default", calibrated=calibrated)
    found = cluster.score(data.group[rows], model.fit_predict(X[rows], scene=data.photo[rows]))
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
        threshold = (project.folder.about.get("settings") or {}).get("threshold")
        after = group(project, project.grouping, same, different, threshold=threshold, vectors=vectors)
        what = "Shipped network for what is the same" if value is None else "Taught network for what is the same"
        every = np.arange(len(vectors))
        patches = project.document.patch("vector", every, vectors)
        return project.commit_grouping(
            what, after, columns=patches, values={"embedder": None if value is None else dict(value)}
        )


def file_away(project: Project) -> dict[str, str]:
    """Put the trained network where the project keeps what its vectors are made with; returns where that is.

    Raises:
        InputError: if there is none.
    """
    from packed_scenes.embed.weights import card_path

    fresh = project.folder.path / FOLDER / "looks" / "embedder.safetensors"
    if not fresh.is_file():
        raise InputError("there is no trained network", remedy="Train one first.")
    sha256 = sha256_file(fresh)
    name = f"{FOLDER}/embedders/{sha256[:16]}.safetensors"
    target = project.folder.path / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(card_path(fresh), card_path(target))
    shutil.copyfile(fresh, target)
    return {"file": name, "sha256": sha256}
