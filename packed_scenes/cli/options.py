"""Options that several commands take, with one meaning and one text; a command gives the default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Confidence = Annotated[
    float | None, typer.Option(help="Lowest detection score kept.  [default: from the weights' card]")
]
ImageSize = Annotated[int | None, typer.Option(help="Detector input size in px.  [default: chosen from the picture]")]
SecondLook = Annotated[
    bool,
    typer.Option(
        "--second-look/--no-second-look",
        help="Halve low scores of boxes that resemble no confident one in the scene; split boxes around two copies.",
    ),
]
Trust = Annotated[bool, typer.Option("--trust", help="Load weights that can run code; only for files you trust.")]
EMBEDDER = "Embedder: a name, NAME=FILE, or a .safetensors, .onnx or .xml file; packed-scenes embedders lists them."
EmbedderName = Annotated[str, typer.Option(help=EMBEDDER)]
WEIGHTS = "Detector: .onnx, .xml (OpenVINO) or .pt file, torchvision:NAME, or an ultralytics name."
Weights = Annotated[str | None, typer.Option(help=f"{WEIGHTS}  [default: the bundled one]")]
ClassNames = Annotated[
    str | None,
    typer.Option(help="Names of a detector file's classes: coco, coco91, a,b,c or a file.  [default: its own]"),
]
ClustererName = Annotated[str, typer.Option(help="Clusterer: default, average, two-stage, hdbscan, …")]
Threshold = Annotated[
    float | None, typer.Option(help="Cosine distance at which clusters stop merging.  [default: chosen]")
]
Threads = Annotated[int | None, typer.Option(help="CPU threads.  [default: all]", min=1)]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Export = Annotated[
    list[str] | None,
    typer.Option(
        help="Write it for another tool, too: coco, yolo, voc, cvat, label-studio, fiftyone or supervision; repeat."
    ),
]
IDENTITIES = "folders, a CSV (file,identity), or name:PATTERN such as 'name:(.+)_cam'"
DESCRIPTORS = "Embedder: a name, NAME=FILE or a file; repeat for more."
Mask = Annotated[str | None, typer.Option(help="Hide the background first: threshold, grabcut, deeplab, deeplab=FILE.")]
Cache = Annotated[Path | None, typer.Option(help="Folder of vectors already computed.  [default: OUT/cache]")]
Ask = Annotated[str, typer.Option(help="Who answers about pairs: nobody, terminal, browser.")]
DialoguePort = Annotated[int, typer.Option(help="Port of the browser dialogue; 0 = any free one.")]
ClusterFolders = Annotated[str, typer.Option(help="A folder per cluster: links, copies or none.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object, no progress.")]
