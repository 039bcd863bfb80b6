"""Train the network that decides which pairs are the same thing."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from packed_scenes.cli.console import Bar, application, echo, print_json
from packed_scenes.cli.options import Json, Seed

app = application()

EPILOG = """
Examples:

`packed-scenes train-decision bank.npz --real ../shared/data` — build the bank of vectors, then train on sets drawn
from it; interrupted, the same command goes on

`packed-scenes train-decision bank.npz --start assets/decision.safetensors --lr 0.001` — go on from what ships
"""


@app.command(epilog=EPILOG)
def main(
    bank: Annotated[Path, typer.Argument(help="Bank of vectors (.npz); built first, if absent, from --real.")],
    real: Annotated[
        Path | None, typer.Option(help="Folder of real pictures: packed_products, grocery_store, …")
    ] = None,
    out: Annotated[Path, typer.Option(help="Weights to write (.safetensors).")] = Path("runs/decision.safetensors"),
    steps: Annotated[int, typer.Option(help="Simulated batches of sets.", min=1)] = 6000,
    lr: Annotated[float, typer.Option(help="Peak learning rate.", min=0)] = 3e-3,
    start: Annotated[Path | None, typer.Option(help="Weights to start from (.safetensors).")] = None,
    scenes: Annotated[int, typer.Option(help="Generated scenes of a new bank.", min=0)] = 160,
    imagenet: Annotated[
        str | None, typer.Option(help="One more descriptor of a new bank, NAME=FILE, such as mobilenet_v2=FILE.")
    ] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Train the network that judges pairs; interrupted, the same command goes on from the checkpoint beside --out."""
    import torch
    from safetensors.numpy import save_file

    from packed_scenes.data import InputError
    from packed_scenes.data.files import atomic_write
    from packed_scenes.data.tensors import read_tensors
    from packed_scenes.decision_training.bank import Bank
    from packed_scenes.decision_training.banking import build
    from packed_scenes.decision_training.limits import SETS, fit_limits
    from packed_scenes.decision_training.training import Recipe, train

    torch.set_num_threads(1)

    report = partial(echo, error=True, quiet=json)

    if not bank.is_file():
        if real is None:
            raise InputError("no such bank", file=bank, remedy="Give --real to build it.")
        if not real.is_dir():
            raise InputError("no such folder", file=real, remedy="Check the path.")
        build(real, bank, scenes=scenes, seed=seed, report=report, imagenet=imagenet)
    held_out = Bank.load(bank, held_out=True)
    if not held_out.pools:
        raise InputError("too few identities: none is kept out", file=bank, remedy="Build it from more pictures.")
    figures: dict[str, float] = {}
    with Bar("steps", quiet=json) as bar:

        def show(step: int, loss: float, f: float, _seconds: float) -> None:
            bar.at(step, steps, f"loss {loss:.3f}, BCubed F {f:.3f}")
            figures.update(loss=loss, bcubed_f=f)

        weights = train(
            Bank.load(bank), Recipe(steps=steps, lr=lr, seed=seed), out.with_suffix(".ckpt"),
            start=None if start is None else read_tensors(start), report=show,
        )  # fmt: skip
    with Bar("sets counted", quiet=json) as bar:
        limits = fit_limits(held_out, weights, seed=seed, report=lambda done: bar.at(done, SETS))
    with atomic_write(out) as temporary:
        save_file(weights | limits, temporary)
    if json:
        print_json({"out": str(out), **figures})
    else:
        echo(f"weights: {out}")
