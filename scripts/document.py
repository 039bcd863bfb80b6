"""Make what the pages of docs/ take from the code: the list of all options, and the pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from packed_scenes.cli.console import application, run

app = application(no_args_is_help=True)
DOCS = Path(__file__).resolve().parents[1] / "docs"

OPTIONS_EPILOG = """
Examples:

`uv run scripts/document.py options` — after an option was added or changed
"""
PICTURES_EPILOG = """
Examples:

`uv run scripts/document.py pictures` — after the weights or the drawing changed

`uv run scripts/document.py pictures threshold noise` — these alone
"""


@app.command(epilog=OPTIONS_EPILOG)
def options() -> None:
    """Write docs/commands.md from the commands themselves."""
    from documents.options import options_page

    from packed_scenes.data.files import write_text

    write_text(DOCS / "commands.md", options_page())
    print(f"wrote {DOCS / 'commands.md'}")


@app.command(epilog=PICTURES_EPILOG)
def pictures(
    names: Annotated[list[str] | None, typer.Argument(help="Pictures to make; none = all.")] = None,
    out: Annotated[Path, typer.Option(help="Folder to write to.  [default: docs/pictures]")] = DOCS / "pictures",
) -> None:
    """Draw the pictures of README and docs/ again, with the weights that ship, from generated and free scenes."""
    from documents.pictures import PICTURES

    from packed_scenes.data.errors import InputError

    wanted = names or list(PICTURES)
    unknown = [name for name in wanted if name not in PICTURES]
    if unknown:
        raise InputError(f"no picture named {unknown[0]!r}", remedy=f"There are: {', '.join(PICTURES)}.")
    for name in wanted:
        print(f"wrote {PICTURES[name](out)}")


if __name__ == "__main__":
    run(app)
