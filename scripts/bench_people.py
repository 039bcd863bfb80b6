"""Scores an embedder on people: `people_campus` across its two cameras, and `pedestrians` over time.

Examples:
    uv run scripts/bench_people.py ../shared/data --embedder person
    uv run scripts/bench_people.py ../shared/data --embedder default
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

Labels = npt.NDArray[np.int64]
APART = 0.3  # IoU with another box above which a pedestrian's box shows two people


def campus(root: Path) -> tuple[list[Any], Labels, Labels]:
    """Crops, person and camera of people_campus, whose names are IDENTITY_cCAMERA_SHOT.jpg."""
    from packed_scenes.data import read_image

    paths = sorted(root.rglob("*.jpg"))
    names = [path.stem.split("_") for path in paths]
    person = np.unique([name[0] for name in names], return_inverse=True)[1].astype(np.int64)
    return [read_image(p) for p in paths], person, np.array([int(name[1][1:]) for name in names], np.int64)


def pedestrians(root: Path, every: int) -> tuple[list[Any], Labels]:
    """Crops and person of every ``every``-th frame of pedestrians; boxes of nobody and of two people are left out."""
    from packed_scenes.data import read_image
    from packed_scenes.data.tables import read_table

    crops, person = [], []
    frames: dict[int, Any] = {}
    for _, row in read_table(root / "labels.csv").records():
        number = int(row["frame"])
        if number % every or int(row["person_id"]) == 0 or float(row["max_iou_other"]) >= APART:
            continue
        if number not in frames:
            frames[number] = read_image(root / "frames" / f"{number:06d}.jpg")
        x1, y1, x2, y2 = (max(0, round(float(row[k]))) for k in ("x0", "y0", "x1", "y1"))
        crops.append(frames[number][y1:y2, x1:x2])
        person.append(int(row["person_id"]))
    return crops, np.array(person, np.int64)


def grouped(vectors: npt.NDArray[np.float32], person: Labels, card: dict[str, Any]) -> dict[str, Any]:
    """BCubed F of the default clusterer, and of average linkage at the cut chosen with the truth."""
    from packed_scenes.cluster import make, score
    from packed_scenes.embed.calibrate import linkage_curves

    threshold = card.get("calibration", {}).get("threshold")
    estimator = make("default")
    if threshold is not None and "calibrated" in estimator.get_params():
        estimator.set_params(calibrated=threshold)  # as analyze does it
    found = score(person, estimator.fit_predict(vectors))
    grid = np.arange(0.04, 1.0, 0.02)
    curve = linkage_curves([(vectors, person)], grid)[0][0]
    return {
        "crops": len(person), "people": found.k_true, "people_found": found.k_pred, "bcubed_found": found.bcubed_f,
        "bcubed_best": float(curve.max()), "best_cut": float(grid[curve.argmax()]),
    }  # fmt: skip


def main(
    shared: Annotated[Path, typer.Argument(help="Folder with people_campus and pedestrians.")],
    embedder: Annotated[str, typer.Option(help="A name or a file.")] = "person",
    every: Annotated[int, typer.Option(help="Every so many frames of pedestrians.")] = 25,
) -> None:
    """Print one JSON line."""
    from packed_scenes.embed import Embedder
    from packed_scenes.embed.retrieval import recall_at_1

    network = Embedder.load(embedder)
    crops, person, camera = campus(shared / "people_campus")
    vectors = network.embed_crops(crops)
    parts = [(vectors[camera == c], person[camera == c]) for c in (1, 2)]
    hits = [recall_at_1(*parts[a], *parts[1 - a]) * len(parts[a][1]) for a in (0, 1)]
    result = {"people_campus": {"rank1": sum(hits) / len(person)} | grouped(vectors, person, network.card)}
    crops, person = pedestrians(shared / "pedestrians", every)
    result["pedestrians"] = grouped(network.embed_crops(crops), person, network.card)
    rounded = {k: {n: round(v, 4) if isinstance(v, float) else v for n, v in d.items()} for k, d in result.items()}
    typer.echo(json.dumps(rounded))


if __name__ == "__main__":
    typer.run(main)
