"""The command ``packed-scenes``: one module a subcommand, loaded only when it is called."""

from packed_scenes.cli.main import main as main

__all__ = ["main"]
