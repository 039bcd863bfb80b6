"""Launcher of ``packed-scenes train-embedder`` for a checkout."""

import sys

from packed_scenes.cli import main

if __name__ == "__main__":
    main(["train-embedder", *sys.argv[1:]])
