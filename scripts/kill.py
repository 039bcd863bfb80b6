"""Kill whole commands at random moments, do them again, and compare with unbroken runs."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from packed_scenes.cli.console import application, print_json, run

app = application()

EPILOG = """
Examples:

`uv run scripts/kill.py` — every command, 20 kills each: half an hour of processor time, most of it the trainings

`uv run scripts/kill.py count --trials 100 --seed 1` — one command, other moments
"""


@app.command(epilog=EPILOG)
def main(
    names: Annotated[
        list[str] | None, typer.Argument(help="Commands, in quotes where of two words; none = all.")
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Kills of each command.")] = 20,
    seed: Annotated[int, typer.Option(help="Chooses the moments.")] = 0,
    keep: Annotated[Path | None, typer.Option(help="Folder for the work, kept.  [default: a temporary one]")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the outcomes as JSON.")] = False,
) -> None:
    """Kill each command and say what was left; exit code 1 if one did not end like an unbroken run."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the harness is beside the tests
    from tests.killed import COMMANDS, killed_at_random

    bad = False
    for name in names or COMMANDS:
        with TemporaryDirectory(prefix="killed-") as temporary:
            found = killed_at_random(name, (keep or Path(temporary)) / name.replace(" ", "-"), trials=trials, seed=seed)
        bad |= bool(found.failed)
        if json:
            print_json({"command": name, **asdict(found)})
            continue
        print(
            f"{name}: killed {found.killed} of {found.trials} times within {found.seconds:.1f} s of processor time, "
            f"{found.trials - len(found.failed)} ended like an unbroken run",
            flush=True,
        )
        for moment, what in found.failed:
            print(f"  killed after {moment:.2f} s: {what}")
    raise typer.Exit(1 if bad else 0)


if __name__ == "__main__":
    run(app)
