"""Find things again: the nearest objects of a catalogue or a run, and whose they are."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from packed_scenes.cli.console import application, echo, print_json, print_problems
from packed_scenes.cli.options import Device, Json

app = application()

EPILOG = """
Examples:

`packed-scenes search crop.jpg --catalogue shop` — who is this, and where has it been seen?

`packed-scenes search shelf.jpg --box 120,40,260,310 --catalogue shop --top 5` — the thing inside a box of a photo

`packed-scenes search crops/ --run runs/shelf --json` — every picture of a folder, among the objects of one run

`packed-scenes search person.jpg --run runs/count` — among the crops of a count
"""


@app.command(epilog=EPILOG)
def main(
    query: Annotated[Path, typer.Argument(help="Picture of one thing, a photo with --box, or a folder of pictures.")],
    box: Annotated[
        list[str] | None,
        typer.Option("--box", help="x1,y1,x2,y2 in pixels of the photo; repeat for more.", metavar="BOX"),
    ] = None,
    catalogue: Annotated[
        Path | None, typer.Option(help="Catalogue to search.  [default: catalogue, unless --run]")
    ] = None,
    run_folder: Annotated[
        Path | None, typer.Option("--run", help="Search this run folder of analyze or count instead.")
    ] = None,
    top: Annotated[int, typer.Option(help="Results per query.")] = 10,
    index: Annotated[str, typer.Option(help="auto, exact, ivf or hnsw.")] = "auto",
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Find things again: the nearest objects of a catalogue or a run, and whose they are."""
    from packed_scenes.data.errors import InputError
    from packed_scenes.retrieval.query import embed_queries, load_embedder, parse_box, read_queries
    from packed_scenes.retrieval.search import Searcher

    if catalogue is not None and run_folder is not None:
        raise InputError("both --catalogue and --run are given", remedy="Search one of them.")
    queries = read_queries(query, [parse_box(text) for text in box or []])
    options: dict[str, Any] = {"kind": index, "device": device, "queries": len(queries)}
    if run_folder is not None:
        searcher = Searcher.from_run(run_folder, **options)
    else:
        searcher = Searcher.from_catalogue(catalogue or Path("catalogue"), **options)
    embedder = load_embedder(searcher.embedding, device=device)
    queries, vectors, errors = embed_queries(queries, embedder)
    answers = searcher.search(vectors, top=top)
    print_problems([], errors)
    if json:
        found = [{"query": str(q.path), "box": q.box, **a.to_json()} for q, a in zip(queries, answers, strict=True)]
        print_json({"index": str(searcher.index.kind), "vectors": len(searcher.index), "answers": found})
        return
    label = partial(_label, of_run=run_folder is not None)
    for one, answer in zip(queries, answers, strict=True):
        place = "" if one.box is None else " " + ",".join(f"{v:g}" for v in one.box)
        whose = "new" if answer.is_new else label(answer.identity, answer.name)
        echo(f"{one.path}{place}: {whose}")
        for hit in answer.hits:
            box_text = ",".join(f"{v:.0f}" for v in hit.xyxy)
            echo(f"  distance {hit.distance:.3f}  {label(hit.identity, hit.name):24}  {hit.scene}  {box_text}")


def _label(identity: int | None, name: str | None, *, of_run: bool) -> str:
    """A name, ``#12`` of a catalogue, or the number of a run's group."""
    if name or identity is None:
        return name or "noise"
    return f"group {identity}" if of_run else f"#{identity}"
