"""Teach: what both trainings share: the process they run in, what was trained, and what came out.

Where objects are is taught by :mod:`packed_scenes.web.project.detector_teaching`, what is the same by
:mod:`packed_scenes.web.project.embedder_teaching`. Either training runs in a process of its own, one thread, low
priority (:mod:`packed_scenes.web.project.teaching_process`): it can be stopped at any time, and a crash of it
changes nothing. It prints a line of JSON per step.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from packed_scenes.data.errors import InputError
from packed_scenes.data.text import load_json
from packed_scenes.web.project.project import Project

FOLDER = "teach"


def run(spec: Path, report: Callable[[dict[str, Any]], None], stopped: Callable[[], bool]) -> dict[str, Any]:
    """Train in a process of its own; returns the scores before and after.

    Raises:
        InputError: if it was stopped, or failed.
    """
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "packed_scenes.web.project.teaching_process", str(spec)]
    result: dict[str, Any] | None = None
    said = ""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        threading.Thread(target=_end_when, args=(process, stopped), daemon=True).start()
        try:
            for line in process.stdout:
                try:
                    found = load_json(line)
                except ValueError:
                    said = line.strip() or said
                    continue
                if isinstance(found, dict) and "result" in found:
                    result = found["result"]
                elif isinstance(found, dict):
                    report(found)
        finally:
            if process.poll() is None and result is None:
                process.terminate()
    if result is None and stopped():
        raise InputError("the training was stopped; nothing has changed")
    if result is None:
        raise InputError(f"the training failed ({said[-200:]})" if said else "the training failed")
    return result


def _end_when(process: subprocess.Popen[str], stopped: Callable[[], bool]) -> None:
    """End a process as soon as it is to be stopped, also while it says nothing."""
    while process.poll() is None:
        if stopped():
            process.terminate()
            return
        time.sleep(0.2)


def known(project: Project) -> dict[str, dict[str, Any]]:
    """What was trained and compared: ``detector`` and ``embedder``, where there is one."""
    found = dict(project.folder.about.get("teach") or {})
    return {"detector": found} if "rows" in found else found  # as it was before embedders could be taught


def remember(project: Project, kind: str, result: dict[str, Any] | None) -> None:
    """Keep the comparison of a training with the project, or discard it."""
    project.folder.save_about(teach={k: v for k, v in (known(project) | {kind: result}).items() if v} or None)
