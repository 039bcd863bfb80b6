"""Errors of the library in the words of a command: what is a parameter there is an option here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from packed_scenes.data.errors import InputError

if TYPE_CHECKING:
    import typer


def in_options(error: InputError, app: typer.Typer, arguments: Sequence[str]) -> str:
    """Return the line of an error with the command's options instead of parameters.

    Parameters of several words are found anywhere (``image_size``), others only as what the line is about
    (``reach must be …``). The error of a file is left as it is: its names are those of the file's columns and keys.

    Args:
        error: what the library said.
        app: the command.
        arguments: of the command line, which name the subcommand if there are several.
    """
    text = str(error)
    if error.file is not None:
        return text
    from typer.main import get_command

    command = get_command(app)
    subcommands = getattr(command, "commands", {})
    options = {
        str(parameter.name): max(parameter.opts, key=len)
        for one in (command, *(subcommands[name] for name in arguments if name in subcommands))
        for parameter in one.params
        if parameter.param_type_name == "option"
    }
    names = "|".join(options)
    long = "|".join(name for name in options if "_" in name) or "(?!)"
    text = re.sub(rf"^({names})(?= (?:must|is|are|and)\b)", lambda found: options[found[1]], text)
    return re.sub(rf"(?<![\w-])({long})(?!\w)", lambda found: options[found[1]], text)
