"""Make synthetic packed scenes with exact boxes and identities, or crops of drawn people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from packed_scenes.cli.console import Bar, application, echo, print_json, track
from packed_scenes.cli.options import Json

app = application()

EPILOG = """
Examples:

`packed-scenes synthesize scenes --count 100` — shelves of 640 x 640 with COCO labels

`packed-scenes synthesize scenes --layout mixed --size 1200x1600 --format yolo` — all layouts, for training

`packed-scenes synthesize scenes --goods crops/ --objects 50-150` — real crops on shelves, one folder per product

`packed-scenes synthesize people --people 1000 --count 25` — 25,000 crops of 1,000 drawn people, named
IDENTITY_cCAMERA_VIEW.jpg

The same command goes on after an interruption, and enlarges a finished folder when `--count` grows.
"""


@app.command(epilog=EPILOG)
def main(
    out: Annotated[Path, typer.Argument(help="Folder to write; made if it is not there.")],
    count: Annotated[int, typer.Option(help="How many scenes; with --people, crops of each person.")] = 100,
    people: Annotated[
        int | None, typer.Option(help="Crops of so many drawn people instead of scenes; --seed and --quality count.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything; scene i depends on it and i alone.")] = 0,
    layout: Annotated[str, typer.Option(help="shelf, crowd, scatter or mixed.")] = "shelf",
    size: Annotated[str, typer.Option(help="HEIGHTxWIDTH in pixels, or one number for a square.")] = "640",
    objects: Annotated[str, typer.Option(help="Objects aimed at: FEWEST-MOST.")] = "6-350",
    goods: Annotated[
        Path | None, typer.Option(help="Folder of real crops, one folder per product.  [default: drawn goods]")
    ] = None,
    drawn: Annotated[float, typer.Option(help="Share of drawn families beside --goods, 0 … 1.")] = 0.0,
    set: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE of any other setting of the scenes, such as oblique=0.2; repeat for more."),
    ] = None,
    format: Annotated[str, typer.Option(help="coco (category = identity) or yolo (one class).")] = "coco",
    quality: Annotated[int, typer.Option(help="JPEG quality of the files.", min=1, max=100)] = 92,
    json: Json = False,
) -> None:
    """Make synthetic packed scenes with exact boxes and identities, or crops of drawn people."""
    if people is not None:
        from packed_scenes.data.synth.people import write_people

        with Bar("people", quiet=json) as bar:
            for done in write_people(out, people, views=count, seed=seed, quality=quality):
                bar.at(done, people)
        if json:
            print_json({"people": people, "crops": people * count})
        else:
            echo(f"{people * count} crops of {people} people in {out}")
        return
    from packed_scenes.data.synth.export import Format, write_scenes
    from packed_scenes.data.synth.options import parse_range, parse_settings, parse_size, pick_goods
    from packed_scenes.data.synth.scenes import stream

    scenes = stream(
        seed,
        goods=pick_goods(goods, drawn=drawn),
        layout=layout,
        size=parse_size(size),
        count=parse_range(objects),
        **parse_settings(set or []),
    )
    note = "" if goods is None else f"{goods.resolve()} {drawn}"
    written = write_scenes(scenes, out, count, form=format, note=note, quality=quality)
    for _ in track(written, label="Scenes", total=count, quiet=json):
        pass
    labels = out / ("annotations.json" if Format(format) is Format.COCO else "data.yaml")
    if json:
        print_json({"count": count, "labels": str(labels)})
    else:
        echo(f"{count} scenes in {out / 'images'}, labels in {labels}")
