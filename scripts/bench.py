"""Measure accuracy and speed, ours beside the peers a user would pick, in one run on the same inputs."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from packed_scenes.cli.console import application, print_json, run
from packed_scenes.cli.options import EmbedderName, Json

app = application()
ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "bench"
DATA = ROOT.parent / "shared" / "data"

EPILOG = """
Stages of `all`: scene, reference, startup, detect, identify, cluster, search, scaling. More: cluster-quality,
cluster-large, cluster-curve, cluster-real, decision, memory, study (`--list` says what each does).

Examples:

`uv run scripts/bench.py` — all, into docs/bench: eight minutes on two idle cores

`uv run scripts/bench.py scene reference --turns 11` — these two; the other stages keep what an earlier run found

`uv run scripts/bench.py cluster --rows 25000` — the libraries at another size

`uv run scripts/bench.py identify --descriptor-weights resnet50=resnet50.pth` — with weights of your own beside ours
"""


@app.command(epilog=EPILOG)
def main(
    stages: Annotated[list[str] | None, typer.Argument(help="Stages; none or `all` = the usual ones.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for bench.json, README.md and the plots.  [default: docs/bench]")
    ] = None,
    real: Annotated[
        Path | None,
        typer.Option(help="Folder of real pictures; generated ones where it is absent.  [default: ../shared/data]"),
    ] = None,
    turns: Annotated[int, typer.Option(help="Measured turns of each job.", min=1)] = 7,
    rows: Annotated[
        int | None, typer.Option(help="Number of vectors of the cluster and search stages.", min=64)
    ] = None,
    seeds: Annotated[int, typer.Option(help="Simulated scenes per size.", min=1)] = 20,
    embedder: EmbedderName = "default",
    descriptor_weights: Annotated[
        list[str] | None, typer.Option(help="NAME=FILE of a peer's ImageNet weights for `identify`; repeat for more.")
    ] = None,
    bank: Annotated[
        Path | None, typer.Option(help="Bank of train-decision: `decision` beside a regressed cut.")
    ] = None,
    tiny: Annotated[bool, typer.Option("--tiny", help="Smallest sizes, to see that it works.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Say what the stages do, and stop.")] = False,
    json: Json = False,
) -> None:
    """Measure accuracy and speed, ours beside the peers a user would pick, in one run on the same inputs."""
    from benchmarks.inputs import Work
    from benchmarks.plots import draw_stage
    from benchmarks.record import read_record, stage_record, write_record
    from benchmarks.registry import STAGES

    if listed:
        for name, stage in STAGES.items():
            print(f"{name:16} {stage.about}{'' if stage.by_default else ' (not in `all`)'}")
        return
    out, real = out or OUT, real or DATA
    chosen = _chosen(stages or ["all"])
    found = read_record(out)
    made = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        work = Work(
            real if real.is_dir() else None, Path(scratch), turns=1 if tiny else turns, tiny=tiny, rows=rows,
            seeds=seeds, embedder=embedder, descriptors=tuple(descriptor_weights or ()), bank=bank,
        )  # fmt: skip
        for name in chosen:
            print(f"{name} …", file=sys.stderr, flush=True)
            start = time.perf_counter()
            result = STAGES[name](work)
            options = _options(tiny=tiny, turns=turns, rows=rows, seeds=seeds, embedder=embedder)
            if name == "identify":  # by name: where a user keeps a file is nobody's business
                options += "".join(f" --descriptor-weights {text.split('=')[0]}=FILE" for text in work.descriptors)
            record = stage_record(
                result, command=f"uv run scripts/bench.py {name}{options}", seconds=time.perf_counter() - start
            )
            found[name] = made[name] = record
            write_record(out, {key: found[key] for key in STAGES if key in found})
            draw_stage(out, name, record)
            if not json:
                _show(result)
    if json:
        print_json({"out": str(out), "stages": made})
    else:
        print(f"\nwrote {out / 'README.md'} and bench.json; load {os.getloadavg()[0]:.1f}")


def _chosen(wanted: list[str]) -> list[str]:
    """The names of the stages to run, each once."""
    from benchmarks.registry import STAGES

    from packed_scenes.data.errors import InputError

    unknown = [name for name in wanted if name not in STAGES and name != "all"]
    if unknown:
        raise InputError(f"no stage named {unknown[0]!r}", remedy=f"There are: all, {', '.join(STAGES)}.")
    usual = [name for name, stage in STAGES.items() if stage.by_default]
    return list(dict.fromkeys(part for name in wanted for part in (usual if name == "all" else [name])))


def _show(result: Any) -> None:
    """Print a stage's tables, and what it left out."""
    from benchmarks.record import markdown

    for table in result.tables:
        print("\n".join(["", table.title, *markdown(table.rows), *([table.note] if table.note else [])]))
    for text in result.skipped:
        print(f"skipped: {text}")


def _options(**given: object) -> str:
    usual = {"tiny": False, "turns": 7, "rows": None, "seeds": 20, "embedder": "default"}
    return "".join(
        f" --{name}" if value is True else f" --{name} {value}" for name, value in given.items() if value != usual[name]
    )


if __name__ == "__main__":
    run(app)
