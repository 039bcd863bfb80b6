"""The pictures of README and docs/: drawn from generated scenes and from scikit-image's coins, all free to show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from documents.drawing import GREY, crops_of, figure, save_figure, save_photo, side_by_side, tiles
from packed_scenes.data.arrays import unit_rows

if TYPE_CHECKING:
    from packed_scenes import Analysis
    from packed_scenes.data import Scene

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.floating[Any]]


def shelf_scene() -> Scene:
    """A generated shelf: the photo of the README."""
    from packed_scenes.data.synth import generate

    calm = {"bare": 0.0, "surround": 0.0, "oblique": 0.2, "clutter": 0.25, "disorder": 0.3}
    return generate(12, count=(120, 120), size=(900, 1200), variants=3, **calm)


def on_true_boxes(scene: Scene, **options: Any) -> Analysis:
    """Analyse a generated scene on its own boxes."""
    from packed_scenes import analyze

    assert scene.truth is not None
    return analyze(scene, boxes=scene.truth.replace(cluster=None), **options)


def shelf(out: Path) -> Path:
    """Photo and result side by side: a generated shelf, nothing given."""
    from packed_scenes import analyze

    scene = shelf_scene()
    return save_photo(out / "shelf.jpg", side_by_side(scene.image, analyze(scene).overlay()))


def coins(out: Path) -> Path:
    """A real photo, scikit-image's coins: nothing the weights were made for, nothing given."""
    import cv2
    from skimage import data as free

    from packed_scenes import analyze

    grey = free.coins()
    photo = cv2.resize(np.repeat(grey[..., None], 3, axis=2), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    return save_photo(out / "coins.jpg", side_by_side(photo, analyze(photo).overlay()))


def fails(out: Path) -> Path:
    """Where the bundled weights fail: a dense crowd seen from above, true boxes beside found ones."""
    import cv2

    from packed_scenes import analyze
    from packed_scenes.data.synth import generate

    scene = generate(3, layout="crowd", count=(160, 160), size=(700, 900))
    assert scene.truth is not None
    found = analyze(scene).scenes[0].objects.xyxy
    drawn = []
    for boxes, color in ((scene.truth.xyxy, (60, 220, 60)), (found, (255, 120, 0))):
        picture = scene.image.copy()
        for x1, y1, x2, y2 in boxes.round().astype(int):
            cv2.rectangle(picture, (int(x1), int(y1)), (int(x2), int(y2)), color, 2)
        drawn.append(picture)
    return save_photo(out / "fails.jpg", side_by_side(*drawn))


def embedding(out: Path) -> Path:
    """Crops of look-alikes and the cosine between their vectors."""
    scene = shelf_scene()
    assert scene.truth is not None
    assert scene.truth.cluster is not None
    found = on_true_boxes(scene).scenes[0].objects
    assert found.embedding is not None
    identity = scene.truth.cluster
    several = [k for k in np.unique(identity) if np.count_nonzero(identity == k) >= 3][1:6]
    rows = np.concatenate([np.flatnonzero(identity == k)[:3] for k in several])
    cosine = found.embedding[rows] @ found.embedding[rows].T
    with figure(8.2, 6.6) as fig:
        import seaborn as sns

        ax = fig.add_axes((0.11, 0.03, 0.86, 0.84))
        sns.heatmap(
            cosine, annot=True, fmt=".2f", annot_kws={"size": 7}, cmap="viridis", vmin=0, vmax=1, square=True, ax=ax
        )
        ax.set(xticks=[], yticks=[], title="cosine between crops: three each of five products\n\n\n\n")
        for place, crop in enumerate(crops_of(scene.image, found.xyxy[rows])):
            tiles(ax, crop, (place + 0.5, -0.75), zoom=30)
            tiles(ax, crop, (-0.75, place + 0.5), zoom=30)
        return save_figure(fig, out / "embedding.png")


def noise(out: Path) -> Path:
    """What density clustering leaves over, and what a second stage recovers."""
    from packed_scenes import cluster

    points, truth = flat_groups()
    first = cluster.HDBSCAN(min_cluster_size=3, min_samples=3).fit(points).labels_
    second = cluster.TwoStage().fit(points).labels_
    linkage = cluster.AverageLinkage(0.01).fit(points).labels_
    with figure(11, 3.9) as fig:
        for place, (title, labels) in enumerate(
            (("HDBSCAN", first), ("two-stage", second), ("average linkage", linkage)), start=1
        ):
            ax = fig.add_subplot(1, 3, place)
            left = labels < 0
            angle = np.arctan2(points[:, 1], points[:, 0])
            height = points[:, 2]
            ax.scatter(angle[left], height[left], marker="x", color=GREY, s=28, linewidths=1)
            ax.scatter(angle[~left], height[~left], c=labels[~left] % 20, cmap="tab20", vmin=0, vmax=19, s=26)
            scored = cluster.score(truth, labels)
            ax.set(xticks=[], yticks=[])
            ax.set_title(
                f"{title}\n{labels.max() + 1} of {len(np.unique(truth))} groups, {left.sum()} of {len(labels)} left"
                f"\nBCubed F {scored.bcubed_f:.2f}",
                fontsize=10,
            )
        return save_figure(fig, out / "noise.png")


def flat_groups() -> tuple[Floats, npt.NDArray[np.int64]]:
    """Unit vectors on a band of the sphere: many groups of one to five, a few large; (N, 3) and their groups (N,)."""
    rng = np.random.default_rng(5)
    sizes = np.concatenate([[14, 10], rng.integers(1, 6, size=34)])
    centres = np.column_stack([rng.uniform(-2.6, 2.6, len(sizes)), rng.uniform(-0.8, 0.8, len(sizes))])
    truth = np.repeat(np.arange(len(sizes)), sizes)
    place = centres[truth] + rng.normal(0, 0.035, (len(truth), 2))
    flat = np.sqrt(1 - np.clip(place[:, 1], -0.95, 0.95) ** 2)
    points = np.column_stack([np.cos(place[:, 0]) * flat, np.sin(place[:, 0]) * flat, place[:, 1]])
    return unit_rows(points).astype(np.float32), truth


def congregations(out: Path) -> Path:
    """From boxes to places: one identity's boxes, the closing at three reaches, and another product between them."""
    from packed_scenes.aggregate import aggregate, draw_overlay
    from packed_scenes.data import Objects

    boxes = np.array([[40 + 74 * k, 60, 100 + 74 * k, 200] for k in range(7)], np.float32)
    boxes = np.concatenate([boxes, boxes + np.array([0, 170, 0, 170])])
    identity = np.array([0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 2, 2, 0, 0])
    keep = np.arange(len(boxes)) != 5  # one facing is sold out
    objects = Objects.from_boxes(boxes[keep]).replace(cluster=identity[keep])
    shelf_board: Image = np.full((430, 600, 3), 236, np.uint8)
    paint = {0: (186, 92, 74), 1: (84, 132, 166), 2: (120, 158, 96)}
    for (x1, y1, x2, y2), k in zip(boxes[keep].astype(int), identity[keep], strict=True):
        shelf_board[y1:y2, x1:x2] = paint[int(k)]
    with figure(11, 2.9) as fig:
        for column, reach in enumerate((0.1, 0.3, 1.2), start=1):
            placed, found = aggregate(objects, shelf_board.shape[:2], reach=reach)
            ax = fig.add_subplot(1, 3, column)
            ax.imshow(draw_overlay(shelf_board, placed, found))
            ax.set(
                xticks=[], yticks=[], title=f"reach {reach}: {sum(c.cluster == 0 for c in found)} places of product 0"
            )
        return save_figure(fig, out / "congregations.png")


def threshold(out: Path) -> Path:
    """How the number of identities and the score depend on the cut, and where the default cuts."""

    scene = shelf_scene()
    assert scene.truth is not None
    assert scene.truth.cluster is not None
    result = on_true_boxes(scene)
    vectors, truth = result.scenes[0].objects.embedding, scene.truth.cluster
    from packed_scenes import cluster

    cuts = np.linspace(0.02, 0.7, 60)
    labels = [cluster.AverageLinkage(float(cut)).fit(vectors).labels_ for cut in cuts]
    chosen = float(result.clustering["threshold"])
    with figure(8.2, 3.6) as fig:
        ax = fig.add_subplot(1, 1, 1)
        ax.plot(cuts, [found.max() + 1 for found in labels], color="#1f5fa8", label="identities found")
        ax.axhline(len(np.unique(truth)), color="#1f5fa8", linestyle=":", label="identities there are")
        ax.set(xlabel="cut: cosine distance at which merging stops", ylabel="identities", ylim=(0, None))
        right = ax.twinx()
        right.plot(cuts, [cluster.score(truth, found).bcubed_f for found in labels], color="#c2571a", label="BCubed F")
        right.set(ylabel="BCubed F", ylim=(0, 1.02))
        ax.axvline(chosen, color=GREY, linestyle="--", label=f"chosen without the truth: {chosen:.2f}")
        fig.legend(loc="upper center", ncols=4, frameon=False, fontsize=9)
        fig.subplots_adjust(top=0.88, bottom=0.16)
        return save_figure(fig, out / "threshold.png")


PICTURES: dict[str, Callable[[Path], Path]] = {
    drawn.__name__: drawn for drawn in (shelf, coins, fails, embedding, noise, congregations, threshold)
}
