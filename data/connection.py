"""Whether what a network would be fetched from can be reached, asked before a library that would retry for a minute."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from packed_scenes.data.errors import InputError

SECONDS = 5.0
PORTS = {"http": 80, "https": 443}
TORCHVISION = "download.pytorch.org"  # where its networks are published


def reachable(url: str, *, seconds: float = SECONDS) -> bool:
    """Say whether the host of a URL, or the proxy that stands before it, takes a connection within ``seconds``.

    The system may look up a name for longer than any timeout of a socket, so that is done in a thread that is left
    behind.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxies = {} if proxy_bypass(host) else getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    target = parts if not proxy else urlsplit(proxy if "://" in proxy else f"//{proxy}")
    place = (target.hostname or "", target.port or PORTS.get(target.scheme, 443))
    answered = Event()

    def connect() -> None:
        with suppress(OSError), socket.create_connection(place, timeout=seconds):
            answered.set()

    thread = Thread(target=connect, daemon=True)
    thread.start()
    thread.join(seconds)
    return answered.is_set()


def require_weights(name: str, server: str, *, remedy: str) -> None:
    """Check that published weights are in torch's cache of downloads or can be fetched, before they are loaded.

    Without torch, whose import would take longer than the question.

    Args:
        name: what their file's name begins with.
        server: where they are published.
        remedy: what to do where they cannot be had.

    Raises:
        InputError: if they are neither here nor reachable.
    """
    folder = downloads()
    here = folder.is_dir() and any(file.name.startswith(name) for file in folder.iterdir())
    if not here and not reachable(f"https://{server}"):
        raise InputError(f"the weights of {name} are not in {folder}, and {server} cannot be reached", remedy=remedy)


def downloads() -> Path:
    """The folder of what torch has fetched, as ``torch.hub`` documents it."""
    if "torch" in sys.modules:  # a program may have chosen another
        return Path(sys.modules["torch"].hub.get_dir()) / "checkpoints"
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("TORCH_HOME", f"{cache}/torch")).expanduser() / "hub" / "checkpoints"
