"""Launcher of ``packed-scenes count`` for a checkout."""

import sys

from packed_scenes.cli import main

if __name__ == "__main__":
    main(["count", *sys.argv[1:]])
