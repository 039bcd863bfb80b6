"""Launcher of ``packed-scenes app`` for a checkout."""

import sys

from packed_scenes.cli import main

if __name__ == "__main__":
    main(["app", *sys.argv[1:]])
