"""Score detection, identities and congregations on labelled scenes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from packed_scenes.cli.console import application, echo, print_json, print_problems, track
from packed_scenes.cli.options import (
    ClassNames,
    ClustererName,
    Confidence,
    Device,
    EmbedderName,
    Export,
    ImageSize,
    Json,
    SecondLook,
    Seed,
    Threshold,
    Trust,
    Weights,
)

app = application()

EPILOG = """
Examples:

`packed-scenes evaluate truth.json --images photos/` — identities on the true boxes

`packed-scenes evaluate truth.json --boxes detected --out metrics.json` — detection, and both together
"""


@app.command(epilog=EPILOG)
def main(
    coco: Annotated[Path, typer.Argument(help="COCO annotations whose category is the identity.")],
    images: Annotated[
        Path | None, typer.Option(help="Folder of the pictures.  [default: images/ beside the file, or its folder]")
    ] = None,
    boxes: Annotated[
        str, typer.Option(help="Cluster the boxes of the truth, or detected ones: truth or detected.")
    ] = "truth",
    joint: Annotated[
        bool, typer.Option("--joint", help="Cluster all scenes together; score pairs across scenes too.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write the scores to this JSON file too.")] = None,
    weights: Weights = None,
    classes: Annotated[list[str] | None, typer.Option(help="Keep only these detector classes.")] = None,
    class_names: ClassNames = None,
    confidence: Confidence = None,
    image_size: ImageSize = None,
    second_look: SecondLook = True,
    embedder: EmbedderName = "default",
    clusterer: ClustererName = "default",
    threshold: Threshold = None,
    reach: Annotated[float, typer.Option(help="Closing reach as a fraction of the object size.")] = 0.3,
    device: Device = "auto",
    seed: Seed = 0,
    trust: Trust = False,
    export: Export = None,
    json: Json = False,
) -> None:
    """Score detection, identities and congregations on labelled scenes."""
    from packed_scenes.cli.score_table import score_lines
    from packed_scenes.data.coco import read_coco
    from packed_scenes.data.files import write_json
    from packed_scenes.data.images import image_size as size_of
    from packed_scenes.detect.class_names import parse_class_names
    from packed_scenes.evaluation import evaluate
    from packed_scenes.exporting import Exported, forms
    from packed_scenes.exporting import export as write_export
    from packed_scenes.settings import Settings

    settings = Settings(
        weights=weights, classes=tuple(classes or ()), class_names=parse_class_names(class_names),
        confidence=confidence, image_size=image_size, second_look=second_look,
        embedder=embedder, clusterer=clusterer, threshold=threshold, reach=reach, device=device, seed=seed, trust=trust,
    )  # fmt: skip

    wanted = forms(export or ())
    pictures: list[Exported] = []

    def keep(label: Any, part: Any) -> None:
        size = size_of(label.image)
        pictures.append(Exported(label.name, label.image, size, part, lambda: label.load().image))

    scores = evaluate(
        read_coco(coco, images=images), boxes=boxes, joint=joint, settings=settings,
        progress=partial(track, quiet=json),
        found=keep if wanted else None,
    )  # fmt: skip
    place = Path("runs") / "export" if out is None else out.with_suffix("")
    print_problems(scores.get("warnings", []), [(e["file"], e["reason"]) for e in scores.get("errors", [])])
    if json:
        print_json(scores)
    else:
        for line in score_lines(scores["overall"], joint=joint):
            echo(line)
        echo("")
    for form in wanted:
        echo(f"exported for {form}: {write_export(pictures, form, place)}", error=json)
    if out is not None:
        write_json(out, scores)
    echo("scores of each scene: " + ("--json, or --out FILE" if out is None else str(out)), quiet=json)
