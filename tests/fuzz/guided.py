"""Fuzz one reader guided by coverage: ``uv run --with atheris python -m tests.fuzz.guided boxes -max_total_time=60``.

The readers are those of :mod:`tests.fuzz.fuzzing`, the corpus begins with the same seed files. What follows the reader
goes to libFuzzer, and so does a folder of an earlier corpus. It stops at the first finding and keeps the file.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Fuzz until libFuzzer's own limits end it; the exit code is its own (77 = a finding)."""
    import atheris

    with atheris.instrument_imports(include=["packed_scenes"]):
        from tests.fuzz import cases, fuzzing, stores
    reader, *more = sys.argv[1:] or [""]
    if reader not in fuzzing._READERS:
        sys.exit(f"choose a reader: {', '.join(fuzzing._READERS)}")
    group = fuzzing.STORES if reader in stores.READERS else fuzzing.FILES
    folder = Path(tempfile.mkdtemp(prefix="guided-"))
    corpus, place = folder / "corpus", folder / "place"
    corpus.mkdir()
    place.mkdir()
    fuzzing._prepare(place, group)
    for number, (name, data) in enumerate(stores.seeds() if group == fuzzing.STORES else cases.seeds()):
        if name == reader:
            (corpus / str(number)).write_bytes(data)
    os.environ.setdefault("OMP_NUM_THREADS", "1")

    def one(data: bytes) -> None:
        fuzzing.run_case(reader, data, place)

    atheris.Setup([sys.argv[0], "-max_len=65536", "-timeout=60", "-rss_limit_mb=8192", *more, str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
