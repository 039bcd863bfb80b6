"""Describe every picture of a folder by a vector: one matrix file per descriptor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from packed_scenes.cli.console import Bar, application, echo, lock_output, print_json
from packed_scenes.cli.options import DESCRIPTORS, Cache, Device, Json, Mask, Seed

app = application()

EPILOG = """
Examples:

`packed-scenes describe crops/` — our embedder; runs/describe/default.npy with its rows' files in default.csv

`packed-scenes describe crops/ -d colour -d shape -d resnet50 --format parquet` — several descriptors

`packed-scenes describe crops/ -d osnet=osnet_x1_0.pth -d mobilenet_v2=mobilenet_v2-7ebf99e0.pth` — published
weights from your own files (`packed-scenes embedders` lists the names)

`packed-scenes describe crops/ --mask grabcut` — hide the background first; mask.png shows what was removed

`packed-scenes describe crops/ --train-autoencoder` — train an autoencoder on these pictures (interrupted, the same
command goes on), then describe them by it

Interrupted, the same command goes on: what was computed is kept by the pictures' content under --cache.
"""


@app.command(epilog=EPILOG)
def main(
    pictures: Annotated[list[Path] | None, typer.Argument(help="Pictures or folders, one crop per picture.")] = None,
    descriptors: Annotated[
        list[str] | None, typer.Option("--descriptors", "-d", help=f"{DESCRIPTORS}  [default: default]")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the matrices.")] = Path("runs/describe"),
    format: Annotated[str, typer.Option(help="npy or parquet.")] = "npy",
    cache: Cache = None,
    mask: Mask = None,
    train_autoencoder: Annotated[
        bool, typer.Option("--train-autoencoder", help="Train OUT/autoencoder/ on these pictures, describe by it.")
    ] = False,
    epochs: Annotated[int, typer.Option(help="At most so many, for the autoencoder.", min=1)] = 300,
    patience: Annotated[int, typer.Option(help="Epochs without progress before it stops.", min=1)] = 20,
    device: Device = "auto",
    batch: Annotated[int | None, typer.Option(help="Crops per pass.  [default: 32, 256 on a GPU]", min=1)] = None,
    workers: Annotated[int | None, typer.Option(help="Decoding threads.  [default: one per core]", min=1)] = None,
    threads: Annotated[int | None, typer.Option(help="Threads of the network on a CPU.  [default: all]", min=1)] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Describe pictures by vectors, each picture once per descriptor; a broken file is reported and left out."""
    from packed_scenes.data import InputError
    from packed_scenes.data.files import write_json
    from packed_scenes.data.folders import list_images
    from packed_scenes.data.naming import distinct
    from packed_scenes.provenance import command_line, machine, versions
    from packed_scenes.sources import safe_name

    wanted = list(descriptors or ([] if train_autoencoder else ["default"]))
    if format not in ("npy", "parquet"):
        raise InputError(f"unknown format {format!r}", remedy="Say npy or parquet.")
    paths = list_images(pictures or [])
    if not paths:
        raise InputError("no pictures given", remedy="Give a folder of crops.")
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    from packed_scenes.embed.descriptors import extract, save_matrix
    from packed_scenes.embed.masking import make_masker, sheet_of_files
    from packed_scenes.embed.registry import check_name

    for name in wanted:
        check_name(name)
    lock_output(out)
    masker = make_masker(mask, device=device)
    results: dict[str, Any] = {"pictures": len(paths), "descriptors": {}}
    if masker is not None:
        results["left_whole"] = sheet_of_files(paths, masker, out / "mask.png", seed=seed)
        echo(f"mask: {out / 'mask.png'}; {results['left_whole']:.0%} of its crops stay whole", error=True, quiet=json)
    if train_autoencoder:
        from packed_scenes.embed.autoencoder_training import AutoencoderRecipe
        from packed_scenes.embed.autoencoder_training import train_autoencoder as train

        recipe = AutoencoderRecipe(epochs=epochs, patience=patience, seed=seed)
        with Bar("autoencoder", quiet=json) as bar:

            def show(row: dict[str, Any]) -> None:
                bar.at(int(row["epoch"]) + 1, epochs, f"validation {row['val_loss']:.4f}, best {row['waited']:.0f} ago")

            weights = train(
                paths, out=out / "autoencoder", recipe=recipe, mask=masker, device=device, workers=workers,
                progress=bar.at, report=show,
            )  # fmt: skip
        wanted.append(str(weights))
    shorts = distinct([safe_name(Path(name.partition("=")[0]).stem) for name in wanted], taken=("run",))  # run.json
    for name, short in zip(wanted, shorts, strict=True):
        with Bar(short, quiet=json) as bar:
            found = extract(
                paths, name, cache=cache or out / "cache", device=device, batch=batch, workers=workers, mask=masker,
                progress=bar.at, seed=seed,
            )  # fmt: skip
        save_matrix(found, out / f"{short}.{format}", labels=[path.parent.name for path in found.paths])
        results["descriptors"][short] = found.card | {"file": str(out / f"{short}.{format}")}
        failed = f", {len(found.failed)} files failed" if found.failed else ""
        rows, columns = found.matrix.shape
        computed = f"{found.card['computed']} computed in {found.card['seconds']:.1f} s{failed}"
        echo(f"{short}: {rows} x {columns}, {computed} — {out / f'{short}.{format}'}", error=True, quiet=json)
    write_json(
        out / "run.json",
        results | {"command": command_line(), "versions": versions(), "machine": machine(), "seed": seed},
    )
    if json:
        print_json(results)
