"""Launcher of ``packed-scenes synthesize`` for a checkout."""

import sys

from packed_scenes.cli import main

if __name__ == "__main__":
    main(["synthesize", *sys.argv[1:]])
