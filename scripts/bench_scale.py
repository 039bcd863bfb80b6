"""How far one machine goes: Ray workers, a growing catalogue, an index, one huge scene, many crops, many vectors."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from packed_scenes.cli.console import application, print_json, run

app = application()

Folder = Annotated[Path | None, typer.Option(help="Folder for what is made.  [default: a temporary one]")]

EPILOG = """
Examples:

`uv run scripts/bench_scale.py pictures small`, then `… workers small 0`, 1, 2 — 1,000 small pictures in one process and
with one and two Ray workers

`uv run scripts/bench_scale.py catalogue 25000 50000 100000` — adding so many objects, and as many again that are known

`uv run scripts/bench_scale.py crops 100000 --source photos` — count 100,000 crops made from those of a folder

Every line is JSON: `cpu_s` are processor seconds of this process and its children, `peak_mb` its largest memory.
"""


@app.callback(epilog=EPILOG)
def main() -> None:
    """How far one machine goes: Ray workers, a catalogue, an index, one huge scene, many crops, many vectors."""


@app.command()
def pictures(
    folder: Annotated[Path, typer.Argument(help="Where to write them; boxes.json with their true boxes, too.")],
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 1000,
    width: Annotated[int, typer.Option(help="Pixels; the height is three quarters.")] = 320,
) -> None:
    """Draw small pictures for `workers`; every hundredth is the same again."""
    from packed_scenes.data.coco import write_coco
    from packed_scenes.data.images import write_image
    from packed_scenes.data.labelled import LabelledScene
    from packed_scenes.data.synth import stream

    scenes = stream(0, size=(width * 3 // 4, width), count=(8, 16), bare=0.0)
    made = [scenes[number] for number in range(min(count, 100))]
    labelled = []
    for number in range(count):
        scene, name = made[number % len(made)], f"s{number:05d}.jpg"
        assert scene.truth is not None
        write_image(folder / name, scene.image)
        truth = scene.truth.replace(cluster=None, probability=None, congregation=None)
        labelled.append(LabelledScene(Path(name), name[:-4], truth, size=(width, width * 3 // 4)))
    write_coco(folder / "boxes.json", labelled)
    print_json({"pictures": count, "objects": sum(len(s.truth) for s in labelled)})


@app.command()
def workers(
    folder: Annotated[Path, typer.Argument(help="Pictures, as `pictures` draws them.")],
    many: Annotated[int, typer.Argument(help="Ray workers of one core; 0 = one process without Ray.")] = 0,
    detect: Annotated[bool, typer.Option(help="Detect; otherwise the boxes of boxes.json are given.")] = False,
) -> None:
    """Analyse a folder in one process or on Ray and print seconds by stage and a digest of what was written."""
    from packed_scenes.analysis import analyze
    from packed_scenes.data.boxes import read_boxes

    os.environ |= {"OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
                   "RAY_worker_niceness": "0"}  # fmt: skip
    boxes = None if detect else read_boxes(folder / "boxes.json")
    found: dict[str, Any] = {"workers": many}
    with tempfile.TemporaryDirectory() as temporary, _measured(found):
        out, begin = Path(temporary) / "run", time.perf_counter()
        if not many:
            result = analyze(folder, boxes=boxes)
            found["observe_s"] = round(time.perf_counter() - begin, 1)
            result.save(out)
        else:
            import ray

            from packed_scenes.engines.ray_data import analyze_on_ray

            (Path(temporary) / "ray").mkdir()
            ray.init(num_cpus=many, log_to_driver=False, logging_level="ERROR", include_dashboard=False,
                     _temp_dir=str(Path(temporary) / "ray"))  # fmt: skip
            found["ray_start_s"] = round(time.perf_counter() - begin, 1)
            result = analyze_on_ray(folder, str(out), boxes=boxes, progress=_timed(found, begin))
        found |= {"objects": sum(len(s.objects) for s in result.scenes), "digest": _digest(out)}
        if many:
            ray.shutdown()
    print_json(found)


@app.command()
def catalogue(
    objects: Annotated[list[int], typer.Argument(help="Objects; each size into an empty catalogue of its own.")],
    copies: Annotated[int, typer.Option(min=1, help="Objects of an identity.")] = 10,
    dim: Annotated[int, typer.Option(help="Numbers of a vector.")] = 128,
    per_scene: Annotated[int, typer.Option(min=1, help="Objects of a scene.")] = 100,
    folder: Folder = None,
) -> None:
    """Add simulated objects to an empty catalogue, then as many new sights of the same identities."""
    import hashlib

    import numpy as np

    from packed_scenes.catalogue import Catalogue, Embedding, Entry
    from packed_scenes.data.objects import Objects

    def entries(count: int, when: int) -> Iterator[Entry]:
        rng = np.random.default_rng(when)
        centres = np.random.default_rng(99).standard_normal((count // copies, dim), np.float32)
        whose = np.repeat(np.arange(count // copies), copies)
        for low in range(0, len(whose), per_scene):
            cluster = whose[low : low + per_scene].astype(np.int64)
            noise = rng.standard_normal((len(cluster), dim), np.float32)
            rows = centres[cluster] + np.float32(0.25) * noise  # two of an identity are .06 apart
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            x = np.arange(len(cluster), dtype=np.float32)[:, None] * 20
            boxes = x * np.array([1, 0, 1, 0], np.float32) + np.array([0, 0, 18, 30], np.float32)
            name = f"{when}-{low}"
            held = Objects.from_boxes(boxes, embedding=rows, cluster=cluster)
            yield Entry(name, hashlib.sha256(name.encode()).hexdigest(), (40, 20 * len(cluster)), held)

    for count in objects:
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            shop, embedding = Catalogue.create(Path(temporary) / "shop"), Embedding("simulated", "0" * 64, 0.18)
            for when, what in enumerate(("empty", "as many known")):
                found: dict[str, Any] = {"objects": count, "into": what}
                with _measured(found):
                    added = shop.add(entries(count, when), embedding=embedding)
                found |= {"known": len(added.known), "new": len(added.new)}
                print_json(found | {"file_mb": (shop.folder / "catalogue.sqlite").stat().st_size >> 20})


@app.command()
def index(
    vectors: Annotated[list[int], typer.Argument(help="Numbers of vectors.")],
    dim: Annotated[int, typer.Option(help="Numbers of a vector.")] = 128,
    queries: Annotated[int, typer.Option(min=1, help="Queries, one at a time.")] = 100,
) -> None:
    """Build the exact and the IVF index and ask them; recall is over the ten nearest."""
    from packed_scenes.retrieval.measure import measure

    for count in vectors:
        found: dict[str, Any] = {}
        with _measured(found):
            rows = measure(count=count, dimension=dim, kinds=("exact", "ivf"), queries=queries, device="cpu")
        print_json(found | {"indexes": [row.to_json() for row in rows]})


@app.command()
def scene(
    objects: Annotated[list[int], typer.Argument(help="Least numbers of objects, each in one scene.")],
    detect: Annotated[bool, typer.Option(help="Detect; otherwise the true boxes are given.")] = False,
) -> None:
    """Analyse and draw one scene: a mosaic of the bundled sample at half its size, each copy in its own light."""
    from benchmarks.scaling import mosaic

    from packed_scenes.analysis import analyze
    from packed_scenes.data.coco import read_coco
    from packed_scenes.data.shipped import SAMPLE_FOLDER
    from packed_scenes.settings import Settings

    sample = next(s for s in read_coco(SAMPLE_FOLDER / "annotations.json") if s.name == "shelf")
    image = sample.load().image
    for count in objects:
        side = 1
        while side * side * len(sample.truth) < count:
            side += 1
        picture, truth = mosaic(image[::2, ::2].copy(), sample.truth.replace(xyxy=sample.truth.xyxy / 2), side)
        found: dict[str, Any] = {"true": len(truth), "megapixels": round(picture.shape[0] * picture.shape[1] / 1e6, 1)}
        with tempfile.TemporaryDirectory() as temporary, _measured(found):
            settings = Settings(device="cpu", max_objects=4 * count)  # the limit is met while tiles overlap
            result = analyze(picture, boxes=None if detect else truth, settings=settings)
            result.save(Path(temporary) / "run")
        found |= {"objects": len(result.scenes[0].objects), "seconds": result.seconds}
        print_json(found)


@app.command()
def crops(
    count: Annotated[int, typer.Argument(min=2, help="Crops to count.")],
    source: Annotated[Path, typer.Option(help="Folder of crops; used again and again, shifted, in other light.")],
    folder: Folder = None,
) -> None:
    """Count a large folder of crops: make it, describe it, cluster it, write the run folder."""
    from benchmarks.folders import multiply_crops

    from packed_scenes.counting import count_folder, save_count

    with tempfile.TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        multiply_crops(source, place / "crops", count)
        found: dict[str, Any] = {"crops": count}
        with _measured(found):
            result = count_folder(place / "crops", cache=place / "cache", status=lambda line: print(line, flush=True))
            save_count(result, place / "run")
        print_json(found | {"count": result.count, "low": result.low, "high": result.high, "stages": result.seconds})


@app.command()
def second_pass(
    objects: Annotated[list[int], typer.Argument(help="Numbers of objects.")],
    per_photo: Annotated[int, typer.Option(min=1, help="Objects of a photo.")] = 100,
    clusterer: Annotated[str, typer.Option(help="As of analyze.")] = "default",
    folder: Folder = None,
) -> None:
    """Run `analyze PHOTOS --skip-existing --out RUN` over simulated objects that were all seen before."""
    from benchmarks.folders import seen_photos

    for count in objects:
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            photos, out = Path(temporary) / "photos", Path(temporary) / "run"
            seen_photos(photos, out, count, per_photo=per_photo)
            found: dict[str, Any] = {"objects": count, "clusterer": clusterer}
            command = [sys.executable, "-m", "packed_scenes", "analyze", str(photos), "--skip-existing"]
            with _measured(found, resource.RUSAGE_CHILDREN):
                subprocess.run([*command, "--clusterer", clusterer, "--out", str(out)], check=True, capture_output=True)
            record = json.loads((out / "run.json").read_text(encoding="utf-8"))
            stages = record["seconds"] | {"write": record["seconds_write"]}
        print_json(found | {"clusters": record["counts"]["clusters"], "stages": stages})


@app.command()
def decide(
    rows: Annotated[list[int], typer.Argument(help="Numbers of vectors.")],
    dim: Annotated[int, typer.Option(help="Numbers of a vector.")] = 128,
) -> None:
    """Cluster simulated vectors by the default clusterer."""
    from packed_scenes.cluster import make, score
    from packed_scenes.decision_training.gaussian import simulate

    for count in rows:
        X, truth = simulate(count, dim=dim, sigma=1.1, regime="person")
        found: dict[str, Any] = {"rows": count, "dim": dim}
        with _measured(found):
            labels = make("default").fit_predict(X)
        print_json(found | {"clusters": int(labels.max()) + 1, "bcubed_f": round(score(truth, labels).bcubed_f, 3)})


@contextmanager
def _measured(found: dict[str, Any], who: int = resource.RUSAGE_SELF) -> Iterator[None]:
    """Add the wall and processor seconds of the block, and the largest memory so far: of this process, or the largest
    of its children.
    """
    begin, used = time.perf_counter(), _used()
    yield
    found |= {"wall_s": round(time.perf_counter() - begin, 1), "cpu_s": round(_used() - used, 1),
              "peak_mb": resource.getrusage(who).ru_maxrss >> 10,
              "load": round(os.getloadavg()[0], 1)}  # fmt: skip


def _used() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _timed(found: dict[str, Any], begin: float) -> Any:
    """A progress that notes when each loop began and ended, and its first item."""

    def track(items: Any, label: str, _total: int) -> Iterator[Any]:
        found[f"{label}_began_s"] = round(time.perf_counter() - begin, 1)
        first = True
        for item in items:
            if first:
                found[f"{label}_first_s"], first = round(time.perf_counter() - begin, 1), False
            yield item
        found[f"{label}_ended_s"] = round(time.perf_counter() - begin, 1)
        print_json(found)

    return track


def _digest(run_folder: Path) -> str:
    """SHA-256 over tables, congregations, overlays and contact sheet."""
    import hashlib

    whole = hashlib.sha256()
    for path in sorted(run_folder.rglob("*")):
        if path.name in ("objects.csv", "congregations.json", "overlay.jpg", "clusters.png"):
            whole.update(path.relative_to(run_folder).as_posix().encode() + path.read_bytes())
    return whole.hexdigest()[:16]


if __name__ == "__main__":
    run(app)
