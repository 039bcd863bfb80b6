"""Start the plain page on the local address."""

from __future__ import annotations

import sys
from pathlib import Path

OPTIONS = {
    "server.address": "127.0.0.1",
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.enableXsrfProtection": "true",
    "server.enableCORS": "true",
    "server.enableStaticServing": "false",
    "server.showEmailPrompt": "false",
    "browser.gatherUsageStats": "false",
    "browser.serverAddress": "127.0.0.1",
    "client.toolbarMode": "viewer",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
}


def run_simple(*, port: int, max_upload: int) -> None:
    """Serve until Ctrl+C.

    Args:
        port: on this machine.
        max_upload: largest upload in MB.
    """
    from streamlit.web import cli

    options = OPTIONS | {"server.port": str(port), "server.maxUploadSize": str(max_upload)}
    page = Path(__file__).with_name("page.py")
    sys.argv = ["streamlit", "run", str(page), *(f"--{name}={value}" for name, value in options.items())]
    cli.main()
