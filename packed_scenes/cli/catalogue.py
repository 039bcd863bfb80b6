"""Query a catalogue, correct it, export it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from packed_scenes.cli.console import application, echo, in_words, print_json
from packed_scenes.titles import counted

if TYPE_CHECKING:
    from packed_scenes.catalogue import Catalogue

app = application(
    no_args_is_help=True,
    epilog="""
Examples:

`packed-scenes analyze monday/ --catalogue shop` — make a catalogue, or add to it

`packed-scenes catalogue list shop` — everything that has been seen, most often first

`packed-scenes catalogue rename shop 12 "Omo 3 l green"` — an identity is its number or its name

`packed-scenes catalogue show shop "Omo 3 l green"` — where has it been seen?

`packed-scenes catalogue merge shop 12 31` and `undo shop` — any edit can be taken back

`packed-scenes catalogue gone shop --since 7d --scenes "aisle3*"` — what has gone since last week?

`packed-scenes catalogue export shop all.parquet` — or .json (COCO), or .csv
""",
)

Folder = Annotated[Path, typer.Argument(help="The catalogue's folder.", metavar="DIR")]
Identity = Annotated[str, typer.Argument(help="Number or name of an identity.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Limit = Annotated[int, typer.Option(help="Most lines printed; JSON is never cut.")]
Since = Annotated[str, typer.Option(help="2026-11-15, 2026-11-15T08:30, 12h, 7d or 2w.")]
Scenes = Annotated[str, typer.Option(help="Only scenes whose name matches, such as aisle3*.")]


@app.command("list")
def list_(folder: Folder, limit: Limit = 50, json: Json = False) -> None:
    """List the identities, most objects first."""
    _identities(_open(folder).identities(), limit, json)


@app.command()
def scenes(folder: Folder, limit: Limit = 50, json: Json = False) -> None:
    """List the scenes, newest first."""
    found = _open(folder).scenes()
    _print(
        [asdict(s) for s in found], ("scene", "taken", "objects", "identities", "source"),
        [(s.name, _when(s.taken), s.n_objects, s.n_identities, s.source or "") for s in found], limit, json,
    )  # fmt: skip


@app.command()
def show(folder: Folder, identity: Identity, limit: Limit = 50, json: Json = False) -> None:
    """Show where an identity has been seen, newest first. The first column names objects for move and split."""
    found = _open(folder).seen(identity)
    _print(
        [asdict(s) for s in found], ("object", "scene", "taken", "box", "score", "name"),
        [
            (s.object_id, s.scene, _when(s.taken), ",".join(f"{v:.0f}" for v in s.xyxy), f"{s.score:.2f}", s.name or "")
            for s in found
        ],
        limit, json,
    )  # fmt: skip


@app.command()
def share(folder: Folder, scenes: Scenes = "*", limit: Limit = 50, json: Json = False) -> None:
    """Print shares of the shelf, by count and by area."""
    found = _open(folder).share(scenes)
    _print(
        [asdict(s) for s in found], ("scene", "identity", "count", "by count", "by area"),
        [
            (s.scene, s.name or f"#{s.identity_id}", s.count, f"{s.share_count:.1%}", f"{s.share_area:.1%}")
            for s in found
        ],
        limit, json,
    )  # fmt: skip


@app.command()
def new(folder: Folder, since: Since = "7d", scenes: Scenes = "*", limit: Limit = 50, json: Json = False) -> None:
    """List the identities first seen since a moment."""
    _identities(_open(folder).new(since, scenes), limit, json)


@app.command()
def gone(folder: Folder, since: Since = "7d", scenes: Scenes = "*", limit: Limit = 50, json: Json = False) -> None:
    """List the identities seen before a moment and not since."""
    _identities(_open(folder).gone(since, scenes), limit, json)


@app.command()
def rename(
    folder: Folder, identity: Identity, name: Annotated[str, typer.Argument(help='The new name; "" takes it away.')]
) -> None:
    """Name an identity."""
    there = _open(folder)
    number = there.identity(identity).identity_id
    echo(f"edit {there.rename(number, name)}: #{number} is {name or 'without a name'} now")


@app.command()
def merge(
    folder: Folder,
    into: Identity,
    others: Annotated[list[str], typer.Argument(help="Identities that are the same thing.")],
) -> None:
    """Make several identities one: the first keeps its number and name."""
    there = _open(folder)
    heir, *gone = (there.identity(one).label for one in (into, *others))
    echo(f"edit {there.merge(into, *others)}: {', '.join(gone)} merged into {heir}")


@app.command()
def move(
    folder: Folder,
    objects: Annotated[list[int], typer.Argument(help="Numbers of objects, see show.")],
    to: Annotated[str | None, typer.Option(help="Identity that gets them.  [default: a new one]")] = None,
) -> None:
    """Give objects to another identity, or to a new one."""
    edit, target = _open(folder).move(objects, to)
    echo(f"edit {edit}: {counted(len(objects), 'object')} moved to #{target}")


@app.command()
def split(
    folder: Folder,
    identity: Identity,
    objects: Annotated[
        list[int] | None, typer.Argument(help="Objects that become a new identity; none = by --threshold.")
    ] = None,
    threshold: Annotated[
        float, typer.Option(help="Without objects: cosine distance at which the parts separate.")
    ] = 0.1,
) -> None:
    """Split an identity. Named objects become a new one, or all fall into parts by distance."""
    from packed_scenes.data.errors import InputError

    there = _open(folder)
    parts = [objects] if objects else there.parts(identity, threshold)[1:]
    if not parts:
        raise InputError(f"{identity} does not fall apart at {threshold}", remedy="Try a smaller --threshold.")
    edit, made = there.split(identity, parts)
    echo(f"edit {edit}: new from {there.identity(identity).label}: {', '.join(f'#{number}' for number in made)}")


@app.command()
def remove(folder: Folder, scenes: Annotated[list[str], typer.Argument(help="Names of scenes.")]) -> None:
    """Take scenes out of sight; undo brings them back."""
    echo(f"edit {_open(folder).remove(*scenes)}: {counted(len(scenes), 'scene')} removed")


@app.command()
def undo(
    folder: Folder, edit: Annotated[int | None, typer.Argument(help="Number of an edit.  [default: the latest]")] = None
) -> None:
    """Take back an edit; adding scenes is an edit, too."""
    done = _open(folder).undo(edit)
    echo(f"undone: edit {done.edit_id} ({done.kind} {_detail(done.detail)})")


@app.command()
def redo(folder: Folder) -> None:
    """Bring back what was undone last."""
    done = _open(folder).redo()
    echo(f"redone: edit {done.edit_id} ({done.kind} {_detail(done.detail)})")


@app.command()
def history(folder: Folder, limit: Limit = 50, json: Json = False) -> None:
    """List all edits, newest first."""
    found = _open(folder).history()
    _print(
        [asdict(e) for e in found], ("edit", "at", "kind", "what", ""),
        [(e.edit_id, _when(e.at), e.kind, _detail(e.detail), "undone" if e.undone else "") for e in found], limit, json,
    )  # fmt: skip


@app.command()
def export(
    folder: Folder,
    file: Annotated[Path, typer.Argument(help="Target: .json (COCO), .csv or .parquet (with the vectors).")],
    form: Annotated[
        str | None, typer.Option("--format", help="coco, csv or parquet.  [default: by the suffix]")
    ] = None,
) -> None:
    """Write all objects to a file for other tools."""
    echo(f"{_open(folder).export(file, form)} objects written to {file}")


def _open(folder: Path) -> Catalogue:
    from packed_scenes.catalogue import Catalogue

    return Catalogue(folder)


def _identities(found: Sequence[Any], limit: int, json: bool) -> None:
    _print(
        [asdict(i) for i in found], ("identity", "name", "objects", "scenes", "first seen", "last seen"),
        [
            (f"#{i.identity_id}", i.name or "", i.n_objects, i.n_scenes, _when(i.first_seen), _when(i.last_seen))
            for i in found
        ],
        limit, json,
    )  # fmt: skip


def _detail(detail: dict[str, Any]) -> str:
    return ", ".join(f"{key} {in_words(value)}" for key, value in detail.items() if value not in (None, [], [None]))


def _when(moment: str) -> str:
    return moment[:16].replace("T", " ")


def _print(
    records: list[dict[str, Any]], head: Sequence[str], rows: Sequence[Sequence[Any]], limit: int, json: bool
) -> None:
    """Print a table for people, or all records as JSON."""
    if json:
        print_json(records)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from packed_scenes.data.errors import one_line

    table = Table(*head, box=box.SIMPLE)
    for row in rows[:limit]:
        table.add_row(*(Text(one_line(str(cell))) for cell in row))  # Text: a name such as [red] is no markup
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print(table if rows else "nothing")
    if len(rows) > limit:
        console.print(f"… and {len(rows) - limit} more (--limit)")
