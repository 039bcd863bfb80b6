"""Launcher of ``packed-scenes explain`` for a checkout."""

import sys

from packed_scenes.cli import main

if __name__ == "__main__":
    main(["explain", *sys.argv[1:]])
