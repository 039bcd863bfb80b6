"""Show what makes crops alike: maps over pairs, and clusters with their central, doubtful and nearest foreign crops."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from packed_scenes.cli.console import application, echo, lock_output, print_json, track
from packed_scenes.cli.options import EmbedderName, Json

app = application()

EPILOG = """
Examples:

`packed-scenes explain a.jpg b.jpg` — why are these two alike?

`packed-scenes explain crops/ --labels runs/refined/labels.csv --out runs/why` — the clusters of a folder

`packed-scenes explain a.jpg b.jpg --embedder colour` — any embedder; without layers, by covering patches only
"""


@app.command(epilog=EPILOG)
def main(
    what: Annotated[list[Path], typer.Argument(help="Crops in pairs (first with second, …), or one folder of crops.")],
    labels: Annotated[
        Path | None, typer.Option(help="CSV with file,cluster of the folder's crops.  [default: cluster them now]")
    ] = None,
    embedder: EmbedderName = "default",
    clusters: Annotated[int, typer.Option(help="Clusters shown.", min=1)] = 12,
    each: Annotated[int, typer.Option(help="Crops of each kind per cluster.", min=1)] = 3,
    largest: Annotated[bool, typer.Option("--largest", help="Largest clusters first.  [default: most doubt]")] = False,
    out: Annotated[Path, typer.Option(help="Folder of the pictures.")] = Path("runs/explain"),
    json: Json = False,
) -> None:
    """Show what makes crops alike."""
    from packed_scenes.data.errors import InputError
    from packed_scenes.data.images import read_image, write_image
    from packed_scenes.explain import draw_pairs, load_explained
    from packed_scenes.explain.pairs import verdict

    lock_output(out)  # before the work, which takes a while
    made: dict[str, Any]
    model, gradient = load_explained(embedder)
    draw = partial(draw_pairs, model, gradient=gradient, progress=partial(track, quiet=json))
    if len(what) == 1 and what[0].is_dir():
        made = _folder(what[0], labels, model, draw, clusters=clusters, each=each, largest=largest, out=out)
    elif labels is not None:
        raise InputError("--labels goes with one folder of crops", remedy="Name the folder, or leave --labels out.")
    elif len(what) % 2:
        raise InputError(f"crops come in pairs, got {len(what)}", remedy="Name two crops, or one folder.")
    else:
        pairs = [(read_image(a), read_image(b)) for a, b in zip(what[::2], what[1::2], strict=True)]
        titles = [f"{a.stem} / {b.stem}" for a, b in zip(what[::2], what[1::2], strict=True)]
        picture, cosines = draw(pairs, titles=titles)
        write_image(out / "pairs.png", picture)
        said = [f"{title}: {verdict(model, cosine)}" for title, cosine in zip(titles, cosines, strict=True)]
        apart = [round(max(0.0, 1 - cosine), 4) for cosine in cosines]
        made = {"pairs": str(out / "pairs.png"), "distance": apart, "verdict": said}
        if not json:
            for line in said:
                echo(line)
    if json:
        print_json(made)
    else:
        echo("look at " + ", ".join(str(v) for v in made.values() if str(v).endswith(".png")))


def _folder(
    folder: Path, labels: Path | None, model: Any, draw: Any, *, clusters: int, each: int, largest: bool, out: Path
) -> dict[str, Any]:
    """Draw the clusters of a folder, and its most doubtful crops beside the centre of their cluster."""

    import numpy as np

    from packed_scenes import cluster
    from packed_scenes.crops import read_crops
    from packed_scenes.data.images import read_image, write_image
    from packed_scenes.data.thresholds import calibrated_threshold
    from packed_scenes.explain import draw_clusters, read_labels

    crops = read_crops(folder)
    vectors = model.embed_crops([read_image(path) for path in crops.paths])
    calibrated = calibrated_threshold(model.card)
    if labels is None:
        found = cluster.make("default", calibrated=calibrated).fit_predict(vectors)
    else:
        found = cluster.canonical(read_labels(labels, crops.names))
    about = cluster.membership_evidence(vectors, found, threshold=calibrated)
    sheet, shown = draw_clusters(crops, found, about, clusters=clusters, each=each, doubtful=not largest)
    write_image(out / "clusters.png", sheet)
    several = (found >= 0) & (np.bincount(np.maximum(found, 0))[np.maximum(found, 0)] > 1)
    several &= ~np.isin(np.arange(len(found)), about.central)
    rows = np.flatnonzero(several)[np.argsort(-about.ambiguity[several], kind="stable")][:6].tolist()
    made: dict[str, Any] = {"clusters": str(out / "clusters.png"), "shown": shown}
    if rows:
        pairs = [(read_image(crops.paths[r]), read_image(crops.paths[int(about.central[found[r]])])) for r in rows]
        titles = [f"doubtful in {found[r]} ({about.ambiguity[r]:.2f}) / its centre" for r in rows]
        write_image(out / "doubts.png", draw(pairs, titles=titles)[0])
        made["doubts"] = str(out / "doubts.png")
    return made
