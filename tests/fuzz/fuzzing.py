"""A seeded mutational fuzzer over the readers: what a file may hold, and worse.

Case ``i`` of a seed (see :mod:`tests.fuzz.cases`, :mod:`tests.fuzz.stores`) is a function of the two numbers alone, so
a finding is its number. A case passes if the reader returns a valid result or raises ``InputError`` whose text is one
line that names the file. Everything else is a finding: another exception, more than the time limit (CPU time of the
thread, so that a busy machine raises no alarm), or the death of the process, which is why :func:`fuzz` works in a
child that the parent watches. The child runs under a limit of address space, so that memory is bounded by
construction; its peak resident size is reported.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from packed_scenes.data.archive import Limits, read_zip
from packed_scenes.data.boxes import read_boxes
from packed_scenes.data.coco import read_coco
from packed_scenes.data.errors import InputError
from packed_scenes.data.images import image_size, read_image
from packed_scenes.data.objects import Objects
from packed_scenes.data.scene import Scene
from packed_scenes.data.yolo import read_yolo
from tests.fuzz import cases, stores

FILES, STORES = GROUPS = ("files", "stores")
STARTUP = 600.0  # seconds that loading the libraries may take on a busy machine
MAX_PIXELS = 4_000_000  # of a fuzzed picture: keeps the cases fast; the limit itself is what large ones run into


@dataclass
class Finding:
    """A case that did not pass: its number, the reader and what happened."""

    index: int
    reader: str
    what: str


@dataclass
class Report:
    """Figures of a run.

    Attributes:
        cases: cases done.
        read: cases per reader that gave a result.
        refused: cases per reader that gave an ``InputError``.
        slowest: CPU seconds of the slowest case.
        slowest_index: its number.
        peak_mb: highest resident size of the worker in MB.
        findings: cases that did not pass.
    """

    cases: int = 0
    read: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    slowest_index: int = -1
    peak_mb: float = 0.0
    findings: list[Finding] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        plain = vars(self) | {"read": dict(self.read), "refused": dict(self.refused)}
        return plain | {"findings": [vars(finding) for finding in self.findings]}


def make_case(seed: int, index: int, group: str = FILES) -> tuple[str, bytes]:
    """Return the reader and the bytes of a case of a group."""
    return cases.make_case(seed, index) if group == FILES else stores.make_store_case(seed, index)


def run_case(reader: str, data: bytes, folder: Path) -> bool:
    """Write the case to a file and read it; True if it was read, False if it was refused as it should be.

    Raises:
        Exception: whatever the reader raises beside a proper ``InputError``, and AssertionError for a bad result.
    """
    name, read = _READERS[reader]
    path = folder / name
    path.write_bytes(data)
    try:
        read(path)
    except InputError as error:
        text = str(error)
        named = any(name in text for name in (path.name, str(folder), "the archive"))
        if "\n" in text or len(text) > 2000 or not named or not error.remedy:
            raise AssertionError(f"no line that names the file and the remedy: {text[:200]!r}") from error
        return False
    return True


def run_one(seed: int, index: int, *, group: str = FILES) -> str:
    """Run one case in this process and say what became of it; a finding comes with its traceback."""
    reader, data = make_case(seed, index, group)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        _prepare(Path(name), group)
        return f"{reader}, {len(data)} bytes: {'read' if run_case(reader, data, Path(name)) else 'refused'}"


def fuzz(
    count: int,
    *,
    seed: int = 0,
    group: str = FILES,
    time_limit: float = 1.0,
    memory_limit: int = 3 << 30,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Run cases 0 … count-1 of a seed in a watched child process.

    Args:
        count: number of cases.
        seed: chooses the cases.
        group: ``files`` or ``stores``.
        time_limit: CPU seconds for one case; a case that takes 30 times as long by the clock is killed.
        memory_limit: address space of the child in bytes.
        progress: receives the number of cases done, now and then.
    """
    report = Report()
    context = multiprocessing.get_context("spawn")
    start = 0
    while start < count:
        # Four doubles: the current case, the slowest one's seconds and number, the peak in MB.
        state = context.Array("d", [float(start - 1), report.slowest, float(report.slowest_index), report.peak_mb])
        results, sender = context.Pipe(duplex=False)
        child = context.Process(target=_work, args=(start, count, seed, group, time_limit, memory_limit, state, sender))
        child.start()
        sender.close()
        moved, last = time.monotonic(), -2.0
        while True:
            if results.poll(0.5):
                try:
                    kind, value = results.recv()
                except EOFError:
                    break
                _tell(report, kind, value)
            now = state[0]
            if now != last:
                moved, last = time.monotonic(), now
                if progress:
                    progress(int(max(now, 0)))
            elif time.monotonic() - moved > (30 * time_limit + 30 if now >= start else STARTUP):
                child.kill()
                break
        child.join()
        report.slowest, report.slowest_index, report.peak_mb = state[1], int(state[2]), state[3]
        if child.exitcode == 0:
            report.cases = count
            break
        died = max(int(state[0]), start)
        report.findings.append(Finding(died, make_case(seed, died, group)[0], f"process ended with {child.exitcode}"))
        start = report.cases = died + 1
    return report


def _tell(report: Report, kind: str, value: Any) -> None:
    if kind == "finding":
        report.findings.append(Finding(*value))
    else:
        read, refused = value
        report.read.update(read)
        report.refused.update(refused)


def _work(
    start: int, count: int, seed: int, group: str, time_limit: float, memory_limit: int, state: Any, sender: Any
) -> None:  # pragma: no cover (runs in the child)
    resource.setrlimit(resource.RLIMIT_AS, (memory_limit, memory_limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 2)  # decoders in C complain there about every broken file
    read: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        _prepare(folder, group)
        for index in range(start, count):
            state[0] = index
            reader, data = make_case(seed, index, group)
            before = time.thread_time()
            try:
                (read if run_case(reader, data, folder) else refused)[reader] += 1
            except Exception as error:
                sender.send(("finding", (index, reader, f"{type(error).__name__}: {str(error)[:300]}")))
            took = time.thread_time() - before
            if took > state[1]:
                state[1], state[2] = took, index
            if took > time_limit:
                sender.send(("finding", (index, reader, f"took {took:.2f} s")))
            if index % 500 == 499:
                sender.send(("counts", (dict(read), dict(refused))))
                read.clear()
                refused.clear()
                state[3] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    state[3] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sender.send(("counts", (dict(read), dict(refused))))
    sender.close()


def _prepare(folder: Path, group: str = FILES) -> None:
    """Put the one picture beside the label files that they name; or what each store's reader looks for."""
    if group != FILES:
        stores.prepare(folder)
        return
    (folder / "images").mkdir()
    Image.new("RGB", (64, 48)).save(folder / "images" / "a.png")


def _read_image(path: Path) -> None:
    pixels = read_image(path, max_pixels=MAX_PIXELS, warn=lambda _: None)
    Scene(image=pixels, name="case")
    assert image_size(path) == pixels.shape[1::-1], (image_size(path), pixels.shape)


def _read_boxes(path: Path) -> None:
    found = read_boxes(path, size=(640, 480))
    for objects in found.scenes.values():
        assert isinstance(objects, Objects)
        assert np.isfinite(objects.xyxy).all()


def _read_yolo_labels(path: Path) -> None:
    (path.parent / "data.yaml").write_text("path: .\nval: images\nnames: [a, b]\n")
    labels = path.parent / "labels"
    labels.mkdir(exist_ok=True)
    path.replace(labels / "a.txt")
    read_yolo(path.parent / "data.yaml")


def _read_yolo_set(path: Path) -> None:
    (path.parent / "labels" / "a.txt").unlink(missing_ok=True)  # an earlier case must not decide this one
    read_yolo(path)


def _read_zip(path: Path) -> None:
    for name, content in read_zip(path, limits=Limits(member_bytes=1 << 20, total_bytes=4 << 20)):
        assert not {"..", "/"} & set(Path(name).parts), name
        assert len(content) <= 1 << 20


# The file's name and what reads it.
_READERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "image": ("case.img", _read_image),
    "boxes": ("case.json", _read_boxes),
    "coco": ("coco.json", read_coco),
    "yolo": ("a.txt", _read_yolo_labels),
    "yaml": ("set.yaml", _read_yolo_set),
    "zip": ("case.zip", _read_zip),
    **stores.READERS,
}
