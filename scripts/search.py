"""Launcher of ``packed-scenes search`` for a checkout."""

import sys

from packed_scenes.cli import main

if __name__ == "__main__":
    main(["search", *sys.argv[1:]])
