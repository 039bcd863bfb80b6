"""Launcher of ``packed-scenes analyze`` for a checkout."""

import sys

from packed_scenes.cli import main

if __name__ == "__main__":
    main(["analyze", *sys.argv[1:]])
