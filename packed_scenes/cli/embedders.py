"""List the embedders; inspect a network file, write its card, calibrate it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from packed_scenes.cli.console import application, echo, in_words, print_json
from packed_scenes.cli.options import Device, Json, Seed

app = application()

EPILOG = """
Examples:

`packed-scenes embedders` — what there is, and what each needs

`packed-scenes embedders dinov2=dinov2_vits14.onnx` — try a network file: size, pixels, dimension, time per crop

`packed-scenes embedders reid.onnx --channels bgr --mean 0 --scale 1 --fit stretch` — say how it wants its pixels:
written to the card `reid.json`, which every command reads

`packed-scenes embedders reid.onnx --calibrate people/` — find the distance at which the same ends, on crops in one
folder per identity, and keep it on the card

Exports of widely used networks are described in docs/networks.md.
"""


@app.command(epilog=EPILOG)
def main(
    network: Annotated[
        str | None, typer.Argument(help="A name, NAME=FILE or file to look at.  [default: list the names]")
    ] = None,
    width: Annotated[int | None, typer.Option(help="Crop width in px, where the file takes any.", min=8)] = None,
    height: Annotated[int | None, typer.Option(help="Crop height in px, where the file takes any.", min=8)] = None,
    channels: Annotated[str | None, typer.Option(help="rgb or bgr.")] = None,
    mean: Annotated[str | None, typer.Option(help="Taken from pixels of 0…255: one number, or a,b,c.")] = None,
    scale: Annotated[str | None, typer.Option(help="Then divided by this: one number, or three a,b,c.")] = None,
    fit: Annotated[str | None, typer.Option(help="letterbox (keep the proportions) or stretch.")] = None,
    output: Annotated[str | None, typer.Option(help="Name of the output, where there are several.")] = None,
    pool: Annotated[str | None, typer.Option(help="first or mean, for outputs of tokens or maps.")] = None,
    calibrate: Annotated[
        Path | None, typer.Option(help="Crops in one folder per identity: find the cut, keep it on the card.")
    ] = None,
    device: Device = "auto",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """List the embedders; inspect a network file, write its card, calibrate it."""
    from packed_scenes.data.errors import InputError
    from packed_scenes.networks import calibrate_card, inspect_network, known_embedders, write_card

    said: dict[str, Any] = {
        "width": width, "height": height, "channels": channels, "fit": fit, "output": output, "pool": pool,
        "mean": None if mean is None else _numbers(mean), "scale": None if scale is None else _numbers(scale),
    }  # fmt: skip
    said = {key: value for key, value in said.items() if value is not None}
    if network is None:
        if said or calibrate is not None:
            raise InputError("which network?", remedy="Name a .onnx or .xml file.")
        rows = known_embedders()
        if json:
            print_json({"embedders": rows})
            return
        columns = ("name", "dimension", "domain", "megabytes", "licence", "needs")
        table = [columns, *(tuple(str(row[c]) for c in columns) for row in rows)]
        widths = [max(len(line[k]) for line in table) for k in range(len(columns))]
        for line in table:
            echo("  ".join(text.ljust(wide) for text, wide in zip(line, widths, strict=True)).rstrip())
        echo("or NAME.onnx, NAME.xml (OpenVINO), NAME.safetensors: docs/networks.md")
        return
    if said:
        write_card(network, said)
    if calibrate is not None:
        calibrate_card(network, calibrate, device=device, seed=seed)
    found = inspect_network(network, device=device)
    if json:
        print_json(found)
        return
    for key, value in found.items():
        echo(f"{key}: {in_words(value)}")


def _numbers(text: str) -> list[float]:
    from packed_scenes.data.errors import InputError

    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(f"{text!r} is no number", remedy="Write 127.5, or 123.675,116.28,103.53.") from error
