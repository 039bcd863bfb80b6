"""Shell completion of ``packed-scenes``: the subcommands as one group, each loaded only when it is completed."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from packed_scenes.cli.commands import COMMANDS, PROGRAM, application

VARIABLE = "_PACKED_SCENES_COMPLETE"  # set by the shell's script while it asks for completions


class Subcommands(TyperGroup):
    """A group that knows its subcommands by name and imports one only when it is used."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import one subcommand; None where there is none of this name."""
        return typer.main.get_command(application(cmd_name)) if cmd_name in COMMANDS else None


app = typer.Typer(cls=Subcommands, add_completion=True)


@app.callback()
def _program() -> None:
    """Find every object, group the same ones, draw where each group stands."""


def complete(*arguments: str) -> None:
    """Answer the shell, or print or install its completion script (``--show-completion``, ``--install-completion``)."""
    app(args=list(arguments), prog_name=PROGRAM, complete_var=VARIABLE)
