"""Launcher of ``packed-scenes train-decision`` for a checkout."""

import sys

from packed_scenes.cli import main

if __name__ == "__main__":
    main(["train-decision", *sys.argv[1:]])
