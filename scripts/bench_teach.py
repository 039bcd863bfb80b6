"""Teaches a project ten corrected photos, as the workbench's Teach view does, and scores it on photos never shown.

The photos are such that no shipped weights that are compared were trained on them.

Examples:
    uv run scripts/bench_teach.py ../shared/data bottles --steps 500
    uv run scripts/bench_teach.py ../shared/data chess --groups --photos 12
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer


def taught(root: Path, name: str, *, steps: int, photos: int, scored: int, seed: int) -> dict[str, Any]:
    """Correct, train, and score before and after.

    Args:
        root: folder of the labelled sets.
        name: of the set.
        steps: of training.
        photos: corrected photos.
        scored: photos never shown, at most.
        seed: chooses which are which.
    """
    from packed_scenes.data import Objects
    from packed_scenes.data.files import sha256_file
    from packed_scenes.detect import Detector
    from packed_scenes.detect.training.measure import measure
    from packed_scenes.detect.training.pictures import REAL_SETS, read_photos
    from packed_scenes.settings import Settings
    from packed_scenes.web.project import detector_teaching
    from packed_scenes.web.project.adding import add_scene
    from packed_scenes.web.project.folder import ProjectFolder
    from packed_scenes.web.project.project import Project

    kind = next(real for real in REAL_SETS if real.folder == name)
    known = [photo for photo in read_photos(root, kind, wanted="test") if not photo.damaged and len(photo.xyxy) > 1]
    known = [known[k] for k in np.random.default_rng(seed).permutation(len(known)).tolist()]
    shown, unseen = known[:photos], known[photos : photos + scored]
    with tempfile.TemporaryDirectory() as aside:
        folder = ProjectFolder.create(Path(aside) / "work", name=name, settings=Settings().to_json())
        project = Project(folder, roots=None, card={})
        for photo in shown:
            path = root / kind.folder / kind.images / photo.name
            vectors = np.zeros((len(photo.xyxy), 2), np.float32) + np.float32([1, 0])
            add_scene(
                project, photo.name, photo.image.shape[:2], Objects.from_boxes(photo.xyxy, embedding=vectors),
                sha256=sha256_file(path), where={"path": str(path.resolve())}, detection={},
            )  # fmt: skip
        spec = detector_teaching.prepare(project, [photo.number for photo in project.photos], minutes=600, steps=steps)
        began, told = time.process_time(), {}
        for line in detector_teaching.work(spec):  # here, not in a process of low priority: CPU time is what is told
            told = line.get("result", told)
            print(json.dumps(line), file=sys.stderr, flush=True)
        spent = time.process_time() - began
        scores = {}
        for when, weights in (("before", None), ("after", folder.path / "teach" / "new" / "run" / "detector.onnx")):
            pictures = ((photo.image, Objects.from_boxes(photo.xyxy), photo.ignore) for photo in unseen)
            found = measure(Detector.load(weights), pictures)
            scores[when] = {key: round(value, 3) for key, value in found.to_dict().items() if isinstance(value, float)}
        folder.close()
    return {"set": name, "taught": len(shown), "scored": len(unseen), "cpu_minutes": round(spent / 60, 1),
            "own comparison": told["rows"], "note": told["note"], **scores}  # fmt: skip


def labelled(root: Path, name: str, aside: Path, rng: np.random.Generator) -> dict[Path, list[tuple[list[float], str]]]:
    """Boxes and labels of photos that the shipped embedder was not trained on.

    ``vehicles``: the crops of the held-out identities, the two of each in one of the sheets of 20 crops.
    """
    from packed_scenes.data.images import read_image, write_image
    from packed_scenes.data.tables import read_table
    from packed_scenes.detect.training.pictures import REAL_SETS

    found: dict[Path, list[tuple[list[float], str]]] = {}
    if name != "vehicles":
        kind = next(real for real in REAL_SETS if real.folder == name)
        table = read_table(root / name / kind.table, "file", "x1", "y1", "x2", "y2", "label", what="labels")
        for _, line in table.records():
            box = [float(line[key]) for key in ("x1", "y1", "x2", "y2")]
            found.setdefault((root / name / kind.images / line["file"]).resolve(), []).append((box, line["label"]))
        return found
    from packed_scenes.embed.sources import read_vehicles

    side, crops = 160, read_vehicles(root / "vehicle_reid", "val")
    of: dict[str, list[Path]] = {}
    for file in crops.paths:
        of.setdefault(file.stem.rsplit("_", 1)[0], []).append(file)
    pairs = [of[key] for key in sorted(of) if len(of[key]) == 2]
    order = rng.permutation(len(pairs))
    for sheet in range(len(pairs) // 10):
        image = np.full((4 * side, 5 * side, 3), 110, np.uint8)
        path = aside / f"sheet{sheet}.png"
        for at, file in enumerate(f for k in order[10 * sheet : 10 * sheet + 10] for f in pairs[k]):
            crop = read_image(file)[: side - 4, : side - 4]
            y, x = at // 5 * side, at % 5 * side
            image[y : y + crop.shape[0], x : x + crop.shape[1]] = crop
            box = [float(v) for v in (x, y, x + crop.shape[1], y + crop.shape[0])]
            found.setdefault(path, []).append((box, file.stem.rsplit("_", 1)[0]))
        write_image(path, image)
    return found


def taught_groups(root: Path, name: str, *, photos: int, seed: int) -> dict[str, Any]:
    """Teach what is the same, with the labels of the set as groups; compared on the photos that the teaching keeps out.

    Args:
        root, name, photos, seed: as in :func:`taught`.
    """
    from packed_scenes.data import Objects
    from packed_scenes.data.files import sha256_file
    from packed_scenes.data.images import image_size
    from packed_scenes.settings import Settings
    from packed_scenes.web.project import embedder_teaching
    from packed_scenes.web.project.adding import add_scene
    from packed_scenes.web.project.folder import ProjectFolder
    from packed_scenes.web.project.project import Project

    with tempfile.TemporaryDirectory() as aside:
        rng = np.random.default_rng(seed)
        found = labelled(root, name, Path(aside), rng)
        chosen = [sorted(found)[k] for k in rng.permutation(len(found))[:photos].tolist()]
        number = {label: n for n, label in enumerate(sorted({label for rows in found.values() for _, label in rows}))}
        folder = ProjectFolder.create(Path(aside) / "work", name=name, settings=Settings().to_json())
        project = Project(folder, roots=None, card={})
        for path in chosen:
            boxes = np.array([box for box, _ in found[path]], np.float32)
            vectors = np.zeros((len(boxes), 2), np.float32) + np.float32([1, 0])
            add_scene(
                project, path.name, image_size(path)[::-1], Objects.from_boxes(boxes, embedding=vectors),
                sha256=sha256_file(path), where={"path": str(path)}, detection={},
            )  # fmt: skip
        labels = np.array([number[label] for path in chosen for _, label in found[path]])
        project.commit("labels", columns=project.document.patch("cluster", np.arange(len(labels)), labels))
        spec = embedder_teaching.prepare(project, [photo.number for photo in project.photos], seed=seed)
        began = time.process_time()
        told = embedder_teaching.work(spec, lambda line: print(json.dumps(line), file=sys.stderr, flush=True))
        folder.close()
    spent = round(time.process_time() - began)
    return {"set": name, "seed": seed, "cpu_seconds": spent, "comparison": told["rows"], "note": told["note"]}


def main(
    root: Annotated[Path, typer.Argument(help="Folder of the labelled sets.")],
    name: Annotated[str, typer.Argument(help="The set.")] = "bottles",
    groups: Annotated[
        bool, typer.Option("--groups", help="Teach what is the same instead of where objects are.")
    ] = False,
    steps: Annotated[int, typer.Option(help="Of training, of 8 crops each.")] = 150,
    photos: Annotated[int, typer.Option(help="Corrected photos.")] = 10,
    scored: Annotated[int, typer.Option(help="Photos never shown, at most.")] = 30,
    seed: Annotated[int, typer.Option(help="Chooses which are which.")] = 0,
) -> None:
    """Print the scores as JSON."""
    if groups:
        print(json.dumps(taught_groups(root, name, photos=photos, seed=seed)))
        return
    print(json.dumps(taught(root, name, steps=steps, photos=photos, scored=scored, seed=seed)))


if __name__ == "__main__":
    typer.run(main)
