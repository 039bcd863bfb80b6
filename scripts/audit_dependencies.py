"""Ask pip-audit whether an installed package has a known weakness."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from packed_scenes.cli.console import application, run

app = application()

EPILOG = """
Examples:

`uv run --with pip-audit scripts/audit_dependencies.py` — all installed packages, by the advisories of the package index

`uv run --with pip-audit scripts/audit_dependencies.py --service osv --json` — by the OSV database, for machines

It needs the network. Exit code 0: nothing is known; 1: something is; 2: it could not be asked.
"""


@app.command(epilog=EPILOG)
def main(
    service: Annotated[str, typer.Option(help="Whose advisories: pypi or osv.")] = "pypi",
    ignore: Annotated[list[str] | None, typer.Option(help="Advisory to pass over, by its id; repeat for more.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print pip-audit's JSON.")] = False,
) -> None:
    """Ask pip-audit whether an installed package has a known weakness; nothing is changed."""
    from packed_scenes.auditing import audit

    raise SystemExit(
        audit(service=service, ignore=ignore or [], json=json, say=lambda line: print(line, file=sys.stderr))
    )


if __name__ == "__main__":
    run(app)
