"""Fuzzing of the readers: generated and broken files, the harness (``scripts/fuzz.py`` runs it), and its tests."""
