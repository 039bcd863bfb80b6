"""Launcher of ``packed-scenes refine`` for a checkout."""

import sys

from packed_scenes.cli import main

if __name__ == "__main__":
    main(["refine", *sys.argv[1:]])
