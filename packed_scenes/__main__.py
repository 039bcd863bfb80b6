"""``python -m packed_scenes``: the same as the command ``packed-scenes``."""

from packed_scenes.cli import main

if __name__ == "__main__":
    main()
