"""Fuzz the readers of all that comes from outside with generated files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from packed_scenes.cli.console import Bar, application, print_json, run

app = application()

EPILOG = """
Examples:

`uv run scripts/fuzz.py` — 100,000 files, about eight minutes

`uv run scripts/fuzz.py --group stores --count 5000 --memory-limit 8192` — networks, videos, catalogues, matrices

`uv run scripts/fuzz.py --seed 1 --only 4711` — one file of another seed, with the traceback of a finding
"""


@app.command(epilog=EPILOG)
def main(
    count: Annotated[int, typer.Option(min=1, help="Number of generated files.")] = 100_000,
    seed: Annotated[int, typer.Option(help="Chooses the files.")] = 0,
    time_limit: Annotated[float, typer.Option(help="CPU seconds that one file may take.")] = 1.0,
    memory_limit: Annotated[int, typer.Option(help="Address space of the reading process in MB.")] = 3072,
    group: Annotated[str, typer.Option(help="files: pictures, labels, archives; stores: everything else.")] = "files",
    only: Annotated[int | None, typer.Option(help="Run this one file alone.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Feed generated and broken files to every reader; exit code 1 if one is neither read nor refused."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the harness is beside the tests
    from tests.fuzz.fuzzing import fuzz, run_one

    if only is not None:
        print(run_one(seed, only, group=group))
        return
    with Bar("files", quiet=json) as bar:
        report = fuzz(
            count,
            seed=seed,
            group=group,
            time_limit=time_limit,
            memory_limit=memory_limit << 20,
            progress=lambda done: bar.at(done, count),
        )
    if json:
        print_json(report.to_json())
    else:
        print(
            f"{report.cases} files: {report.read.total()} read, {report.refused.total()} refused with a clear line, "
            f"{len(report.findings)} findings; slowest {report.slowest:.3f} s (case {report.slowest_index}), "
            f"peak {report.peak_mb:.0f} MB"
        )
        for finding in report.findings:
            print(f"case {finding.index} ({finding.reader}): {finding.what}")
    raise typer.Exit(1 if report.findings else 0)


if __name__ == "__main__":
    run(app)
