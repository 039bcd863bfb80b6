"""Train an embedder on a folder of class folders, or audit the folder's labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from packed_scenes.cli.console import Bar, application, echo, lock_output, print_json
from packed_scenes.cli.options import Json, Seed, Threads

if TYPE_CHECKING:
    from packed_scenes.embed.folders import CropFolder

app = application()

EPILOG = """
Examples:

`packed-scenes train-embedder crops/ --preset reference --out runs/reference` — the method's reference network

`packed-scenes train-embedder crops/ --audit --out runs/audit` — what is wrong with the labels, with pictures

`packed-scenes train-embedder crops/ --audit --apply --preset reference` — repair first, then train on what stays

`packed-scenes train-embedder crops/ --preset default --steps 6000 --shards 16` — the default network, mostly on
drawn goods; interrupted, the same command goes on

`packed-scenes train-embedder packed_products/train --repairs assets/embedder-repairs.json --preset default
--grocery grocery_store --vehicles vehicle_reid --shards 17 --steps 3500` — the recipe of the weights that ship

`packed-scenes train-embedder people_intel --preset person --start mobilenet_v2-b0353104.pth --backgrounds photos/`
— the person network, on drawn people, a few real ones and backgrounds from photos
"""


@app.command(epilog=EPILOG)
def main(
    folder: Annotated[Path | None, typer.Argument(help="Folder whose subfolders are classes of crops.")] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="reference, baseline, alexnet-last1, alexnet-last2, default, person.  "
            "[default: reference; none if auditing]"
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where everything is written.")] = Path("runs/embedder"),
    audit: Annotated[bool, typer.Option(help="Audit the labels: audit.html, audit.json, clean.csv.")] = False,
    apply: Annotated[bool, typer.Option(help="With --audit: train on what the audit leaves.")] = False,
    repairs: Annotated[
        Path | None, typer.Option(help="Merge and drop classes by the repairs.json of an earlier audit.")
    ] = None,
    embedder: Annotated[str, typer.Option(help="Embedder of the audit: a name or a .safetensors file.")] = "default",
    epochs: Annotated[int, typer.Option(help="Epochs of a preset on one folder.", min=1)] = 20,
    steps: Annotated[
        int | None,
        typer.Option(help="Steps of the default and person presets.  [default: 6000 for default, 0 for person]", min=0),
    ] = None,
    shards: Annotated[int, typer.Option(help="Shards of 250 drawn families for the default preset.", min=0)] = 16,
    first_shard: Annotated[
        int, typer.Option(help="Number of the first shard; other numbers are other families.", min=0)
    ] = 0,
    start: Annotated[
        Path | None,
        typer.Option(
            help="Weights to start from: of an earlier training of the default or person preset (.safetensors), or for "
            "person torchvision's mobilenet_v2 (.pth)."
        ),
    ] = None,
    lr: Annotated[
        float | None, typer.Option(help="Peak learning rate.  [default: .003 for default, .001 for person]", min=0)
    ] = None,
    backgrounds: Annotated[
        Path | None, typer.Option(help="Folder of photos to stand behind drawn people, for the person preset.")
    ] = None,
    grocery: Annotated[Path | None, typer.Option(help="GroceryStore data set, for the default preset.")] = None,
    vehicles: Annotated[Path | None, typer.Option(help="Vehicle data set, for the default preset.")] = None,
    work: Annotated[
        Path | None, typer.Option(help="Stores and checkpoint of the default preset.  [default: OUT/work]")
    ] = None,
    threads: Threads = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Train an embedder: weights with their card, history, curves, confusion matrix, map and feature maps."""
    chosen = _chosen(preset, folder, audit=audit, apply=apply)
    lock_output(out)
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    if chosen == "person":
        card = _train_person(
            folder, out=out, repairs=repairs, backgrounds=backgrounds, start=start, work=work or out / "work",
            steps=steps or 0, lr=lr, seed=seed, quiet=json,
        )  # fmt: skip
        if json:
            print_json({"calibration": card["calibration"]})
        return
    crops = None if folder is None else _read_crops(folder, out, repairs)
    result: dict[str, Any] = {}
    if audit:
        assert crops is not None
        crops, result["audit"] = _audit(crops, out, embedder=embedder, apply=apply, seed=seed, quiet=json)
    if chosen == "default":
        if steps == 0:
            from packed_scenes.data import InputError

            raise InputError("--steps 0 trains nothing", remedy="Give --steps 1 or more.")
        result["calibration"] = _train_default(
            crops, out=out, work=work or out / "work", grocery=grocery, vehicles=vehicles, shards=shards,
            first_shard=first_shard, start=start, steps=6000 if steps is None else steps, lr=lr, seed=seed, quiet=json,
        )  # fmt: skip
    elif chosen is not None:
        from packed_scenes.embed.presets import train_preset

        assert crops is not None
        with Bar("train", quiet=json) as bar:
            bar.at(0, epochs)

            def show(row: dict[str, Any]) -> None:
                if "epoch" in row:
                    bar.at(int(row["epoch"]) + 1, epochs, f"validation {row['val_accuracy']:.3f}")

            result["metrics"] = train_preset(crops, chosen, out=out, epochs=epochs, seed=seed, report=show)
        echo(f"validation accuracy {result['metrics']['val_accuracy']:.4f} — see {out}", error=True, quiet=json)
    if json:
        print_json(result)


def _chosen(preset: str | None, folder: Path | None, *, audit: bool, apply: bool) -> str | None:
    """The preset to train, None = only audit.

    Raises:
        InputError: if the options do not go together.
    """
    from packed_scenes.data import InputError

    if apply and not audit:
        raise InputError("--apply needs --audit", remedy="Give both.")
    if folder is None and preset not in ("default", "person"):
        raise InputError("no folder given", remedy="Give a folder whose subfolders are classes.")
    chosen = preset or (None if audit and not apply else "reference")
    known = ("reference", "baseline", "alexnet-last1", "alexnet-last2", "default", "person")
    if chosen is not None and chosen not in known:
        raise InputError(f"unknown preset {chosen!r}", remedy=f"Known: {', '.join(known)}.")
    return chosen


def _read_crops(folder: Path, out: Path, repairs: Path | None) -> CropFolder:
    """The readable crops of a folder, repaired; what cannot be read is listed in ``errors.csv``."""
    from packed_scenes.cli.console import print_problems
    from packed_scenes.data.files import write_csv
    from packed_scenes.embed.folders import read_folder
    from packed_scenes.embed.sources import repaired

    crops, errors = read_folder(folder).readable()
    print_problems([], errors)
    if errors:
        write_csv(out / "errors.csv", [("file", "reason"), *errors])
    return crops if repairs is None else repaired(crops, repairs)


def _audit(
    crops: CropFolder, out: Path, *, embedder: str, apply: bool, seed: int, quiet: bool
) -> tuple[CropFolder, dict[str, int]]:
    """Audit labels and write the report; the crops to train on, and the number of findings of each kind."""
    from packed_scenes.embed.audit import summary
    from packed_scenes.embed.audit_report import apply_audit, audit_folder, write_report
    from packed_scenes.embed.embedder import Embedder

    with Bar("audit", quiet=quiet) as bar:
        found = audit_folder(crops, Embedder.load(embedder), progress=bar.at, seed=seed)
    page = write_report(crops, found, out)
    counts = summary(found, crops.classes)["counts"]
    found_kinds = ", ".join(f"{number} {kind}" for kind, number in counts.items())
    echo(f"audit: {found_kinds} — see {page}", error=True, quiet=quiet)
    return apply_audit(crops, found) if apply else crops, counts


def _train_default(
    crops: CropFolder | None,
    *,
    out: Path,
    work: Path,
    grocery: Path | None,
    vehicles: Path | None,
    shards: int,
    first_shard: int,
    start: Path | None,
    steps: int,
    lr: float | None,
    seed: int,
    quiet: bool,
) -> dict[str, Any]:
    """Train the default network, and give its calibration."""
    from packed_scenes.data.files import sha256_file
    from packed_scenes.embed.default_training import JOIN, prepare, train_default
    from packed_scenes.embed.metric_training import Recipe
    from packed_scenes.embed.sources import read_grocery, read_vehicles

    with Bar("goods", quiet=quiet) as bar:
        bar.at(0, shards)
        sources = prepare(
            work,
            packed=crops,
            grocery=None if grocery is None else read_grocery(grocery),
            vehicles=None if vehicles is None else read_vehicles(vehicles),
            shards=shards,
            first_shard=first_shard,
            join=0 if start is not None else round(JOIN * steps),
            report=lambda row: bar.at(row["shard"], row["shards"]),
        )
    data = {
        "folder": None if crops is None else {"crops": len(crops), "classes": len(crops.classes)},
        "grocery": grocery is not None,
        "vehicles": vehicles is not None,
        "families": shards * 250,
        "first_shard": first_shard,
        "started_from": None if start is None else sha256_file(start),
    }
    with Bar("train", quiet=quiet) as bar:
        bar.at(0, steps)
        card = train_default(
            sources, work=work, out=out / "embedder.safetensors", data=data, start=start,
            recipe=Recipe(steps=steps, lr=lr or 3e-3, seed=seed),
            report=lambda row: bar.at(row["step"], steps, f"loss {row['loss']:.2f}"),
        )  # fmt: skip
    calibration: dict[str, Any] = card["calibration"]
    return calibration


def _train_person(
    folder: Path | None,
    *,
    out: Path,
    repairs: Path | None,
    backgrounds: Path | None,
    start: Path | None,
    work: Path,
    steps: int,
    lr: float | None,
    seed: int,
    quiet: bool,
) -> dict[str, Any]:
    from packed_scenes.data.files import sha256_file
    from packed_scenes.embed.person_sources import real_people
    from packed_scenes.embed.person_training import PersonRecipe, make_person
    from packed_scenes.embed.sources import read_repairs

    dropped = () if repairs is None else read_repairs(repairs)[1]
    real = real_people(folder, backgrounds, dropped=dropped)
    recipe = PersonRecipe(steps=steps, lr=lr or 1e-3, seed=seed)
    data = {
        "drawn": f"{recipe.solved_people} people of data.synth.people, {recipe.solved_views} crops each",
        "real_people": len(real.crops),
        "backgrounds": len(real.pictures),
        "started_from": None if start is None else {"file": start.name, "sha256": sha256_file(start)},
    }
    with Bar("train", quiet=quiet) as bar:

        def report(row: dict[str, Any]) -> None:
            if "people" in row:
                bar.at(row["people"], recipe.solved_people, label="people drawn")
            else:
                bar.at(row["step"], steps, f"loss {row['loss']:.2f}")

        return make_person(
            work=work, out=out / "embedder.safetensors", start=start, real=real, data=data, recipe=recipe, report=report
        )  # fmt: skip
