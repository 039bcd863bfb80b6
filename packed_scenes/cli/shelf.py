"""Report what stands on shelves: facings, shares, gaps; compare with a planogram or an earlier photo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from packed_scenes.cli.console import application, echo, print_json
from packed_scenes.cli.options import Device, Json, Seed, Threshold

app = application()

EPILOG = """
Examples:

`packed-scenes shelf shelf.jpg --out runs/report` — facings, shares of the shelf and gaps, as CSV and one HTML page

`packed-scenes shelf today.jpg --plan planogram.csv` — what is missing, moved or extra against the plan

`packed-scenes shelf today.jpg --before yesterday.jpg` — the same against another photo
"""


@app.command(epilog=EPILOG)
def main(
    pictures: Annotated[list[Path] | None, typer.Argument(help="Photos of shelves; none = the bundled sample.")] = None,
    plan: Annotated[Path | None, typer.Option(help="Planogram CSV: row, position, product[, facings].")] = None,
    before: Annotated[Path | None, typer.Option(help="Photo to compare with.")] = None,
    boxes: Annotated[Path | None, typer.Option(help="Boxes to use instead of detecting.")] = None,
    catalogue: Annotated[
        Path | None, typer.Option(help="Catalogue that knows the products' names, for the report and --plan.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("runs/shelf-report"),
    threshold: Threshold = None,
    device: Device = "auto",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Report what stands on shelves: facings, shares, gaps; compare with a planogram or an earlier photo."""
    from packed_scenes.analysis import analyze
    from packed_scenes.data.shipped import SAMPLE_FOLDER
    from packed_scenes.shelves import save_shelf_reports

    known = None
    if catalogue is not None:
        from packed_scenes.catalogue import Catalogue

        known = Catalogue(catalogue)  # before the work, so that a wrong folder is said at once
    photos = [*(pictures or [SAMPLE_FOLDER / "shelf.jpg"]), *([before] if before else [])]
    result = analyze(photos, boxes=boxes, threshold=threshold, device=device, seed=seed)
    earlier = result.scenes[-1].name if before is not None else None
    if known is not None:
        result = known.recognise(result)
    pages = save_shelf_reports(result, out, plan=plan, before=earlier)
    if json:
        print_json({"out": str(out), "pages": [str(page) for page in pages]})
    else:
        for page in pages:
            echo(f"look at {page}")
