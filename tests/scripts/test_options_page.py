"""The page of all options names those that the commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from scripts.documents.options import _rows


def test_options_are_called_as_they_are_typed() -> None:
    app = typer.Typer(add_completion=False)

    @app.command()
    def main(
        listed: Annotated[bool, typer.Option("--list", help="a")] = False,
        open_browser: Annotated[bool, typer.Option("--open/--no-open", help="b")] = True,
        per_round: Annotated[int, typer.Option(help="c")] = 1,
    ) -> None:
        """Nothing."""

    page = "".join(_rows(main))
    real = {name for param in typer.main.get_command(app).params for name in (*param.opts, *param.secondary_opts)}
    for name in real - {"--no-per-round"}:
        assert name in page, (name, page)
    assert "--listed" not in page
