"""Find every object in photos, group the same ones, and draw where each group stands."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from packed_scenes.cli.console import application, print_json, tell_problems, track
from packed_scenes.cli.options import (
    ClustererName,
    Confidence,
    Device,
    EmbedderName,
    ImageSize,
    Json,
    Seed,
    Threshold,
    Trust,
)

if TYPE_CHECKING:
    from packed_scenes.analysis import Analysis
    from packed_scenes.settings import Settings

REACH, CROWD_REACH = 0.3, 0.5

app = application()

EPILOG = """
Examples:

`packed-scenes analyze` — the bundled sample scene

`packed-scenes analyze shelf.jpg --out runs/shelf` — one photo

`packed-scenes analyze photos/ --skip-existing --out runs/photos` — a folder, going on where it stopped

`packed-scenes analyze inbox/ --watch --until 18:00 --out runs/today` — photos as they arrive, until six o'clock

`packed-scenes analyze s3://bucket/photos --engine ray --out s3://bucket/run` — on a cluster, see docs/scale.md

`packed-scenes analyze shelf.jpg --boxes shelf.json` — with your own boxes instead of the detector

`packed-scenes analyze clip.mp4 --every 10 --weights MODEL --classes person --preset crowd` — a video: people, each
counted once, and who stands together

`packed-scenes analyze frames/ --boxes tracks.csv --preset crowd --linked` — numbered frames with given boxes

`packed-scenes analyze monday/ --catalogue shop` — and remember what was seen; tell known products again next time
"""


@app.command(epilog=EPILOG)
def main(
    pictures: Annotated[
        list[str] | None, typer.Argument(help="Photos, folders of photos, videos or URLs; none = the bundled sample.")
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(help="Boxes to use instead of detecting: {id: {x1,y1,x2,y2}} JSON, COCO, YOLO or CSV."),
    ] = None,
    out: Annotated[str | None, typer.Option(help="Run folder.  [default: runs/DATE-TIME]")] = None,
    weights: Annotated[
        str | None,
        typer.Option(help="Detector weights: .pt, .onnx or an ultralytics name.  [default: the bundled ones]"),
    ] = None,
    classes: Annotated[
        list[str] | None, typer.Option(help="Keep only these detector classes, such as person; repeat for more.")
    ] = None,
    confidence: Confidence = None,
    image_size: ImageSize = None,
    max_objects: Annotated[int, typer.Option(help="Most objects per scene.")] = 3000,
    embedder: EmbedderName = "default",
    clusterer: ClustererName = "default",
    threshold: Threshold = None,
    reach: Annotated[
        float, typer.Option(help="How far a congregation reaches over gaps, as a fraction of the object size.")
    ] = REACH,
    every: Annotated[int, typer.Option(help="Take every n-th frame of videos, and picture of folders.")] = 1,
    preset: Annotated[
        str | None,
        typer.Option(help="crowd: --once-per-picture --congregate height --reach 0.5, wider cut.  [default: none]"),
    ] = None,
    once_per_picture: Annotated[
        bool, typer.Option("--once-per-picture", help="No two objects of one picture are the same (people, cars).")
    ] = False,
    linked: Annotated[
        bool, typer.Option("--linked", help="Pictures are successive frames: follow boxes from one to the next.")
    ] = False,
    congregate: Annotated[
        str, typer.Option(help="identity: where each one stands; height: groups of whoever stand together.")
    ] = "identity",
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
        Path | None, typer.Option(help="Add the scenes to the catalogue in this folder; made if it is not there.")
    ] = None,
    json: Json = False,
) -> None:
    """Find every object in photos, group the same ones, and draw where each group stands."""
    from packed_scenes.analysis import analyze
    from packed_scenes.data.errors import InputError
    from packed_scenes.data.shipped import SAMPLE_FOLDER
    from packed_scenes.frames import choose
    from packed_scenes.runfolder import run_record, save_run
    from packed_scenes.settings import Settings
    from packed_scenes.sources import given_boxes

    if preset not in (None, "crowd"):
        raise InputError(f"unknown preset {preset!r}", remedy="The one there is: crowd.")
    if preset == "crowd":
        once_per_picture, congregate, reach = True, "height", CROWD_REACH if reach == REACH else reach
    settings = Settings(
        weights=weights, classes=tuple(classes or ()), confidence=confidence, image_size=image_size,
        max_objects=max_objects, embedder=embedder, clusterer=clusterer, threshold=threshold, reach=reach,
        device=device, seed=seed, trust=trust, once=once_per_picture, linked=linked, congregate=congregate,
        cut="equal-error" if preset == "crowd" else "chosen",
    )  # fmt: skip
    found: list[Any] = [p if "://" in p else Path(p) for p in pictures or [str(SAMPLE_FOLDER / "shelf.jpg")]]
    place = out or f"runs/{datetime.now():%Y%m%d-%H%M%S}"
    if engine not in ("local", "ray"):
        raise InputError(f"engine must be local or ray, got {engine!r}")
    if engine == "local" and "://" in place:
        raise InputError("this engine writes local folders", file=place, remedy="Use --engine ray, or a local --out.")
    if engine == "ray" and (watch or catalogue is not None):
        raise InputError("--engine ray goes without --watch and --catalogue", remedy="Use --engine local for these.")
    folder = Path(place)
    stage = folder / ".seen"
    if engine == "local" and not (skip_existing or watch) and stage.is_dir():
        import shutil

        shutil.rmtree(stage)
    if engine == "local" and not watch:
        found = choose(
            found, folder / ".frames", every=every, warn=lambda line: print(f"warning: {line}", file=sys.stderr)
        )
    given = None
    if boxes is not None:
        given = given_boxes(boxes, found)
        for line in given.warnings:
            print(f"warning: {line}", file=sys.stderr)
    if watch:
        if catalogue is not None:
            raise InputError("--watch does not fill a catalogue", remedy="Run again with --catalogue when it is done.")
        _watch(found, folder, settings, boxes=given, every_seconds=every_seconds, until=until, json=json)
        return
    kept = None
    if catalogue is not None:  # before the work, so that a wrong folder is said at once
        from packed_scenes.catalogue import Catalogue

        kept = Catalogue.create(catalogue)
    quiet = json or len(found) == 0

    def progress(items: Any, label: str, total: int) -> Any:
        return track(items, label=label, total=total, quiet=quiet or total < 2)

    if engine == "ray":
        from packed_scenes.engines.ray_data import analyze_on_ray

        many = [str(p) for p in found]
        result = analyze_on_ray(many, place, boxes=given, settings=settings, resume=skip_existing, progress=progress)
    else:
        result = analyze(found, boxes=given, settings=settings, stage=stage, progress=progress)
        save_run(result, folder, progress=progress)
    added = None if kept is None else kept.add_analysis(result)
    tell_problems([*result.warnings, *(added.warnings if added else ())], result.errors)
    if json:
        more = {} if added is None else {"catalogue": {"folder": str(catalogue), **added.to_json()}}
        print_json(run_record(result) | {"out": place} | more)
    else:
        print(_found(result))
        if added is not None:
            print(f"catalogue {catalogue}: {added}")
        print(f"look at {place}/{result.scenes[0].name}/overlay.jpg and {place}/clusters.png")


def _watch(
    folders: list[Path], out: Path, settings: Settings, *, json: bool, until: str | None, **options: Any
) -> None:
    """Analyse what arrives, and print one line, or one JSON object, per batch."""
    from packed_scenes.observe import Observer
    from packed_scenes.runfolder import run_record
    from packed_scenes.watch import Until, watch

    def progress(items: Any, label: str, total: int) -> Any:
        return track(items, label=label, total=total, quiet=json or total < 2)

    def tell(line: str) -> None:
        print(line, file=sys.stderr)

    batches = watch(folders, out, Observer(settings), until=Until.parse(until), progress=progress, tell=tell, **options)
    for result in batches:
        if json:
            print_json(run_record(result) | {"out": str(out)})
        else:
            print(_found(result), flush=True)


def _found(result: Analysis) -> str:
    """One line that says what was found."""
    counts = {
        "objects": sum(len(s.objects) for s in result.scenes),
        "places": sum(len(s.congregations) for s in result.scenes),
    }
    return (
        f"{counts['objects']} objects in {len(result.scenes)} scene(s): {result.clustering['n_clusters']} identities, "
        f"{result.clustering['noise_share']:.0%} noise, {counts['places']} congregations"
    )
