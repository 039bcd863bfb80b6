"""Stage ``cluster-real``: clustering methods on real pictures with true boxes: shelf_scenes, the reference's photo,
packed_products, vehicle_reid.

Each scene is clustered on its own; B is the mean BCubed F over scenes, P the pairwise F pooled within scenes, K the
mean of |k_pred - k_true| / k_true. The last row of each set is the one threshold that is best with the truth in hand.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .inputs import Work
from .record import Found, Table

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from packed_scenes.embed import Embedder

# The 63 boxes of packed_products/test/shelf.json, in the file's order, grouped by product as seen by eye (22 products).
PHOTO = (
    (0, 4, 19, 22, 28, 29, 38, 50), (5, 7, 42, 48, 49, 54, 58), (1, 13, 26, 30, 31, 36, 37), (2, 18, 40, 47, 55),
    (23, 57), (9, 43, 59), (8, 25, 45, 51, 61), (44, 52, 62), (3, 14, 56), (12, 46), (10, 24), (21, 35), (17,), (11,),
    (41,), (16,), (15, 39), (60,), (6,), (27, 53), (32, 34), (20, 33),
)  # fmt: skip


@dataclass
class Vectors:
    """One scene as vectors, with boxes where it has any."""

    X: npt.NDArray[np.float32]
    y: npt.NDArray[np.int64]
    xyxy: npt.NDArray[np.float32] | None = None


def shelf_scenes(root: Path, embedder: Embedder) -> list[Vectors]:
    """The 13 scenes, boxes of certain identity."""
    from packed_scenes.data.coco import read_coco

    found = []
    for labelled in read_coco(root / "shelf_scenes" / "annotations.json"):
        assert labelled.identity_uncertain is not None
        truth = labelled.truth.select(~labelled.identity_uncertain)
        assert truth.cluster is not None
        found.append(Vectors(embedder.embed(labelled.load().image, truth.xyxy), truth.cluster, truth.xyxy))
    return found


def photo(root: Path, embedder: Embedder) -> list[Vectors]:
    """The reference's own photo with its 63 boxes."""
    import numpy as np

    from packed_scenes.data import read_image

    boxes = json.loads((root / "packed_products" / "test" / "shelf.json").read_text()).values()
    xyxy = np.array([[box[k] for k in ("x1", "y1", "x2", "y2")] for box in boxes], np.float32)
    y = np.zeros(len(xyxy), np.int64)
    for name, rows in enumerate(PHOTO):
        y[list(rows)] = name
    return [Vectors(embedder.embed(read_image(root / "packed_products" / "test" / "shelf.jpeg"), xyxy), y, xyxy)]


def packed_products(root: Path, embedder: Embedder, draws: int = 20) -> list[Vectors]:
    """Draws of 8 … 22 of the (repaired) classes with 1 … 6 crops each, four in ten classes with one."""
    import numpy as np

    from packed_scenes.embed.sources import read_packed

    folder = read_packed(root / "packed_products" / "train")
    rng = np.random.default_rng(2)
    found = []
    for _ in range(draws):
        rows: list[int] = []
        for label in rng.permutation(len(folder.classes))[: rng.integers(8, 23)]:
            copies = 1 if rng.random() < 0.4 else int(rng.integers(2, 7))
            rows.extend(rng.permutation(np.flatnonzero(folder.label == label))[:copies].tolist())
        found.append(Vectors(embedder.embed_crops([folder.read(row) for row in rows]), folder.label[rows]))
    return found


def vehicles(root: Path, embedder: Embedder) -> list[Vectors]:
    """All crops of the validation identities, two cameras each."""
    from packed_scenes.embed.sources import read_vehicles

    folder = read_vehicles(root / "vehicle_reid", "val")
    return [Vectors(embedder.embed_crops([folder.read(row) for row in range(len(folder))]), folder.label)]


SETS = {"shelf_scenes": shelf_scenes, "photo": photo, "packed_products": packed_products, "vehicle_reid": vehicles}


def methods(calibrated: float) -> dict[str, tuple[str, dict[str, Any]]]:
    """Name in the table -> method and options."""
    average = {"calibrated": calibrated}
    return {
        "average, adaptive, spatial (default)": ("average", average),
        "average, adaptive": ("average", {**average, "spatial": False}),
        "average, calibrated, spatial": ("average", {**average, "threshold": "calibrated"}),
        "average, calibrated": ("average", {**average, "threshold": "calibrated", "spatial": False}),
        "average, silhouette": ("average", {**average, "threshold": "silhouette", "spatial": False}),
        "two-stage, optics (reference)": ("two-stage", {}),
        "two-stage, linkage": ("two-stage", {"second": "linkage", "threshold": calibrated}),
        "hdbscan, one neighbour": ("hdbscan", {"min_samples": 1}),
        "infomap": ("infomap", {"threshold": 0.7 * calibrated}),
        "leiden CPM": (
            "leiden",
            {"threshold": 1.5 * calibrated, "objective": "CPM", "resolution": 1 - calibrated},
        ),
        "dbscan": ("dbscan", {"eps": 0.5 * calibrated}),
        "complete linkage": ("agglomerative", {"threshold": 1.3 * calibrated}),
        "kmeans, silhouette": ("kmeans", {}),
    }


def table_row(scenes: Sequence[Vectors], labels: Sequence[npt.NDArray[np.int64]]) -> dict[str, float]:
    """Scores of one method over the scenes of one set."""
    import numpy as np

    from packed_scenes.cluster import pair_counts, pooled_pairs, score

    found = [score(scene.y, part) for scene, part in zip(scenes, labels, strict=True)]
    pairs = pooled_pairs(pair_counts(scene.y, part) for scene, part in zip(scenes, labels, strict=True))
    return {
        "B": float(np.mean([s.bcubed_f for s in found])),
        "P": pairs.f,
        "K": float(np.mean([s.count_error for s in found])),
        "ARI": float(np.mean([s.ARI for s in found])),
        "noise": float(np.mean([s.noise_share for s in found])),
    }


def best_fixed(scenes: Sequence[Vectors]) -> dict[str, float]:
    """The one average-linkage threshold that is best for B, and the best P of any one threshold, with the truth in
    hand.
    """
    import numpy as np

    from packed_scenes.cluster.dense import average_tree, cosine_distances

    trees = [average_tree(cosine_distances(scene.X)) for scene in scenes]
    rows = {float(t): table_row(scenes, [tree.cut(t) for tree in trees]) for t in np.arange(0.02, 0.9, 0.01)}
    best = max(rows, key=lambda t: rows[t]["B"])
    return {**rows[best], "P": max(row["P"] for row in rows.values()), "threshold": best}


def run(work: Work) -> Found:
    """Score every method on every set that is at hand."""
    from packed_scenes.cluster import make
    from packed_scenes.embed import Embedder

    if work.data is None or work.tiny:
        return Found(skipped=["cluster-real needs the folder of real pictures (--real)"])
    loaded = Embedder.load(work.embedder, device="cpu")
    calibrated = float(loaded.card["calibration"]["threshold"])
    found = Found()
    for name, read in SETS.items():
        if work.folder("packed_products" if name == "photo" else name) is None:
            found.skipped.append(f"{name}: not in the folder of real pictures")
            continue
        scenes = read(work.data, loaded)
        rows: list[dict[str, Any]] = []
        for title, (method, options) in methods(calibrated).items():
            labels = [make(method, **options).fit_predict(scene.X, xyxy=scene.xyxy) for scene in scenes]
            rows.append({"method": title, **table_row(scenes, labels)})
        rows.append({"method": "best threshold by truth", **best_fixed(scenes)})
        rounded = [{k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()} for row in rows]
        found.tables.append(Table(name, rounded, f"Embedder {work.embedder}, its card's threshold {calibrated:g}."))
    return found
