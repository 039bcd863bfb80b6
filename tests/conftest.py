"""What all tests share: no property test fails because the machine is busy, and the same commit gives the same result.

Examples are drawn from a fixed seed, so that a change is judged by what it changes. ``--hypothesis-profile random``
draws new ones (``scripts/fuzz.py`` does the same for files, for as long as wanted).
"""

from hypothesis import settings

settings.register_profile("fixed", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile("fixed")
