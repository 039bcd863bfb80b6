"""Stage ``identify``: who is who on true boxes, and with nothing given, ours beside the usual recipe.

The usual recipe: ultralytics boxes, an ImageNet network's features of every crop, HDBSCAN of scikit-learn. Its weights
are never fetched: torchvision's ResNet-50 is used where it is on this machine already, others by
``--descriptor-weights NAME=FILE``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .inputs import Work, labelled
from .record import Found, Table
from .timing import Timed, ratio

if TYPE_CHECKING:
    from packed_scenes.data.objects import Objects
    from packed_scenes.embed import Embedder

Labels = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]
MATCH = 0.5  # IoU at which a box stands for a true one
CNN = "resnet50"


@dataclass(frozen=True)
class Recipe:
    """How to get from boxes to identities."""

    title: str
    embedder: Embedder
    group: Callable[[Vectors, Objects], Labels]

    def __call__(self, image: Image, objects: Objects) -> Labels:
        """Identities of the objects, -1 = noise."""
        if not len(objects):
            return np.zeros(0, np.int64)
        return self.group(self.embedder.embed(image, objects.xyxy), objects)


def run(work: Work) -> Found:
    """Time and score all recipes, on true boxes and with detection."""
    scenes, name = labelled(work)
    found = Found()
    recipes = _recipes(work, found)
    timed = {recipe.title: Timed() for recipe in recipes}
    labels: dict[str, list[tuple[Labels, Labels]]] = {recipe.title: [] for recipe in recipes}
    for number, scene in enumerate(scenes):
        image = scene.load().image
        assert scene.identity_uncertain is not None
        truth = scene.truth.select(~scene.identity_uncertain)
        assert truth.cluster is not None
        for recipe in recipes:
            if number == 0:
                recipe(image, truth)  # warm
            job = partial(recipe, image, truth.replace(cluster=None))
            labels[recipe.title].append((truth.cluster, timed[recipe.title].add(job)))
    ours = timed[recipes[0].title]
    rows = [
        {"recipe": title, **_scores(labels[title]), **times.row(), **({} if times is ours else ratio(times, ours))}
        for title, times in timed.items()
    ]
    note = f"On {name}; each scene on its own, noise counted as single objects; seconds per scene, boxes given."
    found.tables.append(Table("identities on true boxes", rows, note, "bars", by="recipe"))
    found.tables.append(_end_to_end(scenes, name, recipes))
    return found


def _recipes(work: Work, found: Found) -> list[Recipe]:
    from packed_scenes.embed import Embedder

    own = Embedder.load(work.embedder, device="cpu")

    from packed_scenes import cluster

    def ours(X: Vectors, objects: Objects) -> Labels:
        model = cluster.make("default", calibrated=own.card["calibration"]["threshold"])
        return np.asarray(model.fit_predict(X, xyxy=objects.xyxy), np.int64)

    def two_stage(X: Vectors, _: Objects) -> Labels:
        return np.asarray(cluster.make("two-stage").fit_predict(X), np.int64)

    recipes = [
        Recipe("ours", own, ours),
        Recipe(
            "the reference: two-layer network, HDBSCAN + OPTICS", Embedder.load("reference", device="cpu"), two_stage
        ),
        Recipe("Lab colour layout + scikit-learn HDBSCAN", Embedder.load("colour", device="cpu"), sklearn_hdbscan),
    ]
    if _cached(CNN):
        recipes.append(Recipe("ResNet-50 (ImageNet) + scikit-learn HDBSCAN", Embedder.load(CNN), sklearn_hdbscan))
    else:
        found.skipped.append(
            "ResNet-50: torchvision's weights are not on this machine (load them once, or give a file)"
        )
    for text in work.descriptors:
        network = Embedder.load(text, device="cpu")
        recipes.append(Recipe(f"{text.split('=')[0]} (weights given) + scikit-learn HDBSCAN", network, sklearn_hdbscan))
    return recipes


def sklearn_hdbscan(X: Vectors, _: Objects) -> Labels:
    """scikit-learn's HDBSCAN as its users call it for small groups: pairs are clusters."""
    from sklearn.cluster import HDBSCAN

    if len(X) < 3:
        return np.full(len(X), -1, np.int64)
    return np.asarray(HDBSCAN(min_cluster_size=2, copy=True).fit_predict(X.astype(np.float64)), np.int64)


def _cached(name: str) -> bool:
    """Whether torchvision's weights are on this machine, so that nothing is fetched."""
    import torch

    return any((Path(torch.hub.get_dir()) / "checkpoints").glob(f"{name}-*.pth"))


def _scores(pairs: list[tuple[Labels, Labels]]) -> dict[str, float]:
    from packed_scenes.cluster import pair_counts, pooled_pairs, score

    each = [score(true, found) for true, found in pairs]
    return {
        "BCubed F": round(float(np.mean([s.bcubed_f for s in each])), 3),
        "pairwise F": round(pooled_pairs(pair_counts(t, p) for t, p in pairs).f, 3),
        "count error": round(float(np.mean([s.count_error for s in each])), 3),
        "noise": round(float(np.mean([s.noise_share for s in each])), 3),
    }


def _end_to_end(scenes: Any, name: str, recipes: list[Recipe]) -> Table:
    """Nothing given: ours with our detector, every other recipe with ultralytics' boxes of the same weights."""
    from packed_scenes.data.objects import Objects
    from packed_scenes.detect import Detector
    from packed_scenes.detect.load import ASSETS
    from packed_scenes.detect.matching import match_boxes
    from packed_scenes.detect.ultralytics_import import import_ultralytics
    from packed_scenes.end_to_end import EndToEnd, end_to_end

    own = Detector.load(device="cpu")
    model = import_ultralytics().YOLO(str(ASSETS / "detector.onnx"), task="detect")

    def usual(image: Image) -> Objects:
        result = model.predict(image[..., ::-1], imgsz=1280, device="cpu", verbose=False)[0]
        return Objects.from_boxes(result.boxes.xyxy.cpu().numpy(), score=result.boxes.conf.cpu().numpy())

    total = {recipe.title: EndToEnd() for recipe in recipes}
    each: dict[str, list[float]] = {recipe.title: [] for recipe in recipes}
    timed = {recipe.title: Timed() for recipe in recipes}

    def job(recipe: Recipe, find: Callable[[Image], Objects], image: Image) -> tuple[Objects, Labels]:
        objects = find(image)
        return objects, recipe(image, objects)

    for number, scene in enumerate(scenes):
        image = scene.load().image
        certain = ~scene.identity_uncertain
        for recipe in recipes:
            work = partial(job, recipe, own.detect if recipe is recipes[0] else usual, image)
            if number == 0:
                work()
            objects, labels = timed[recipe.title].add(work)
            matched = match_boxes(objects, scene.truth, ignore=scene.ignore, iou_threshold=MATCH)
            hit = np.maximum(matched.truth, 0)
            counts = ~matched.ignored & ~((matched.truth >= 0) & ~certain[hit])
            rows = np.where(matched.truth >= 0, (np.cumsum(certain) - 1)[hit], -1)[counts].astype(np.int64)
            ends = end_to_end(scene.truth.select(certain).cluster, labels[counts], rows)
            total[recipe.title] += ends
            each[recipe.title].append(ends.bcubed_f)
    ours = timed[recipes[0].title]
    rows_ = [
        {
            "recipe": title,
            "BCubed F": round(float(np.mean(each[title])), 3),
            "pairwise F": round(total[title].pairwise_f, 3),
        }
        | times.row()
        | ({} if times is ours else ratio(times, ours))
        for title, times in timed.items()
    ]
    note = (
        f"On {name}: misses and false alarms count against a recipe. Ours finds the boxes at the automatic size; the "
        "others take ultralytics' predict at 1280 px with the same detector weights."
    )
    return Table("identities with nothing given", rows_, note, "bars", by="recipe")
