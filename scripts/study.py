"""Launcher of ``packed-scenes study`` for a checkout."""

import sys

from packed_scenes.cli import main

if __name__ == "__main__":
    main(["study", *sys.argv[1:]])
