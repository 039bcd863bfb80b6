"""OpenVINO on the CPU: its import without what a run never uses, and a cache of compiled networks.

``import openvino`` loads the model converter, too (``openvino.tools.ovc``, with its telemetry): most of the import
time. The package allows for its absence, so it is kept out while the runtime is imported.

Compiling the detector takes .2 s of a job of 2 s, so compiled networks are kept in the user's cache folder
(``PACKED_SCENES_CACHE``; ``off`` switches it off; default ``packed-scenes`` in ``XDG_CACHE_HOME`` or ``~/.cache``). A
file's name is the hash of everything that decides its content; it is written whole or not at all, and one that cannot
be read is compiled again. The newest ``CACHED_MODELS`` files stay.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from packed_scenes.data.files import atomic_write

CONVERTER = "openvino.tools.ovc"
# float32: on processors with bf16 units OpenVINO would lower the precision by itself
SETTINGS: dict[str, str | int | bool] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
CACHED_MODELS = 16  # files of some 2 to 10 MB


@cache
def openvino() -> Any:
    """Import OpenVINO's runtime.

    Raises:
        ModuleNotFoundError: if it is not installed.
    """
    hidden = CONVERTER not in sys.modules and "openvino" not in sys.modules
    if hidden:
        sys.modules[CONVERTER] = None  # type: ignore[assignment]  # an import of it fails, as if it were not there
    try:
        import openvino as library
    finally:
        if hidden:
            del sys.modules[CONVERTER]
    return library


@cache
def core() -> Any:
    """Return the process's one ``openvino.Core``, which is never released.

    Each ``Core`` that runs something gives its thread an alternate signal stack and puts the one before back when it
    goes. Two that go in the order they came leave one that is unmapped, and the next signal that Python handles
    (Ctrl-C, a child's end) ends the process with a segmentation fault.
    """
    return openvino().Core()


def cache_folder() -> Path | None:
    """Return where compiled networks are kept; None = nowhere."""
    chosen = os.environ.get("PACKED_SCENES_CACHE", "")
    if chosen.lower() == "off":
        return None
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path("~/.cache").expanduser()) / "packed-scenes"


def compile_network(build: Callable[[], Any], *, key: str) -> Any:
    """Compile a network for this CPU in float32, or load what an earlier process compiled.

    Args:
        build: makes the ``openvino.Model``; not called where the cache has it.
        key: names the network's content, such as the SHA-256 of its file and how it was changed; empty = not cached.

    Returns:
        ``openvino.CompiledModel``.

    Raises:
        RuntimeError: OpenVINO's, if it cannot compile the network.
    """
    library, cpu, settings = openvino(), core(), _settings()
    folder = cache_folder() if key else None
    if folder is None:
        return cpu.compile_model(build(), "CPU", settings)
    about = [key, library.__version__, cpu.get_property("CPU", "FULL_DEVICE_NAME"), repr(settings), str(_cores())]
    file = folder / f"{hashlib.sha256('|'.join(about).encode()).hexdigest()[:32]}.openvino"
    with contextlib.suppress(OSError, RuntimeError):  # not there, damaged, or of a library that differs after all
        return cpu.import_model(_checked(file.read_bytes()), "CPU", settings)
    compiled = cpu.compile_model(build(), "CPU", settings)
    with contextlib.suppress(Exception):  # a cache that cannot be written costs time, nothing else
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with atomic_write(file) as temporary:
            temporary.write_bytes(_exported(compiled))
        _drop_old(folder)
    return compiled


def _exported(compiled: Any) -> bytes:
    stream = BytesIO()
    compiled.export_model(stream)
    return hashlib.sha256(stream.getvalue()).digest() + stream.getvalue()


def _checked(data: bytes) -> bytes:
    """Return what was exported, without the hash in front of it, which must be its own."""
    if hashlib.sha256(data[32:]).digest() != data[:32]:
        raise RuntimeError("damaged")
    return data[32:]


def _settings() -> dict[str, str | int | bool]:
    """The settings, with as many threads as ``OMP_NUM_THREADS`` says, as in the other libraries (Ray sets it to the
    cores of a worker). They are not tied to cores: every process would tie them to the same ones.
    """
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if not wanted.isdecimal() or not int(wanted):
        return dict(SETTINGS)
    return SETTINGS | {"INFERENCE_NUM_THREADS": int(wanted), "ENABLE_CPU_PINNING": False}


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _drop_old(folder: Path) -> None:
    found = sorted(folder.glob("*.openvino"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in found[CACHED_MODELS:]:
        file.unlink(missing_ok=True)
