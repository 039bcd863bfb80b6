"""A command of ``packed-scenes`` inside this process: a new one spends most of its time importing.

What needs a process of its own (signals, kills, start-up) starts one itself.
"""

from __future__ import annotations

import contextlib
import io
import subprocess
from pathlib import Path

from packed_scenes.cli import main


def call(name: str, *arguments: object, cwd: str | Path = ".") -> subprocess.CompletedProcess[str]:
    """Run ``packed-scenes NAME ARGUMENTS`` in a folder; returns exit code and what it printed."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([name, *map(str, arguments)])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1 if end.code else 0
    return subprocess.CompletedProcess([name], code, out.getvalue(), err.getvalue())
