"""What every command line shares: one clear line on bad input, a progress bar with the time left."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from packed_scenes.data.errors import InputError, one_line
from packed_scenes.data.hidden import json_text

if TYPE_CHECKING:
    import typer
    from rich.progress import Progress, TaskID

Item = TypeVar("Item")

_held = ExitStack()  # the output folder of the command that runs

BAD_INPUT = 2
INTERRUPTED = 130
TERMINATED = 143
MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.EROFS, errno.ENOMEM}
GOES_ON = "interrupted: what was finished is kept; the same command goes on (analyze: with --skip-existing)"


def application(**options: Any) -> typer.Typer:
    """Make a command's typer application: plain help, no shell completion, tracebacks as Python prints them.

    Help drawn with rich would take half a second.

    Args:
        options: what else ``typer.Typer`` takes.
    """
    import typer

    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, **options)


@contextmanager
def clear_errors(say: Callable[[InputError], str] = str) -> Iterator[None]:
    """Turn bad input into one line on standard error and exit code 2, and an interrupt into exit code 130.

    Args:
        say: gives the line of an error.
    """
    try:
        yield
    except InputError as error:
        echo(f"error: {say(error)}", error=True)
        raise SystemExit(BAD_INPUT) from error
    except ModuleNotFoundError as error:  # a library; one of our own modules is a fault and keeps its traceback
        from packed_scenes.data.extras import EXTRAS, remedy

        library = (error.name or "").partition(".")[0]
        if library not in {*EXTRAS, "openvino"}:
            raise
        print(f"error: this needs {library}, which is not installed. {remedy(library)}", file=sys.stderr)
        raise SystemExit(BAD_INPUT) from error
    except KeyboardInterrupt:
        print(GOES_ON, file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    except OSError as error:  # what the system refuses where nobody foresaw it; without a file it is a fault of ours
        if error.filename is None and error.errno not in MACHINE:
            raise
        what = f"{error.filename}: {error.strerror}" if error.filename is not None else str(error.strerror)
        echo(f"error: {what}. Check the path, its permissions and the disk.", error=True)
        raise SystemExit(BAD_INPUT) from error
    except UnicodeEncodeError as error:  # a library wants UTF-8, and this name came undecoded
        if not any("\udc80" <= letter <= "\udcff" for letter in error.object):
            raise
        print("error: a name has characters that this locale lacks. Set LC_ALL=C.UTF-8.", file=sys.stderr)
        raise SystemExit(BAD_INPUT) from error
    except MemoryError as error:
        echo("error: there is not enough memory. Take smaller files, or fewer at once.", error=True)
        raise SystemExit(BAD_INPUT) from error


def run(app: typer.Typer, arguments: Sequence[str] | None = None, *, name: str | None = None) -> None:
    """Run a typer application under :func:`clear_errors`; unforeseen errors keep their traceback.

    Args:
        app: the application.
        arguments: its arguments; None = those of the process.
        name: what its help calls it; None = the program's file name.
    """
    from packed_scenes.cli.parameters import in_options

    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what the terminal's encoding lacks is escaped and ends nothing
            stream.reconfigure(errors="backslashreplace")
    with clear_errors(lambda error: in_options(error, app, given)), _held, _ending() as ended:
        if "" in given:  # "" as a path is the present folder
            raise InputError("an argument is empty text", remedy="A variable of the shell may not be set.")
        import typer

        usage: Any = typer.BadParameter.__base__  # UsageError of the click that typer carries; it is not exported
        try:
            code = app(args=None if arguments is None else list(arguments), prog_name=name, standalone_mode=False)
        except usage as error:
            raise _misused(error) from error
        except typer.Abort:
            code = INTERRUPTED
        if code == INTERRUPTED:  # typer catches the interrupt and says nothing
            print(GOES_ON, file=sys.stderr)
            code = TERMINATED if ended else INTERRUPTED
        raise SystemExit(code if isinstance(code, int) else 0)


@contextmanager
def _ending() -> Iterator[list[int]]:
    """Let SIGTERM end a command as Ctrl-C does, with nothing half done left; gives a list that is empty until then."""
    import signal
    import threading

    owner, ended = os.getpid(), list[int]()

    def end(number: int, _: object) -> None:
        if os.getpid() != owner:  # a worker of ours, which has nothing to put away
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        ended.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield ended
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield ended
    finally:
        signal.signal(signal.SIGTERM, before)


def _misused(error: Any) -> BaseException:
    """What is said of wrong options: one line, in place of click's three, which show names as they are."""
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.format_message(), file=sys.stderr)
        return SystemExit(BAD_INPUT)
    where = f"{error.ctx.command_path} --help" if error.ctx else "--help"
    return InputError(error.format_message().rstrip(".?"), remedy=f"{where} explains the options.")


def track(items: Iterable[Item], label: str, total: int | None = None, *, quiet: bool = False) -> Iterator[Item]:
    """Yield items under a progress bar with rate and time left, on standard error; silent when ``quiet``."""
    if quiet:
        yield from items
        return
    with _bars(quiet=False, passing=False) as progress:
        task, done = progress.add_task(label, total=total), 0
        for done, item in enumerate(items, 1):
            yield item
            progress.update(task, completed=done, total=None if total is None else max(total, done))
        progress.update(task, completed=done, total=done)  # what was planned can be more than there was to do


def print_problems(warnings: Iterable[str], errors: Iterable[tuple[str, str]]) -> None:
    """Print warnings, and (file, reason) of what was left out, on standard error."""
    for line in warnings:
        echo(f"warning: {line}", error=True)
    for file, reason in errors:
        echo(f"left out: {reason if file in reason else f'{file}: {reason}'}", error=True)


def print_json(value: Any) -> None:
    """Print one JSON value for machines on standard output, hidden characters as JSON escapes."""
    text = json_text(value)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, allow_nan=False)
    print(text)


def echo(line: str, *, error: bool = False, quiet: bool = False) -> None:
    """Print one line for people, on standard output or standard error; what would steer the terminal is escaped."""
    if not quiet:
        print(one_line(line), file=sys.stderr if error else sys.stdout, flush=True)


def lock_output(out: str | Path) -> None:
    """Hold a local output folder until the command ends.

    Raises:
        InputError: if another process is writing into it.
    """
    from packed_scenes.data.locks import lock_folder

    _held.close()  # of a command before, where a program runs several
    if "://" not in str(out):
        _held.enter_context(lock_folder(out))


class Bar:
    """A progress bar with the time left, moved by hand, on standard error.

    For work that reports ``(done, total)`` itself, where :func:`track` has no loop to wrap.

    Args:
        label: what is going on.
        quiet: show nothing.
        passing: take the bar away when all is done, so that a dialogue has the terminal.
    """

    def __init__(self, label: str = "", *, quiet: bool = False, passing: bool = False) -> None:
        self._label, self._passing = label, passing
        self._bars = _bars(quiet=quiet, passing=passing)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def at(self, done: int, total: int, note: str = "", *, label: str | None = None) -> None:
        """Show progress; the bar appears with the first call, so that an error before it stays one line.

        Args:
            done, total: steps.
            note: shown behind the label.
            label: what is going on now; every label has a bar of its own. None = what was said at first.
        """
        name = self._label if label is None else label
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total)
        self._bars.start()
        self._bars.update(
            self._tasks[name], completed=done, total=total, description=one_line(f"{name} {note}".strip())
        )
        if self._passing and done >= total:
            self._stop()

    def _stop(self) -> None:
        if self._bars.live.is_started:  # else rich prints an empty line
            self._bars.stop()


def _bars(*, quiet: bool, passing: bool) -> Progress:
    from rich import progress
    from rich.console import Console

    return progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=passing,
        disable=quiet,
    )


def in_words(value: object) -> str:
    """A value for people: mappings as ``name value, …``, lists as ``a, b``; no Python syntax."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {in_words(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(in_words(part) for part in value)
    return str(value)
