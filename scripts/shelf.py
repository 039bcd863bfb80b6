"""Launcher of ``packed-scenes shelf`` for a checkout."""

import sys

from packed_scenes.cli import main

if __name__ == "__main__":
    main(["shelf", *sys.argv[1:]])
