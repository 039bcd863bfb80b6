"""Train a detector: fine-tune the shipped weights on your own labelled pictures, or make the shipped weights again."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from packed_scenes.cli.console import application, echo, lock_output, print_json
from packed_scenes.cli.options import Device, Json, Seed

app = application()

EPILOG = """
Examples:

`packed-scenes train-detector data.yaml` — fine-tune on a YOLO data set

`packed-scenes train-detector boxes.json --images photos/ --steps 1000` — on a COCO file

`packed-scenes train-detector --out runs/detector-… --resume data.yaml` — go on with a training that was stopped

`packed-scenes train-detector --recipe packed --real ../shared/data --steps 40000` — from scratch

`packed-scenes train-detector --recipe world --real ../shared/data --scenes 700 --seed 2` — what ships

`packed-scenes analyze shelf.jpg --weights runs/detector-…/detector.onnx` — use the result
"""


@app.command(epilog=EPILOG)
def main(
    data: Annotated[Path | None, typer.Argument(help="YOLO data.yaml, COCO .json, or a folder that holds one.")] = None,
    recipe: Annotated[
        str | None, typer.Option(help="packed: generated scenes, from scratch; world: real pictures too.")
    ] = None,
    images: Annotated[Path | None, typer.Option(help="Pictures of a COCO file.  [default: beside it]")] = None,
    keep_classes: Annotated[bool, typer.Option("--keep-classes", help="Keep the classes of the data apart.")] = False,
    real: Annotated[Path | None, typer.Option(help="Folder of the real pictures of the recipe.")] = None,
    scenes: Annotated[int, typer.Option(help="Scenes that the recipe generates.")] = 4000,
    out: Annotated[Path | None, typer.Option(help="Run folder.  [default: runs/detector-DATE-TIME]")] = None,
    start: Annotated[
        str | None, typer.Option(help="Weights to start from (.pt), or `none`.  [default: the shipped]")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Batches.  [default: 1500; packed 40000, world 1800]")] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate.  [default: 0.0006; from scratch 0.0025]")] = None,
    blend: Annotated[
        float, typer.Option(help="Share of the starting weights in the result (weights are interpolated).")
    ] = 0.0,
    patience: Annotated[int, typer.Option(help="Validations without improvement before it stops.")] = 8,
    every: Annotated[int, typer.Option(help="Steps between validations.")] = 100,
    minutes: Annotated[float | None, typer.Option(help="Stop after this time; go on with --resume.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from last.ckpt in --out.")] = False,
    device: Device = "auto",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Train a detector; writes detector.pt, .onnx, their card, curves and a checkpoint into the run folder."""
    from packed_scenes.cli.console import Bar, print_problems, track
    from packed_scenes.detect.training.job import Job

    job = Job(
        data=data, recipe=recipe, images=images, keep_classes=keep_classes, real=real, scenes=scenes, out=out,
        start=start, steps=steps, lr=lr, patience=patience, every=every, blend=blend,
        seconds=math.inf if minutes is None else 60 * minutes,
        resume=resume, device=device, seed=seed,
    )  # fmt: skip
    assert job.out is not None
    lock_output(job.out)
    for _ in track(job.prepare(), label="pictures", quiet=json):
        pass
    print_problems(job.warnings, job.errors)
    scores: dict[str, float] = {}
    with Bar("steps", quiet=json) as bar:
        for row in job.run():  # a row for every step, and one for every validation between them
            if "AP" not in row:
                bar.at(int(row["step"]) + 1, job.steps or 0)
                continue
            scores = row
            if not json:
                echo(
                    f"step {row['step']:.0f}: AP {row['AP']:.3f}, AP50 {row['AP50']:.3f} on the validation pictures",
                    error=True,
                )
    if json:
        print_json({"out": str(job.out), "scores": scores})
    else:
        echo(f"use the result with --weights {job.out}/detector.onnx")
