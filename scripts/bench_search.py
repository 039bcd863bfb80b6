"""Measure search: time to build the index, time per query, recall against exact."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli import print_json, run

app = typer.Typer(add_completion=False, rich_markup_mode="markdown", pretty_exceptions_enable=False)

EPILOG = """
Examples:

`uv run scripts/bench_search.py` — 416,314 synthetic vectors of 128 numbers, exact against what is chosen at that size

`uv run scripts/bench_search.py --count 1000000 --kind ivf --kind hnsw` — a million, both approximate ways
"""


@app.command(epilog=EPILOG)
def main(
    count: Annotated[int, typer.Option(help="How many vectors.")] = 416_314,
    dimension: Annotated[int, typer.Option(help="Numbers per vector.")] = 128,
    kind: Annotated[list[str] | None, typer.Option(help="exact, auto, ivf or hnsw; repeat for more.")] = None,
    queries: Annotated[int, typer.Option(help="How many queries, asked one at a time.")] = 500,
    top: Annotated[int, typer.Option(help="Results per query.")] = 10,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of the vectors.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
) -> None:
    """Measure search: time to build the index, time per query, recall against exact."""
    from pipeline.retrieval.measure import measure

    rows = measure(
        count=count, dimension=dimension, kinds=kind or ["exact", "auto"], queries=queries, top=top, device=device,
        seed=seed,
    )  # fmt: skip
    if json:
        print_json([row.to_json() for row in rows])
        return
    for row in rows:
        print(row)


if __name__ == "__main__":
    run(app)
