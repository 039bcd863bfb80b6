"""Improve an embedder on a folder of crops by its own clusters, and list the doubtful crops for a person."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from packed_scenes.cli.console import Bar, application, echo, lock_output, print_json, print_problems
from packed_scenes.cli.options import IDENTITIES, Ask, DialoguePort, Json, Seed, Threads

if TYPE_CHECKING:
    from packed_scenes.refining import Refined
    from packed_scenes.refining.review import Links

app = application()

EPILOG = r"""
Examples:

`packed-scenes refine crops/ --out runs/refined` — a few minutes for some hundred crops

`packed-scenes refine crops/ --camera 'name:cam(\d+)' --once-per-camera` — each thing was seen once by each camera

`packed-scenes refine crops/ --ask browser --out runs/refined` — answer "the same?" for doubtful pairs, then train

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
    ask: Ask = "nobody",
    pairs: Annotated[int, typer.Option(help="Most pairs to answer, before the training.", min=1)] = 60,
    port: DialoguePort = 0,
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
        typer.Option(help=f"Known identities, for scores only: {IDENTITIES}."),
    ] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Improve an embedder on a folder of crops by its own clusters, and list the doubtful crops for a person."""
    import torch

    from packed_scenes.crops import read_crops
    from packed_scenes.data.errors import InputError
    from packed_scenes.refining import Options, read_review, refine_crops, save_refined
    from packed_scenes.refining.asking import together
    from packed_scenes.refining.outputs import trained_round
    from packed_scenes.refining.review import Links

    if ask not in ("nobody", "terminal", "browser"):
        raise InputError(f"unknown --ask {ask!r}", remedy="Choose nobody, terminal or browser.")
    if threads is not None:
        torch.set_num_threads(threads)
    folder_out = out or Path("runs") / f"refine-{datetime.now():%Y%m%d-%H%M%S}"
    lock_output(folder_out)
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
    links = Links() if review is None else read_review(review, crops.names).links
    work = folder_out / ".rounds"

    def run(options: Options, links: Links) -> Refined:
        with Bar(quiet=json) as bar:

            def show(what: str, done: int, total: int) -> None:
                stage, _, note = what.partition(", ")
                bar.at(done, total, note, label=stage)

            return refine_crops(
                crops, options=options, work=work, links=links if len(links) else None, progress=show
            )  # fmt: skip

    if ask != "nobody":  # what a person says is what the training learns from
        start = run(replace(options, rounds=0), links)
        links = together(links, _ask(start, folder_out, ask=ask, pairs=pairs, port=port))
    found = run(options, links)
    known = None
    if truth is not None:
        from packed_scenes.crops.values import read_values

        known = read_values(truth, found.crops.names)
    record = save_refined(found, folder_out, truth=known)
    print_problems(found.warnings, found.crops.errors)
    if json:
        print_json(record | {"out": str(folder_out)})
        return
    _tell(record, folder_out)


def _ask(start: Refined, out: Path, *, ask: str, pairs: int, port: int) -> Links:
    """Ask about the doubtful pairs; answers are kept in ``answers.csv`` of the run folder as they are given."""
    from packed_scenes.cluster import membership_evidence
    from packed_scenes.counting import AnswerBook
    from packed_scenes.counting.terminal import terminal_judge
    from packed_scenes.refining.asking import answered, ask_doubtful
    from packed_scenes.web.server.dialogue import PageDialogue

    found = membership_evidence(start.vectors, start.labels, threshold=start.calibrated)
    book = AnswerBook(start.crops.names, out / "answers.csv")
    paths = list(start.crops.paths)
    if ask == "terminal":
        ask_doubtful(found, start.labels, book, terminal_judge(book, paths, picture=out / "pair.png", budget=pairs))
        return answered(book)
    with PageDialogue(book, paths, budget=pairs, port=port, title="Which crops show the same thing?") as page:
        page.status = f"{int(start.labels.max()) + 1} clusters of {len(book.names)} crops"
        print(f"answer in the browser: {page.address}", file=sys.stderr, flush=True)
        ask_doubtful(found, start.labels, book, page.judge)
        page.finish(f"{len(book)} answers", note="The training goes on from here. This page can be closed.")
    return answered(book)


def _tell(record: dict[str, Any], out: Path) -> None:
    echo("round  check  clusters  trained on")
    for row in record["rounds"]:
        on = f"{row['trained_crops']} crops of {row['trained_clusters']} clusters" if row["number"] else "(start)"
        echo(f"{row['number']:5d}  {row['check']:.3f}  {row['clusters']:8d}  {on}")
    kept = record["kept_round"]
    echo(f"kept: round {kept}" if kept else "the first round was worse by the check: the start embedder is kept")
    for name, score in record.get("scores", {}).items():
        echo(f"{name}: BCubed F {score['bcubed_f']:.3f}, pairwise F {score['pairwise_f']:.3f}, "
              f"{score['k_pred']} of {score['k_true']}")  # fmt: skip
    echo(f"look at {out / 'clusters.png'}; decide in {out / 'review.csv'} and give it back with --review")
