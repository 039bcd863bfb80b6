"""Train the judge of pairs: a bank of vectors of labelled crops and generated scenes, then simulated sets of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)


@app.command()
def main(
    bank: Annotated[Path, typer.Argument(help="Bank of vectors (.npz); built first, if absent, from --data.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder of real pictures: packed_products, grocery_store, …")
    ] = None,
    out: Annotated[Path, typer.Option(help="Weights to write (.safetensors).")] = Path("runs/decision.safetensors"),
    steps: Annotated[int, typer.Option(help="Simulated batches of sets.", min=1)] = 6000,
    rate: Annotated[float, typer.Option(help="Peak learning rate.", min=0)] = 3e-3,
    start: Annotated[Path | None, typer.Option(help="Weights to start from.")] = None,
    scenes: Annotated[int, typer.Option(help="Generated scenes of a new bank.", min=0)] = 160,
    imagenet: Annotated[
        str | None, typer.Option(help="One more descriptor of a new bank, NAME=FILE, such as mobilenet_v2=FILE.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
) -> None:
    """Train the judge of pairs; interrupted, the same command goes on from OUT.ckpt."""
    import torch
    from deciding.bank import Bank
    from deciding.banking import build
    from deciding.training import Recipe, train
    from safetensors.numpy import load_file, save_file

    from packed_scenes.data import InputError

    torch.set_num_threads(1)
    if not bank.is_file():
        if data is None:
            raise InputError("no such bank", file=bank, remedy="Give --data to build it.")
        build(data, bank, scenes=scenes, seed=seed, tell=typer.echo, imagenet=imagenet)
    out.parent.mkdir(parents=True, exist_ok=True)

    def tell(step: int, loss: float, f: float, seconds: float) -> None:
        if step % 100 == 0:
            typer.echo(f"{step} of {steps}: loss {loss:.3f}, BCubed F {f:.3f}, {seconds:.0f} s")

    weights = train(
        Bank.load(bank),
        Recipe(steps=steps, rate=rate, seed=seed),
        out.with_suffix(".ckpt"),
        start=None if start is None else load_file(start),
        tell=tell,
    )
    save_file(weights, out)
    typer.echo(f"weights: {out}")


if __name__ == "__main__":
    app()
