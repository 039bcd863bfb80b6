"""What the page sends as a file, onto the disk, within the limits."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from starlette.requests import Request

from packed_scenes.data.errors import InputError

MIN_FREE_BYTES = 200_000_000  # bytes that must stay free on the disk


async def receive(request: Request, folder: Path, max_bytes: int) -> Path:
    """Write the body of a request into a file of its own; nothing stays of one that is cut off.

    Raises:
        InputError: if it is empty, larger than `max_bytes`, or leaves too little room on the disk.
        ClientDisconnect: if the sender goes before its end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as out:
        path = Path(out.name)
        try:
            size = 0
            async for piece in request.stream():
                size += len(piece)
                if size > max_bytes:
                    raise InputError(
                        f"this file is larger than {max_bytes / 1e6:.0f} MB", remedy="Start the app with --max-upload."
                    )
                if size > free - MIN_FREE_BYTES:
                    raise InputError("there is no room left on the disk", remedy="Free space.")
                out.write(piece)
            if not size:
                raise InputError("the file is empty (0 bytes)")
        except BaseException:  # a full disk and the end of the server, too
            path.unlink(missing_ok=True)
            raise
    return path
