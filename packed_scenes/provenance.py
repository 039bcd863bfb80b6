"""How a run was made: versions, machine, parameters."""

from __future__ import annotations

import platform
import sys
from functools import cache
from importlib import metadata
from typing import Any

# What can change a result; the full list of installed packages would bury it.
PACKAGES = (
    "packed-scenes", "numpy", "scipy", "scikit-learn", "opencv-python", "pillow", "torch", "torchvision",
    "ultralytics", "onnxruntime", "openvino", "hdbscan", "faiss-cpu",
)  # fmt: skip


def package_version() -> str:
    """Return the version of the installed package, or a word that says that it runs from a checkout."""
    try:
        return metadata.version("packed-scenes")
    except metadata.PackageNotFoundError:
        return "not installed (a checkout)"


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that can change a result; absent ones are left out."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    """Reading the installed packages' metadata takes 9 ms, more than clustering a scene."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Return the operating system, the processor family and how many cores this process may use."""
    import os

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"system": platform.system(), "processor": platform.machine(), "cores": cores}


def command_line() -> list[str]:
    """Return the command as the user gave it, the program by its name only."""
    name = sys.argv[0].replace("\\", "/").rsplit("/", 1)[-1]
    return ["packed-scenes" if name == "__main__.py" else name, *sys.argv[1:]]
