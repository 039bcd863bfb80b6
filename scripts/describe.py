"""Launcher of ``packed-scenes describe`` for a checkout."""

import sys

from packed_scenes.cli import main

if __name__ == "__main__":
    main(["describe", *sys.argv[1:]])
