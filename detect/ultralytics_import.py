"""Ultralytics without side effects: no settings file in the user's home, no telemetry, no update checks, no downloads.

Ultralytics writes a settings folder at import, asks the network whether it is online, and may fetch fonts and
weights. Import it only through :func:`import_ultralytics`, which points the folder to a temporary one and turns all of
that off first.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from typing import Any


def import_ultralytics() -> Any:
    """Import ultralytics with its settings in a folder that is removed at exit; gives the module.

    A ``YOLO_CONFIG_DIR`` that the user has set is respected. Nothing happens when ultralytics is imported already.
    """
    if "ultralytics" not in sys.modules:
        if "YOLO_CONFIG_DIR" not in os.environ:
            folder = tempfile.mkdtemp(prefix="packed-scenes-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            os.environ["YOLO_CONFIG_DIR"] = folder
        os.environ.setdefault("YOLO_OFFLINE", "true")  # read by is_online: no probe of DNS servers
        os.environ.setdefault("YOLO_AUTOINSTALL", "false")
        os.environ.setdefault("YOLO_VERBOSE", "false")
    # It replaces PIL.Image.open by a version that, for a file that is no picture, wants to install a package.
    from PIL import Image

    opened = Image.open
    import ultralytics

    Image.open = opened
    settings = ultralytics.settings
    if settings.get("sync", False):
        dict.update(settings, {"sync": False})  # in memory only: update() would write the file
    return ultralytics
