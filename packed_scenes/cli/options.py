"""Options that several commands take, with one meaning and one text; a command gives the default."""

from __future__ import annotations

from typing import Annotated

import typer

Confidence = Annotated[
    float | None, typer.Option(help="Lowest detection score kept.  [default: from the weights' card]")
]
ImageSize = Annotated[int | None, typer.Option(help="Detector input size in px.  [default: chosen from the picture]")]
Trust = Annotated[bool, typer.Option("--trust", help="Load weights that can run code; only for files you trust.")]
EmbedderName = Annotated[str, typer.Option(help="Embedder: a name or a .safetensors file.")]
ClustererName = Annotated[str, typer.Option(help="Clusterer: default, average, two-stage, hdbscan, …")]
Threshold = Annotated[
    float | None, typer.Option(help="Cosine distance at which clusters stop merging.  [default: chosen]")
]
Threads = Annotated[int | None, typer.Option(help="CPU threads.  [default: all]", min=1)]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object, no progress.")]
