"""Kill whole commands at random moments: done again, each leaves what an unbroken run leaves, and nothing more.

A trial fills a folder, runs the command in it in a forked process that the system ends without a word after a random
share of the processor time of an unbroken run, does it again without a kill, and compares. What two unbroken runs do
not agree on (times, mostly) is left out of the comparison, value by value in JSON and databases, line by line in text.

The libraries are loaded before the fork: moments of a kill lie in the work, and twenty trials take minutes, not hours.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from packed_scenes.data.coco import write_coco
from packed_scenes.data.images import write_image
from packed_scenes.data.labelled import LabelledScene
from packed_scenes.data.locks import PREFIX
from packed_scenes.data.objects import Objects

LIBRARIES = (
    "cv2", "matplotlib.pyplot", "onnxruntime", "openvino", "pandas", "pyarrow.parquet", "sklearn.cluster", "torch",
)  # fmt: skip
RECORDED = {"seconds", "computed"}  # keys of JSON that say how a run went, not what it found
Values = dict[str, Any]
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


@dataclass(frozen=True)
class Command:
    """A command to kill.

    Attributes:
        line: the command and its arguments, run in the folder.
        start: fills the folder.
        again: arguments added when it is done again, given the folder.
        whole: it happens whole or not at all, and is not done again once it has happened.
        skip: names of files that are not compared.
    """

    line: tuple[str, ...]
    start: Callable[[Path], None]
    again: Callable[[Path], tuple[str, ...]] = lambda _: ()
    whole: bool = False
    skip: frozenset[str] = frozenset()


@dataclass
class Outcome:
    """What became of the trials of one command.

    Attributes:
        trials: how many.
        killed: those that the kill reached before their end.
        seconds: processor time of an unbroken run.
        failed: (moment in seconds, what) of those that did not end like an unbroken run.
    """

    trials: int = 0
    killed: int = 0
    seconds: float = 0.0
    failed: list[tuple[float, str]] = field(default_factory=list)


def crops(folder: Path, classes: int = 3, each: int = 8) -> None:
    """Write small pictures of coloured patterns, a folder for each class."""
    for label in range(classes):
        pattern = np.random.default_rng(label).integers(0, 255, (6, 4, 3), np.uint8)
        for k in range(each):
            noise = np.random.default_rng((label, k)).integers(0, 25, (48, 32, 3))
            picture = np.clip(np.kron(pattern, np.ones((8, 8, 1))) + noise, 0, 255).astype(np.uint8)
            target = folder / "crops" / str(label) / f"{k}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            write_image(target, picture)


def labelled(folder: Path) -> None:
    """Write four small scenes with boxes."""
    (folder / "photos").mkdir()
    scenes = []
    for k in range(4):
        rng = np.random.default_rng(k)
        image = np.full((160, 200, 3), 90, np.uint8)
        corner = np.stack(np.meshgrid(np.arange(10, 170, 40), np.arange(10, 110, 70)), -1).reshape(-1, 2)
        for x, y in corner.tolist():
            image[y : y + 50, x : x + 30] = rng.integers(0, 255, 3)
        boxes = np.concatenate([corner, corner + np.array([30, 50])], 1).astype(np.float32)
        write_image(folder / "photos" / f"{k}.png", image)
        scenes.append(LabelledScene(Path(f"{k}.png"), str(k), Objects.from_boxes(boxes), size=(200, 160)))
    write_coco(folder / "photos" / "boxes.json", scenes)


def catalogue(folder: Path) -> None:
    """Make a catalogue of the scenes, with one merge that can be undone."""
    labelled(folder)
    run(folder, (*ANALYZE, "--catalogue", "shop"))
    shutil.rmtree(folder / "out")
    run(folder, ("catalogue", "merge", "shop", "1", "2"))


def analysed(folder: Path) -> None:
    """Analyse the scenes into a run folder."""
    labelled(folder)
    run(folder, ANALYZE)


def resumed(folder: Path) -> tuple[str, ...]:
    """Go on with a training that has left a checkpoint."""
    return ("--resume",) if (folder / "out" / "last.ckpt").exists() else ()


ANALYZE = ("analyze", "photos", "--boxes", "photos/boxes.json", "--out", "out", "--threshold", "0.05")
COMMANDS = {
    "count": Command(("count", "crops", "--out", "out"), crops),
    "describe": Command(("describe", "crops", "-d", "default", "--out", "out"), crops),
    "analyze": Command((*ANALYZE, "--skip-existing"), labelled),
    "catalogue add": Command((*ANALYZE, "--catalogue", "shop"), labelled, skip=frozenset({"run.json"})),
    "catalogue merge": Command(("catalogue", "merge", "shop", "3", "4"), catalogue, whole=True),
    "catalogue undo": Command(("catalogue", "undo", "shop"), catalogue, whole=True),
    "catalogue export": Command(("catalogue", "export", "shop", "out.csv"), catalogue),
    "refine": Command(("refine", "crops", "--rounds", "2", "--steps", "4", "--out", "out"), crops),
    "train embedder": Command(
        ("train-embedder", "crops", "--preset", "reference", "--epochs", "3", "--out", "out"), crops
    ),
    "train detector": Command(
        ("train-detector", "photos/boxes.json", "--steps", "4", "--every", "2", "--out", "out"), labelled, resumed
    ),
    "search": Command(("search", "photos/0.png", "--box", "10,10,40,60", "--run", "out"), analysed),
    "shelf": Command(
        ("shelf", "photos/0.png", "--boxes", "photos/boxes.json", "--before", "photos/1.png", "--out", "out"), labelled
    ),
}


def run(folder: Path, line: tuple[str, ...], *, kill_after: float = 0.0) -> tuple[bool, float]:
    """Run a command in a folder in a forked process, killed after some seconds of processor time if told to.

    Returns:
        Whether it ended by itself, and its processor time.

    Raises:
        AssertionError: if it failed.
    """
    for library in LIBRARIES:
        with suppress(ImportError):
            importlib.import_module(library)
    said = folder.with_suffix(".said")
    child = os.fork()
    if not child:
        _work(folder, line, said, kill_after)
    _, status, used = os.wait4(child, 0)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # its own workers, if it had any
    if kill_after and os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF:
        return False, kill_after
    assert status == 0, f"{line}: status {status}, {said.read_text(errors='replace')[-2000:]}"
    return True, used.ru_utime + used.ru_stime


def _work(folder: Path, line: tuple[str, ...], said: Path, kill_after: float) -> NoReturn:
    """Be the command. The default action of a profiling timer ends the process as SIGKILL does: no handler, no exit."""
    status = 1
    try:
        os.setsid()
        os.chdir(folder)
        target = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(target, stream)
        from packed_scenes.cli import main

        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, kill_after)
        main(line)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)


def killed_at_random(name: str, folder: Path, *, trials: int = 20, seed: int = 0) -> Outcome:
    """Kill a command some times at random moments and compare what it leaves in the end."""
    command, rng, out = COMMANDS[name], random.Random(f"{name} {seed}"), Outcome(trials)
    work = folder / "work"  # always the same, as some files name it

    def begin() -> None:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        if not (folder / "start").exists():
            command.start(work)
            shutil.copytree(work, folder / "start", symlinks=True)
        else:
            shutil.copytree(folder / "start", work, dirs_exist_ok=True, symlinks=True)

    begin()
    _, one_took = run(work, command.line)
    one = content(work, command.skip)
    begin()
    before = content(work, command.skip)
    _, two_took = run(work, command.line)
    two = content(work, command.skip)
    out.seconds = min(one_took, two_took)
    for _ in range(trials):
        begin()
        moment = rng.uniform(0.001, out.seconds)
        ended, _ = run(work, command.line, kill_after=moment)
        out.killed += not ended
        try:
            now = {name: value for name, value in content(work).items() if not name.endswith("-journal")}  # the next
            if not command.whole or same(now, before, before):  # writer takes a dead one's journal away
                run(work, (*command.line, *command.again(work)))
        except AssertionError as error:
            out.failed.append((moment, str(error)))
            continue
        found = content(work, command.skip)
        wrong = [*differences(found, one, two), *(path for path in found if PREFIX in path)]
        if wrong:
            out.failed.append((moment, ", ".join(wrong[:5])))
            shutil.rmtree(folder / "wrong", ignore_errors=True)
            shutil.copytree(work, folder / "wrong", symlinks=True)
    return out


def content(folder: Path, skip: frozenset[str] = frozenset()) -> Values:
    """Every file and folder below: parsed JSON, rows of databases, lines of text, else bytes; where links lead."""
    found: Values = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file() and path.name not in skip:
            found[name] = _parsed(path)
        elif path.is_dir():
            found[name] = None
    return {name: value for name, value in found.items() if not name.endswith(("-wal", "-shm"))}


def _parsed(path: Path) -> Any:
    if path.suffix == ".sqlite":
        with closing(sqlite3.connect(path)) as opened:
            tables = [
                row[0] for row in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
            ]
            return {table: [list(row) for row in opened.execute(f"SELECT * FROM {table}")] for table in tables}
    if path.suffix in (".ckpt", ".pt"):
        import torch

        return _plain(torch.load(path, weights_only=True))
    data = path.read_bytes()
    try:
        text = data.decode()
        return json.loads(text) if path.suffix == ".json" else text.splitlines()
    except ValueError:
        return data


def _plain(value: Any) -> Any:
    if hasattr(value, "numpy"):
        return value.numpy().tobytes()
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def same(found: Any, one: Any, two: Any) -> bool:
    """Whether a value is that of an unbroken run, as far as two unbroken runs agree."""
    return not list(differences(found, one, two))


def differences(found: Any, one: Any, two: Any, at: str = "") -> Iterator[str]:
    """Name what differs from an unbroken run where two unbroken runs agree."""
    if isinstance(one, dict) and isinstance(two, dict) and isinstance(found, dict):
        for key in sorted({*found, *one} - ({*one} ^ {*two}) - RECORDED):
            if key not in found or key not in one:
                yield f"{at}/{key} {'is missing' if key in one else 'is too much'}"
            else:
                yield from differences(found[key], one[key], two[key], f"{at}/{key}")
    elif isinstance(one, list) and isinstance(two, list) and isinstance(found, list) and len(one) == len(two):
        if len(found) != len(one):
            yield f"{at} has {len(found)} values, not {len(one)}"
        for k, parts in enumerate(zip(found, one, two, strict=False)):
            yield from differences(*parts, f"{at}/{k}")
    elif one == two and found != one and not (isinstance(found, str) and _TIME.match(found) and _TIME.match(str(one))):
        yield at
