"""Stage ``scene``: the whole job on one photo, from the file to the written run folder, with models warm."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

from .inputs import Photo, Work, photo
from .record import Found, Table
from .timing import take_turns


def run(work: Work) -> Found:
    """Time the job with detection and with given boxes, and its parts."""
    from packed_scenes.observe import Observer
    from packed_scenes.settings import Settings

    shot = photo(work)
    settings = Settings(embedder=work.embedder, device="cpu")
    observer = Observer(settings)
    parts: dict[str, list[dict[str, float]]] = {}
    jobs: dict[str, Callable[[], Any]] = {
        "ours, detection included": partial(_job, shot, work, settings, observer, False, parts),
        "ours, boxes given": partial(_job, shot, work, settings, observer, True, parts),
    }
    timed = take_turns(jobs, turns=work.turns)
    rows = [{"job": name, "objects": t.result, **t.row()} for name, t in timed.items()]
    split = []
    for name, seen in parts.items():
        counted = seen[-work.turns :]
        split.append({"job": name} | {k: round(median(one[k] for one in counted), 4) for k in counted[0]})
    return Found(
        [
            Table(
                "from file to overlay, tables and contact sheet, models warm",
                rows,
                f"On {shot.name}.",
                "bars",
                by="job",
            ),
            Table(
                "its parts, wall seconds", split, "Writing is all of the run folder: overlay, tables, contact sheet."
            ),
        ]
    )


def _job(
    shot: Photo, work: Work, settings: Any, observer: Any, given: bool, parts: dict[str, list[dict[str, float]]]
) -> int:
    import time

    from packed_scenes.analysis import analyze

    result = analyze([shot.path], boxes=shot.boxes if given else None, settings=settings, observer=observer)
    start = time.perf_counter()
    result.save(work.scratch / ("given" if given else "detected"))
    write = time.perf_counter() - start
    scene = result.scenes[0]
    after = {k: v for k, v in result.seconds.items() if k != "observe"}
    name = "ours, boxes given" if given else "ours, detection included"
    parts.setdefault(name, []).append({**scene.seconds, **after, "write": write})
    return len(scene.objects)
