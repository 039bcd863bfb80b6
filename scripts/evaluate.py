"""Launcher of ``packed-scenes evaluate`` for a checkout."""

import sys

from packed_scenes.cli import main

if __name__ == "__main__":
    main(["evaluate", *sys.argv[1:]])
