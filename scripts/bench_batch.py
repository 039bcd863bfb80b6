"""What a large collection costs: memory and time over many scenes, and clustering in parts."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from packed_scenes.cli.console import application, print_json, run

app = application()

DISTINCT = 100  # scenes that are drawn; drawing takes longer than analysing

EPILOG = """
Examples:

`uv run scripts/bench_batch.py memory` — memory every 50 of 1,000 small scenes, and photos per hour

`uv run scripts/bench_batch.py parts --rows 100000` — average linkage in parts against the whole, simulated vectors

`uv run scripts/bench_batch.py parts --vectors vectors.npy --threshold .2` — the same with your own
"""


@app.callback(epilog=EPILOG)
def main() -> None:
    """What a large collection costs: memory and time over many scenes, and clustering in parts."""


@app.command()
def memory(
    scenes: Annotated[int, typer.Option(min=1, help="Number of scenes.")] = 1000,
    every: Annotated[int, typer.Option(min=1, help="Scenes between two looks at the memory.")] = 50,
    pixels: Annotated[int, typer.Option(help="Scene width in pixels; the height is three quarters.")] = 480,
    detect: Annotated[bool, typer.Option(help="Detect; otherwise the true boxes are given.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Where the scenes are; made if they are not there.")] = None,
    seed: Annotated[int, typer.Option(help="Chooses the scenes.")] = 0,
) -> None:
    """Analyse generated scenes in one run and print memory, CPU and wall time as it goes, one JSON object a line."""
    import tempfile

    from packed_scenes.analysis import analyze
    from packed_scenes.runfolder import save_run

    with tempfile.TemporaryDirectory() as temporary:
        place = folder or Path(temporary) / "photos"
        boxes = _scenes(place, scenes, pixels, seed)
        begin, cpu = time.perf_counter(), time.process_time()

        def print_progress(items: Any, label: str, total: int) -> Iterator[Any]:
            for number, item in enumerate(items, 1):
                yield item
                if number % every == 0 or number == total:
                    print_json({"stage": label, "scenes": number, "rss_mb": _resident(), "peak_mb": _peak(),
                                "wall_s": round(time.perf_counter() - begin, 1),
                                "cpu_s": round(time.process_time() - cpu, 1)})  # fmt: skip

        result = analyze(
            place, boxes=None if detect else boxes, stage=Path(temporary) / "seen", progress=print_progress
        )
        print_json({"stage": "cluster", "rss_mb": _resident(), "peak_mb": _peak(), **result.seconds})
        out = save_run(result, Path(temporary) / "run", progress=print_progress)
        size = {
            "photos": _bytes(place),
            "kept": _bytes(Path(temporary) / "seen"),
            "written": _bytes(out),
            "overlays": sum(p.stat().st_size for p in out.rglob("overlay.jpg")),
            "tables": sum(p.stat().st_size for p in out.rglob("*.csv")),
            "vectors": (out / "objects.parquet").stat().st_size,
        }
        objects, wall = sum(len(s.objects) for s in result.scenes), time.perf_counter() - begin
        print_json({"objects": objects, "photos_per_hour": round(3600 * len(result.scenes) / wall),
                    "cpu_s_per_photo": round((time.process_time() - cpu) / len(result.scenes), 3), "bytes": size,
                    "load": round(os.getloadavg()[0], 1)})  # fmt: skip


@app.command()
def parts(
    rows: Annotated[int, typer.Option(min=2, help="Simulated vectors.")] = 100_000,
    dim: Annotated[int, typer.Option(help="Their dimension.")] = 128,
    sigma: Annotated[float, typer.Option(help="Noise of a class; .4 puts members about .15 apart.")] = 0.4,
    vectors: Annotated[Path | None, typer.Option(help="(N, D) array in a .npy file instead.")] = None,
    threshold: Annotated[
        list[float] | None, typer.Option(help="Cosine distances.  [default: .1 .15 .2 .24 .3]")
    ] = None,
    most: Annotated[int, typer.Option(help="Rows of one piece of work.")] = 50_000,
    seed: Annotated[int, typer.Option(help="Of the simulation.")] = 0,
) -> None:
    """Average linkage in parts against the whole: same groups? largest part? time of each? One JSON object a line."""
    import numpy as np

    from packed_scenes.cluster.labels import canonical
    from packed_scenes.cluster.partition import near_components, work_lists
    from packed_scenes.cluster.reciprocal import reciprocal_merge
    from packed_scenes.decision_training.gaussian import simulate

    X = simulate(rows, dim=dim, sigma=sigma, seed=seed)[0] if vectors is None else np.load(vectors)
    X = np.ascontiguousarray(X / np.linalg.norm(X, axis=1, keepdims=True), np.float32)
    reciprocal_merge(X[:3000], 0.1, search="exact")  # compiles the neighbour search
    for cut in threshold or (0.1, 0.15, 0.2, 0.24, 0.3):
        start = time.process_time()
        component = near_components(X, cut)
        joined = time.process_time() - start
        labels, first, slowest, start = np.zeros(len(X), np.int64), 0, 0.0, time.process_time()
        for piece in work_lists(component, most):
            begin = time.process_time()
            found = reciprocal_merge(X[piece], cut, search="exact")
            labels[piece] = found + first
            first += int(found.max()) + 1
            slowest = max(slowest, time.process_time() - begin)
        apart, start = time.process_time() - start, time.process_time()
        whole = reciprocal_merge(X, cut, search="exact")
        print_json({"rows": len(X), "dim": X.shape[1], "threshold": cut, "components": int(component.max()) + 1,
                    "largest": round(float(np.bincount(component).max() / len(X)), 4), "clusters": int(whole.max()) + 1,
                    "same": bool(np.array_equal(canonical(labels), canonical(whole))), "cpu_s_join": round(joined, 1),
                    "cpu_s_parts": round(apart, 1), "cpu_s_slowest_part": round(slowest, 1),
                    "cpu_s_whole": round(time.process_time() - start, 1), "peak_mb": _peak()})  # fmt: skip


def _scenes(folder: Path, count: int, pixels: int, seed: int) -> Any:
    """Make the scenes that are not there yet, every DISTINCT-th the same again; return their true boxes."""
    from packed_scenes.data.boxes import BoxFile
    from packed_scenes.data.images import write_image
    from packed_scenes.data.synth import stream

    scenes = stream(seed, size=(pixels * 3 // 4, pixels), count=(20, 40), bare=0.0)
    made = [scenes[number] for number in range(min(count, DISTINCT))]
    truth = {}
    for number in range(count):
        scene = made[number % len(made)]
        name = f"s{number:05d}.jpg"
        if scene.truth is not None:
            truth[name] = scene.truth.replace(cluster=None, probability=None, congregation=None)
        if not (folder / name).exists():
            write_image(folder / name, scene.image)
    return BoxFile(Path("boxes"), truth)


def _resident() -> int:
    """Memory in use now, MB."""
    import psutil

    return int(psutil.Process().memory_info().rss // (1 << 20))


def _peak() -> int:
    """Most memory used so far, MB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _bytes(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


if __name__ == "__main__":
    run(app)
