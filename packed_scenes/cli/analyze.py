"""Find every object in photos, group the same ones, and draw where each group stands."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from packed_scenes.cli.console import application, echo, lock_output, print_json, print_problems, track
from packed_scenes.cli.options import (
    EMBEDDER,
    ClassNames,
    ClustererName,
    Confidence,
    Device,
    Export,
    ImageSize,
    Json,
    SecondLook,
    Seed,
    Threshold,
    Trust,
    Weights,
)

if TYPE_CHECKING:
    from packed_scenes.results import Analysis

app = application()

EPILOG = """
Examples:

`packed-scenes analyze` — the bundled sample scene

`packed-scenes analyze shelf.jpg --out runs/shelf` — one photo

`packed-scenes analyze photos/ --skip-existing --out runs/photos` — a folder, going on where it stopped

`packed-scenes analyze inbox/ --watch --until 18:00 --out runs/today` — photos as they arrive, until six o'clock

`packed-scenes analyze s3://bucket/photos --engine ray --out s3://bucket/run` — on a cluster, see docs/scale.md

`packed-scenes analyze shelf.jpg --boxes shelf.json` — with your own boxes instead of the detector

`packed-scenes analyze clip.mp4 --every 10 --weights yolox_s.onnx --preset crowd` — a video: people, each counted
once, and who stands together

`packed-scenes analyze frames/ --boxes tracks.csv --preset crowd --linked` — numbered frames with given boxes

`packed-scenes analyze monday/ --catalogue shop` — and keep what was found; next time known products are recognised,
and those that were named have their names on photos, tables and report
"""


@app.command(epilog=EPILOG)
def main(
    pictures: Annotated[
        list[str] | None, typer.Argument(help="Photos, folders of photos, videos or URLs; none = the bundled sample.")
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(
            help="Boxes to use instead of detecting: {id: {x1,y1,x2,y2}} JSON, COCO, YOLO, VOC, CVAT, Label Studio or "
            "CSV, or a folder of YOLO or VOC files."
        ),
    ] = None,
    out: Annotated[str | None, typer.Option(help="Run folder.  [default: runs/DATE-TIME]")] = None,
    weights: Weights = None,
    classes: Annotated[
        list[str] | None, typer.Option(help="Keep only these detector classes, such as person; repeat for more.")
    ] = None,
    class_names: ClassNames = None,
    confidence: Confidence = None,
    image_size: ImageSize = None,
    max_objects: Annotated[int | None, typer.Option(help="Most objects per scene.  [default: 3000]")] = None,
    second_look: SecondLook = True,
    embedder: Annotated[str | None, typer.Option(help=f"{EMBEDDER}  [default: the preset's, else default]")] = None,
    clusterer: ClustererName = "default",
    threshold: Threshold = None,
    reach: Annotated[
        float | None,
        typer.Option(
            help="How far a congregation reaches over gaps, as a fraction of the object size.  [default: 0.3]"
        ),
    ] = None,
    every: Annotated[int, typer.Option(help="Take every n-th frame of videos, and picture of folders.")] = 1,
    preset: Annotated[
        str | None,
        typer.Option(
            help="crowd: --classes person --embedder person --once-per-picture --congregate height --reach 0.5, wider "
            "cut; vehicles: the same for cars, trucks and buses; what you give besides wins.  [default: none]"
        ),
    ] = None,
    once_per_picture: Annotated[
        bool | None,
        typer.Option(
            "--once-per-picture/--no-once-per-picture",
            help="No two objects of one picture are the same (people, cars).  [default: no]",
        ),
    ] = None,
    linked: Annotated[
        bool, typer.Option("--linked", help="Pictures are successive frames: follow boxes from one to the next.")
    ] = False,
    congregate: Annotated[
        str | None,
        typer.Option(
            help="identity: where each one stands; height: groups of whoever stand together.  [default: identity]"
        ),
    ] = None,
    overlay: Annotated[
        str, typer.Option(help="What is drawn on the photos: places (outlines of groups), boxes, or both.")
    ] = "both",
    device: Device = "auto",
    seed: Seed = 0,
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", help="Reuse what an earlier run into --out has already seen.")
    ] = False,
    engine: Annotated[
        str,
        typer.Option(help="local, or ray: the Ray cluster of RAY_ADDRESS, or one on this machine; --out may be a URL."),
    ] = "local",
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep on analysing what arrives in the folders; goes on with --out.")
    ] = False,
    every_seconds: Annotated[float, typer.Option(help="With --watch: time between two looks.")] = 5.0,
    until: Annotated[
        str | None,
        typer.Option(
            help="With --watch: end after so many photos, at HH:MM, or when this file appears.  [default: never]"
        ),
    ] = None,
    trust: Trust = False,
    catalogue: Annotated[
        Path | None,
        typer.Option(
            help="Name what the catalogue in this folder knows, and add the scenes to it; made if it is not there."
        ),
    ] = None,
    export: Export = None,
    json: Json = False,
) -> None:
    """Find every object in photos, group the same ones, and draw where each group stands."""
    from packed_scenes.data.shipped import SAMPLE_FOLDER
    from packed_scenes.detect.class_names import parse_class_names
    from packed_scenes.job import Job, run_job, watch_job
    from packed_scenes.runfolder import run_record
    from packed_scenes.settings import Settings

    settings = Settings.choose(
        preset=preset, weights=weights, classes=tuple(classes) if classes else None,
        class_names=parse_class_names(class_names), confidence=confidence, image_size=image_size,
        max_objects=max_objects, second_look=second_look, embedder=embedder, clusterer=clusterer,
        threshold=threshold, reach=reach, device=device, seed=seed, trust=trust,
        once=once_per_picture, linked=linked, congregate=congregate, overlay=overlay,
    )  # fmt: skip
    job = Job(
        pictures=tuple(pictures or [str(SAMPLE_FOLDER / "shelf.jpg")]),
        out=out or f"runs/{datetime.now():%Y%m%d-%H%M%S}",
        settings=settings, boxes=boxes, every=every, resume=skip_existing, engine=engine, catalogue=catalogue,
        export=tuple(export or ()),
    )  # fmt: skip

    lock_output(job.out)

    def progress(items: Any, label: str, total: int) -> Any:
        return items if json or total < 2 else track(items, label=label, total=total)

    if watch:
        warn = partial(echo, error=True)
        for result in watch_job(job, every_seconds=every_seconds, until=until, progress=progress, warn=warn):
            if json:
                print_json(run_record(result) | {"out": job.out})
            else:
                echo(_found(result))
        return
    result, added = run_job(job, progress=progress, warn=lambda line: echo(f"warning: {line}", error=True))
    print_problems([*result.warnings, *(added.warnings if added else ())], result.errors)
    if json:
        more = {} if added is None else {"catalogue": {"folder": str(catalogue), **added.to_json()}}
        print_json(run_record(result) | {"out": job.out} | more)
    else:
        echo(_found(result))
        if added is not None:
            echo(f"catalogue {catalogue}: {added}")
            nameless = sorted({n for c, n in (result.identities or {}).items() if c not in (result.names or {})})
            for number in nameless[:1]:
                echo(f'to name #{number} of the photo: packed-scenes catalogue rename {catalogue} {number} "NAME"')
        for form in job.export:
            echo(f"exported for {form}: see {job.out}/export")
        echo(f"look at {job.out}/{result.scenes[0].name}/overlay.jpg and {job.out}/report.html")


def _found(result: Analysis) -> str:
    """One line that says what was found."""
    from packed_scenes.titles import counted

    objects = sum(len(s.objects) for s in result.scenes)
    congregations = sum(len(s.congregations) for s in result.scenes)
    line = (
        f"{counted(objects, 'object')} in {counted(len(result.scenes), 'scene')}: "
        f"{counted(result.clustering['n_clusters'], 'identity', 'identities')}, "
        f"{result.clustering['noise_share']:.0%} noise, {counted(congregations, 'congregation')}"
    )
    again = result.recurring_identities() if result.settings.once and len(result.scenes) > 1 else None
    return line if again is None else f"{line}; {again} identities are in two pictures or more"
