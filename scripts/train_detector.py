"""Launcher of ``packed-scenes train-detector`` for a checkout."""

import sys

from packed_scenes.cli import main

if __name__ == "__main__":
    main(["train-detector", *sys.argv[1:]])
