"""Every command's options as one Markdown page, read from the commands themselves."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from types import NoneType
from typing import Any

import typer
from typer.models import ArgumentInfo, OptionInfo

from packed_scenes.cli.commands import COMMANDS, application

SCRIPTS = Path(__file__).resolve().parents[1]
HEAD = """# Every command and its options

Made from the commands by `uv run scripts/document.py options`; a test holds it to them. Every command takes `--help`,
answers bad input with one line and exit code 2, and Ctrl-C with exit code 130.
"""


def options_page() -> str:
    """Return the page: one section per subcommand, then one per script of contributors, by name."""
    commands = [(f"packed-scenes {name}", application(name)) for name in sorted(COMMANDS)]
    scripts = [(f"scripts/{path.name}", getattr(_module(path), "app", None)) for path in sorted(SCRIPTS.glob("*.py"))]
    sections = (_section(title, app) for title, app in commands + scripts if app is not None)
    return "\n".join([HEAD, *(line for section in sections for line in section)])


def _section(title: str, app: typer.Typer) -> Iterator[str]:
    several = len(app.registered_commands) > 1
    yield f"## {title}\n"
    for command in app.registered_commands:
        if several:
            yield f"### {title} {command.name or command.callback.__name__.replace('_', '-')}\n"
        yield _line(command.help or inspect.getdoc(command.callback) or "") + "\n"
        rows = list(_rows(command.callback))
        if rows:
            yield "\n".join(["| option | default | meaning |", "|---|---|---|", *rows, ""])
        told = [_line(part) for part in (command.epilog or "").split("\n\n")]
        examples = [part for part in told if part.startswith("`")]
        if examples:
            yield "\n".join(["Examples:", "", *(f"- {line}" for line in examples), ""])


def _module(path: Path) -> Any:
    """Load a command's file without running it."""
    name = f"documented_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # the annotations are looked up there
    spec.loader.exec_module(module)
    return module


def _rows(callback: Callable[..., Any]) -> Iterator[str]:
    """One table row per argument and option of a command."""
    hints = typing.get_type_hints(callback, include_extras=True)
    for parameter in inspect.signature(callback).parameters.values():
        hint = hints[parameter.name]
        told = hasattr(hint, "__metadata__")  # an option without help shows as a row without meaning; a test finds it
        kind, info = typing.get_args(hint)[:2] if told else (hint, OptionInfo())
        if info.hidden:
            continue
        meaning = _line(info.help or "")
        required = parameter.default is parameter.empty
        default = "required" if required else "" if parameter.default is None else _value(parameter.default)
        if "[default:" in meaning:  # a default that is chosen at run time is told in the help
            meaning, _, chosen = meaning.rpartition("[default:")
            default = chosen.strip(" ]")
        long = f"--{parameter.name.replace('_', '-')}"
        # Within Annotated typer keeps the first name as the default.
        decided = [info.default, *(info.param_decls or ())]
        names = [name for name in decided if isinstance(name, str) and name.startswith("-")] or [long]
        shown = f"`{parameter.name.upper()}`" if isinstance(info, ArgumentInfo) else f"`{'`, `'.join(names)}`"
        wanted = info.metavar or _kind(kind)
        yield f"| {shown}{f' {wanted}' if wanted else ''} | {default} | {meaning.strip().replace('|', '&#124;')} |"


def _kind(kind: Any) -> str:
    """Name what an option takes: `Path | None` is a path, `list[str] | None` texts; a switch takes nothing."""
    parts = [part for part in typing.get_args(kind) if part is not NoneType]
    if typing.get_origin(kind) is list:
        return f"{_kind(parts[0])} …"
    if parts:
        return _kind(parts[0])
    return {bool: "", str: "text", int: "number", float: "number", Path: "path"}.get(kind, kind.__name__)


def _value(default: Any) -> str:
    if isinstance(default, bool):
        return "" if not default else "yes"
    return str(getattr(default, "value", default))


def _line(text: str) -> str:
    return " ".join(text.split())
