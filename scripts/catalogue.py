"""Launcher of ``packed-scenes catalogue`` for a checkout."""

import sys

from packed_scenes.cli import main

if __name__ == "__main__":
    main(["catalogue", *sys.argv[1:]])
