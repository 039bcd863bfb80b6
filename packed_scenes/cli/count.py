"""Count how many different ones there are in a folder of crops, with an interval."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from packed_scenes.cli.console import Bar, application, echo, lock_output, print_json, print_problems
from packed_scenes.cli.options import (
    IDENTITIES,
    Ask,
    Cache,
    ClusterFolders,
    Device,
    DialoguePort,
    EmbedderName,
    Json,
    Seed,
    Threshold,
)

if TYPE_CHECKING:
    from packed_scenes.counting.answers import AnswerBook, Judge

app = application()

EPILOG = """
Examples:

`packed-scenes count crops/` — at once, with the wide interval that no answer allows

`packed-scenes count crops/ --ask browser --out runs/count` — answer "the same?" for some pairs; the interval
shrinks as you answer; the same command goes on where you stopped

`packed-scenes count crops/ --ask terminal --pairs 300` — the same without a browser

`packed-scenes count crops/ --truth folders --json` — answers by known identities, to measure
"""


@app.command(epilog=EPILOG)
def main(
    folder: Annotated[Path, typer.Argument(help="Folder of crops, one object each, in any subfolders.")],
    out: Annotated[Path | None, typer.Option(help="Run folder.  [default: runs/count-DATE-TIME]")] = None,
    ask: Ask = "nobody",
    pairs: Annotated[int | None, typer.Option(help="Most pairs to answer.  [default: until --target]", min=1)] = None,
    target: Annotated[
        float, typer.Option(help="Stop asking when the interval is this share of the count to either side.", min=0)
    ] = 0.1,
    answers: Annotated[Path | None, typer.Option(help="CSV of the answers.  [default: OUT/answers.csv]")] = None,
    truth: Annotated[
        str | None,
        typer.Option(help=f"Known identities, which answer: {IDENTITIES}."),
    ] = None,
    threshold: Threshold = None,
    embedder: EmbedderName = "default",
    similar_pairs: Annotated[
        Path | None, typer.Option(help="CSV first,second of similar crops: also count by DBSCAN with eps from them.")
    ] = None,
    elbow: Annotated[
        bool, typer.Option("--elbow", help="Also count by KMeans' elbow over an autoencoder's latents (minutes).")
    ] = False,
    folders: ClusterFolders = "links",
    cache: Cache = None,
    port: DialoguePort = 0,
    device: Device = "auto",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Count how many different ones there are in a folder of crops: a number, an interval, and the evidence."""
    from contextlib import ExitStack

    from packed_scenes.counting import AnswerBook, Options, count_folder, save_count
    from packed_scenes.counting.answers import truth_judge
    from packed_scenes.crops.values import read_values
    from packed_scenes.data import InputError

    if ask not in ("nobody", "terminal", "browser"):
        raise InputError(f"unknown --ask {ask!r}", remedy="Choose nobody, terminal or browser.")
    if truth is not None and ask != "nobody":
        raise InputError("--truth and --ask exclude each other", remedy="Give one of them.")
    place = out or Path("runs") / datetime.now().strftime("count-%Y%m%d-%H%M%S")
    lock_output(place)
    kept = answers or (None if truth is not None else place / "answers.csv")

    report = partial(echo, error=True, quiet=json)

    with ExitStack() as stack:
        page: Any = None

        def judge(book: AnswerBook, paths: list[Path]) -> Judge:
            nonlocal page
            if truth is not None:
                return truth_judge(read_values(truth, book.names), budget=pairs, book=book)
            if ask == "terminal":
                from packed_scenes.counting.terminal import terminal_judge

                return terminal_judge(book, paths, picture=place / "pair.png", budget=pairs)
            from packed_scenes.web.server.dialogue import PageDialogue

            page = stack.enter_context(PageDialogue(book, paths, budget=pairs, port=port))
            echo(f"answer in the browser: {page.address}", error=True)
            return page.judge  # type: ignore[no-any-return]

        def status(line: str) -> None:
            report(line)
            if page is not None:
                page.status = line

        found = count_folder(
            folder,
            options=Options(embedder=embedder, threshold=threshold, target=target, device=device, seed=seed),
            cache=cache or place / "cache",
            book=lambda names: AnswerBook(names, kept),
            judge=judge if truth is not None or ask != "nobody" else None,
            bar=stack.enter_context(Bar("embedding", quiet=json, passing=True)).at,
            status=status,
        )
        if similar_pairs is not None or elbow:
            from packed_scenes.counting.simple import read_similar, simple_routes

            similar = None if similar_pairs is None else read_similar(similar_pairs, found.names)
            found.simple = simple_routes(
                found.paths, found.vectors, cache=cache or place / "cache", seed=seed, pairs=similar,
                autoencoder=elbow, device=device,
            )  # fmt: skip
        report("writing")
        save_count(found, place, folders=folders, bar=stack.enter_context(Bar("writing", quiet=json, passing=True)).at)
        (place / "pair.png").unlink(missing_ok=True)
        if page is not None:
            page.finish(found.sentence())
    print_problems(found.warnings, found.errors)
    if json:
        print_json(found.to_json() | {"out": str(place)})
        return
    echo(found.sentence())
    for line in found.evidence():
        echo(f"  {line}")
    shown = [place / name for name in ("curve.png", "clusters.png") if (place / name).is_file()]
    echo(f"look at {' and '.join(map(str, shown))}")
