"""Which descriptor and which clustering reveal something? Hundreds of models, compared and interpreted."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from packed_scenes.cli.console import Bar, application, echo, lock_output, print_json, track
from packed_scenes.cli.options import DESCRIPTORS, IDENTITIES, Cache, ClusterFolders, Device, Json, Mask, Seed

app = application()

EPILOG = """
Examples:

`packed-scenes study crops/ --out runs/study` — a folder of crops by the descriptors default, colour and shape

`packed-scenes study crops/ --descriptors default --descriptors colour --truth folders` — scored by the folders

`packed-scenes study a.npy b.npy --truth labels.npy --workers 2` — matrices that someone already has

`packed-scenes study crops/ --out runs/study --show 3` — the same study again, and pictures of cluster 3
"""


@app.command(epilog=EPILOG)
def main(
    inputs: Annotated[list[Path], typer.Argument(help="Folders of crops, a table of paths, or matrices.")],
    descriptors: Annotated[
        list[str] | None,
        typer.Option("--descriptors", "-d", help=f"{DESCRIPTORS} Or a matrix file.  [default: default, colour, shape]"),
    ] = None,
    prepare: Annotated[
        list[str] | None,
        typer.Option(help="Preparation; repeat for more.  [default: pca60+minmax, unit+pca60]"),
    ] = None,
    truth: Annotated[
        str | None, typer.Option(help=f"Known identities, for scores only: {IDENTITIES}; or a file of labels.")
    ] = None,
    grid: Annotated[Path | None, typer.Option(help="YAML or JSON file with the models to fit.")] = None,
    rounds: Annotated[int, typer.Option(help="Rounds of refinement around the best.")] = 2,
    per_round: Annotated[int, typer.Option(help="Models a round adds per descriptor and preparation.")] = 6,
    out: Annotated[Path, typer.Option(help="Results folder; the same again goes on.")] = Path("runs/study"),
    cache: Cache = None,
    mask: Mask = None,
    show: Annotated[
        int | None, typer.Option(help="Write a sheet of this cluster of the chosen model, -1 = noise.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Key of the model to show and to sort crops by.  [default: the winner]")
    ] = None,
    folders: ClusterFolders = "none",
    tables_only: Annotated[bool, typer.Option("--tables-only", help="No maps, sheets and report.")] = False,
    trust: Annotated[bool, typer.Option("--trust", help="Open pickled matrices.")] = False,
    workers: Annotated[int, typer.Option(help="Processes side by side.")] = 1,
    device: Device = "auto",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Which descriptor and which clustering reveal something? Hundreds of models, compared and interpreted."""
    from packed_scenes.cluster.search.grid import Grid
    from packed_scenes.study.collection import gather
    from packed_scenes.study.options import PREPARATIONS, StudyOptions
    from packed_scenes.study.results import write_results
    from packed_scenes.study.study import earlier_study, run_study
    from packed_scenes.study.summary import summary

    lock_output(out)
    finished = None
    if show is not None or model is not None or folders != "none":
        finished = earlier_study(out)  # to look at it, nothing is fitted anew
    if finished is not None:
        descriptors, prepare = descriptors or list(finished.descriptors), prepare or list(finished.preparations)
    options = StudyOptions(
        fit=finished is None,
        out=out, grid=Grid.from_file(grid) if grid else Grid(), preparations=tuple(prepare or PREPARATIONS),
        rounds=rounds, per_round=per_round, seed=seed, workers=workers, figures=not tables_only,
    )  # fmt: skip

    track_models = partial(track, quiet=json)
    with Bar(quiet=json) as bar:
        collection = gather(
            inputs, cache=cache or out / "cache", descriptors=descriptors or ("default", "colour", "shape"),
            truth=truth, mask=mask, trust=trust, device=device, seed=seed,
            progress=lambda name: partial(bar.at, label=name),
        )  # fmt: skip
    result = run_study(collection, options, track=track_models)
    written = write_results(result, options, model=model, show=show, folders=folders, track=track_models)
    said = summary(result, written)
    if json:
        print_json(said)
        return
    for line in said["text"]:
        echo(line)
