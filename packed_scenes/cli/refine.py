"""Improve an embedder on a folder of crops by its own clusters, and list the doubtful crops for a person."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from packed_scenes.cli.console import Bar, application, print_json, say, tell_problems
from packed_scenes.cli.options import Seed, Threads

app = application()

EPILOG = r"""
Examples:

`packed-scenes refine crops/ --out runs/refined` — a few minutes for some hundred crops

`packed-scenes refine crops/ --camera 'cam(\d+)' --once-per-camera` — each thing was seen once by each camera

`packed-scenes refine crops/ --out runs/refined --review runs/refined/review.csv` — with your decisions in the list

`packed-scenes analyze photos/ --embedder runs/refined/embedder.safetensors` — use the refined weights
"""


@app.command(epilog=EPILOG)
def main(
    folder: Annotated[Path, typer.Argument(help="Folder of crops, one object each; subfolders are read, too.")],
    out: Annotated[Path | None, typer.Option(help="Run folder.  [default: runs/refine-DATE-TIME]")] = None,
    embedder: Annotated[str, typer.Option(help="Start: default, reference or a .safetensors file.")] = "default",
    listed: Annotated[Path | None, typer.Option("--list", help="Text file: only these crops, one name a line.")] = None,
    camera: Annotated[
        str | None,
        typer.Option(help=r"Camera of a crop: folders, a CSV (file,camera), or name:PATTERN such as 'name:cam(\d+)'."),
    ] = None,
    once_per_camera: Annotated[
        bool, typer.Option("--once-per-camera", help="Two crops of one camera are never the same thing.")
    ] = False,
    review: Annotated[
        Path | None,
        typer.Option(help="An edited review.csv; decisions: keep, move, apart, same FILE, not FILE, noise."),
    ] = None,
    rounds: Annotated[int, typer.Option(help="Most rounds of clustering and training; 0 = only cluster.", min=0)] = 3,
    steps: Annotated[int, typer.Option(help="Training steps per round.", min=1)] = 60,
    lr: Annotated[float, typer.Option(help="Peak learning rate.")] = 1e-3,
    clusterer: Annotated[
        str, typer.Option(help="Makes the labels; auto: k-reciprocal where cameras are known, else default.")
    ] = "auto",
    reassign: Annotated[
        bool, typer.Option("--reassign", help="Move doubtful members to the nearest cluster, or split them off.")
    ] = False,
    threads: Threads = None,
    truth: Annotated[
        str | None,
        typer.Option(help="Known identities, for figures only: folders, a CSV (file,identity) or name:PATTERN."),
    ] = None,
    seed: Seed = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the record as one JSON object, no progress.")] = False,
) -> None:
    """Improve an embedder on a folder of crops by its own clusters, and list the doubtful crops for a person."""
    import torch

    from packed_scenes.crops import read_crops
    from packed_scenes.refining import Options, read_review, refine_crops, save_refined
    from packed_scenes.refining.outputs import trained_round

    if threads is not None:
        torch.set_num_threads(threads)
    folder_out = out or Path("runs") / f"refine-{datetime.now():%Y%m%d-%H%M%S}"
    if rounds == 0 and embedder == "default" and trained_round(folder_out):
        embedder = str(folder_out / "embedder.safetensors")  # a review without training goes on with what was trained
    options = Options(
        embedder=embedder,
        rounds=rounds,
        steps=steps,
        lr=lr,
        clusterer=clusterer,
        once=once_per_camera,
        reassign=reassign,
        seed=seed,
    )
    crops = read_crops(folder, listed=listed, camera=camera)
    given = None if review is None else read_review(review, crops.names)
    with Bar(quiet=json) as bar:

        def show(what: str, done: int, total: int) -> None:
            stage, _, note = what.partition(", ")
            bar.at(done, total, note, label=stage)

        found = refine_crops(
            crops, options=options, work=folder_out / ".rounds", links=None if given is None else given.links,
            progress=show,
        )  # fmt: skip
    known = None
    if truth is not None:
        from packed_scenes.crops.values import read_values

        known = read_values(truth, found.crops.names)
    record = save_refined(found, folder_out, truth=known)
    tell_problems(found.warnings, found.crops.errors)
    if json:
        print_json(record | {"out": str(folder_out)})
        return
    _tell(record, folder_out)


def _tell(record: dict[str, Any], out: Path) -> None:
    say("round  check  clusters  trained on")
    for row in record["rounds"]:
        on = f"{row['trained_crops']} crops of {row['trained_clusters']} clusters" if row["number"] else "(start)"
        say(f"{row['number']:5d}  {row['check']:.3f}  {row['clusters']:8d}  {on}")
    kept = record["kept_round"]
    say(f"kept: round {kept}" if kept else "the first round did harm by the check: the start embedder is kept")
    for name, score in record.get("scores", {}).items():
        say(f"{name}: BCubed F {score['bcubed_f']:.3f}, pairwise F {score['pairwise_f']:.3f}, "
              f"{score['k_pred']} of {score['k_true']}")  # fmt: skip
    say(f"look at {out / 'clusters.png'}; decide in {out / 'review.csv'} and give it back with --review")
