"""The ``packed-scenes`` program: its overview, and running one subcommand without loading the others."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from packed_scenes.cli.commands import COMMANDS, GROUPS, PROGRAM, application
from packed_scenes.cli.earlier import today


def overview() -> str:
    """Return the help of the program: every subcommand, by group."""
    width = max(map(len, COMMANDS)) + 2
    lines = [
        f"Usage: {PROGRAM} COMMAND [OPTIONS]",
        "",
        "Find every object in a photo full of look-alikes, group the same ones, and draw where each group stands.",
    ]
    for title, commands in GROUPS.items():
        lines += ["", f"{title}:"] + [f"  {name:{width}}{text}" for name, text in commands.items()]
    lines += [
        "",
        f"{PROGRAM} COMMAND --help explains one, with examples.  --version prints the version.",
        f"Shell completion: {PROGRAM} --install-completion, or --show-completion.",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``packed-scenes``.

    Args:
        arguments: the subcommand and its arguments; None = those of the process.

    Raises:
        SystemExit: with the exit code: 0 done, 2 bad input or usage, 130 interrupted.
    """
    given = today(list(sys.argv[1:] if arguments is None else arguments))
    first = given[0] if given else "--help"
    if "_PACKED_SCENES_COMPLETE" in os.environ or first in ("--install-completion", "--show-completion"):
        from packed_scenes.cli.completion import complete

        complete(*given)
        return
    if first in ("--help", "-h", "help"):
        print(overview())
        return
    if first == "--version":
        from packed_scenes.provenance import package_version

        print(package_version())
        return
    if first not in COMMANDS:
        from difflib import get_close_matches

        near = get_close_matches(first, COMMANDS, 1)
        hint = f"Did you mean {near[0]}?" if near else f"{PROGRAM} --help lists them."
        print(f"error: there is no command {first!r}. {hint}", file=sys.stderr)
        raise SystemExit(2)
    from packed_scenes.cli.console import run

    run(application(first), given[1:], name=f"{PROGRAM} {first}")
