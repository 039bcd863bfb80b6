"""The web app: drop photos, see the groups, correct them, search, report. Runs on this machine only."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from packed_scenes.cli.console import application

app = application()

MAIN = Path(__file__).resolve().parents[1] / "web" / "main.py"
OPTIONS = {
    "server.address": "localhost",
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.enableXsrfProtection": "true",
    "server.enableCORS": "true",
    "server.enableStaticServing": "false",
    "server.showEmailPrompt": "false",
    "browser.gatherUsageStats": "false",
    "browser.serverAddress": "localhost",
    "client.toolbarMode": "viewer",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "theme.baseRadius": "medium",
    "theme.light.primaryColor": "#0a6c52",
    "theme.light.backgroundColor": "#ffffff",
    "theme.light.secondaryBackgroundColor": "#f2f5f4",
    "theme.light.textColor": "#17211d",
    "theme.dark.primaryColor": "#57cfa4",
    "theme.dark.backgroundColor": "#111615",
    "theme.dark.secondaryBackgroundColor": "#1b2321",
    "theme.dark.textColor": "#e6edea",
}

EPILOG = """
Examples:

`packed-scenes app` — then open the address it prints

`packed-scenes app --port 8600 --catalogue shop` — and keep what is added to the catalogue in the folder `shop`
"""


@app.command(epilog=EPILOG)
def main(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 8501,
    catalogue: Annotated[
        Path | None,
        typer.Option(help="Keep the catalogue in this folder, for all who open the app.  [default: one per visit]"),
    ] = None,
    max_upload: Annotated[int, typer.Option(min=1, max=2000, help="Largest upload in MB.")] = 100,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the browser.")] = False,
) -> None:
    """Start the web app on this machine (address localhost); stop it with Ctrl+C."""
    if catalogue is not None:
        from packed_scenes.catalogue import Catalogue

        os.environ["PACKED_SCENES_CATALOGUE"] = str(Catalogue.create(catalogue).folder.resolve())
    options = OPTIONS | {"server.port": str(port), "server.maxUploadSize": str(max_upload)}
    if open_browser:
        options["server.headless"] = "false"
    from streamlit.web import cli

    sys.argv = ["streamlit", "run", str(MAIN), *(f"--{name}={value}" for name, value in options.items())]
    cli.main()
