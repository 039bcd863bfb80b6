"""Clusters -> training -> clusters again, as long as a check that needs no truth says that it helps."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.crops.listing import Crops, store_crops
from packed_scenes.data.errors import InputError
from packed_scenes.data.thresholds import calibrated_threshold
from packed_scenes.refining.check import HeldOut, hold_out, no_worse
from packed_scenes.refining.finished import load_round, rounds_key, save_round
from packed_scenes.refining.grouping import Grouping, Labels, Vectors
from packed_scenes.refining.network import embed_store, trainable
from packed_scenes.refining.review import Links

if TYPE_CHECKING:
    from packed_scenes.embed.networks import Unit
    from packed_scenes.embed.store import CropStore

AMBIGUOUS = 2.5  # x calibrated: clusters nearer than this are not pushed apart

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Every choice of a refinement.

    Attributes:
        embedder: where to start: ``default``, ``reference`` or a .safetensors file.
        rounds: most rounds of clustering and training.
        steps: training steps per round.
        lr: peak learning rate.
        clusterer: makes the labels: a name of `cluster`, or ``auto``: k-reciprocal where cameras are known, which
            joins few and different views of a thing, else the default one, which joins many.
        once: two crops of one camera are never the same thing.
        reassign: put doubtful members and outliers where they belong at the end
            (:func:`packed_scenes.cluster.reassign`).
        seed: of batches, views and the check.
    """

    embedder: str = "default"
    rounds: int = 3
    steps: int = 60
    lr: float = 1e-3
    clusterer: str = "auto"
    once: bool = False
    reassign: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.rounds < 0 or self.steps < 1 or not 0 < self.lr < 1:
            raise InputError(f"needs rounds >= 0, steps >= 1 and lr between 0 and 1, got {self}")


@dataclass(frozen=True)
class Round:
    """What one round did; round 0 is the start network.

    Attributes:
        number: 0, 1, …
        check: how well the crops that were not trained on stand apart (:mod:`packed_scenes.refining.check`); it
            decides.
        clusters: number of clusters of the crops by this round's network.
        trained_clusters, trained_crops: reliable clusters of several crops that this round was trained on, and the
            crops in them.
        loss: at the end of the training.
        seconds: of the training and the check.
    """

    number: int
    check: float
    clusters: int
    trained_clusters: int = 0
    trained_crops: int = 0
    loss: float | None = None
    seconds: float = 0.0


@dataclass
class Refined:
    """The result.

    Attributes:
        crops: the readable crops. options: as asked for. history: of all rounds. best: number of the round kept.
        network: of that round. card: of the start network. calibrated: its cosine threshold.
        start, vectors: (N, D) unit rows by the start and by the kept network.
        start_labels, labels: (N,) clusters by both. probability: (N,).
        links: what a person said. warnings: one line each.
    """

    crops: Crops
    options: Options
    history: list[Round]
    best: int
    network: Unit
    card: dict[str, Any]
    calibrated: float
    start: Vectors
    vectors: Vectors
    start_labels: Labels
    labels: Labels
    probability: npt.NDArray[np.float32]
    links: Links
    warnings: list[str] = field(default_factory=list)
    clusterer: str = "default"


def refine_crops(
    crops: Crops,
    *,
    options: Options | None = None,
    work: Path,
    links: Links | None = None,
    progress: Progress | None = None,
) -> Refined:
    """Refine an embedding on one collection.

    Every round clusters the crops (the camera's own shift taken out), leaves out members that are in doubt, trains on
    the rest, and is kept if crops that are never trained on stand apart no worse than before; the first round after
    which they do not is given up, and the last.

    Args:
        crops: what to refine on.
        options: see :class:`Options`.
        work: folder for decoded crops and finished rounds; the same call goes on after the last finished one.
        links: pairs that a person joined or parted.
        progress: called with (what, done, all).

    Memory: one batch, the N x D vectors, two views' vectors; decoded crops lie on disk.

    Raises:
        InputError: if the embedder cannot be trained, or the crops cannot be read.
    """
    chosen = options or Options()
    network, card = trainable(chosen.embedder)
    calibrated = calibrated_threshold(card)
    if chosen.once and crops.camera is None:
        raise InputError("'once per camera' needs the cameras", remedy="Give --camera.")
    notify = progress or (lambda what, done, total: None)
    key = rounds_key(crops, chosen, card, links)
    crops, store = store_crops(crops, work)
    known = (links or Links()).rows(crops.names)
    clusterer = chosen.clusterer
    if clusterer == "auto":
        clusterer = "default" if crops.camera is None else "k-reciprocal"
    grouping = Grouping(crops, clusterer, calibrated, chosen.once, known)

    first = vectors = embed_store(network, card, store, lambda done: notify("embedding", done, len(store)))
    labels, probability, warnings = grouping.fit(vectors)
    start_labels, best = labels, network
    trusted = grouping.trusted(vectors, labels)
    held = hold_out(vectors, labels, trusted, ambiguous=AMBIGUOUS * calibrated, seed=chosen.seed)
    apart = held.separation(vectors)
    history, kept = [Round(0, _mean(apart), int(labels.max()) + 1)], 0
    for number in range(1, chosen.rounds + 1):
        done = load_round(work, key, number, network)
        if done is None:
            begin = time.perf_counter()
            trained, about = train_round(
                number, best, store, labels, trusted, vectors, held, crops, chosen, calibrated, notify
            )
            about["seconds"] = round(time.perf_counter() - begin, 2)
            done = trained, about
            save_round(work, key, number, *done)
        X = embed_store(done[0], card, store)
        found = grouping.fit(X)
        now = held.separation(X)
        history.append(Round(**done[1], check=_mean(now), clusters=int(found[0].max()) + 1))
        if not no_worse(apart, now):
            break
        apart, kept = now, number
        best, vectors, (labels, probability, warnings) = done[0], X, found
        trusted = grouping.trusted(vectors, labels)
    if chosen.reassign:
        labels, note = grouping.correct_labels(vectors, labels)
        warnings = [*warnings, note]
    return Refined(
        crops, chosen, history, kept, best, card, calibrated, first, vectors, start_labels, labels, probability,
        links or Links(), warnings, clusterer,
    )  # fmt: skip


def _mean(values: npt.NDArray[np.float64]) -> float:
    return round(float(values.mean()), 5) if len(values) else 0.0


def train_round(
    number: int,
    network: Unit,
    store: CropStore,
    labels: Labels,
    trusted: npt.NDArray[np.bool_],
    vectors: Vectors,
    held: HeldOut,
    crops: Crops,
    options: Options,
    calibrated: float,
    progress: Progress,
) -> tuple[Unit, dict[str, Any]]:
    """One round of training on what can be trusted; every other crop stands for itself, held ones are left out."""
    from packed_scenes.embed.refine import PseudoBatches, RefineRecipe, refine

    target = np.where(trusted, labels, int(labels.max()) + 1 + np.arange(len(labels)))
    target[held.rows] = -1
    kept = target >= 0
    target[kept] = np.unique(target[kept], return_inverse=True)[1]
    seed = options.seed * 1000 + number
    identities, views = (10, 4) if crops.camera is None else (20, 2)
    recipe = RefineRecipe(
        steps=options.steps, lr=options.lr, identities=identities, views=views, ambiguous=AMBIGUOUS * calibrated,
        seed=seed,
    )  # fmt: skip
    batches = PseudoBatches(store, target, crops.camera, identities=identities, views=views, seed=seed)
    last = [0.0]

    def report(done: int, loss: float) -> None:
        last[0] = loss
        progress(f"round {number}, loss {loss:.2f}", done, options.steps)

    trained = refine(network, batches, vectors=vectors, recipe=recipe, report=report)
    used = trusted & kept
    about = {
        "number": number, "trained_clusters": len(np.unique(labels[used])), "trained_crops": int(used.sum()),
        "loss": round(last[0], 4),
    }  # fmt: skip
    return trained, about
