"""The stages of ``scripts/bench.py``: each measures one part of the work beside what a user would otherwise take."""
