"""The process of a training: ``python -m packed_scenes.web.project.teaching_process SPEC`` prints lines of JSON."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from packed_scenes.data.errors import InputError
from packed_scenes.data.text import load_json
from packed_scenes.web.project import detector_teaching, embedder_teaching


def main() -> None:
    """Do what the specification says: progress, then the result; exit code 2 and a sentence if it cannot be done."""
    with suppress(OSError, AttributeError):
        os.nice(10)

    def report(line: dict[str, Any]) -> None:
        print(json.dumps(line), flush=True)

    spec = Path(sys.argv[1])
    try:
        if load_json(spec.read_text(encoding="utf-8"))["kind"] == "embedder":
            report({"result": embedder_teaching.work(spec, report)})
        else:
            for line in detector_teaching.work(spec):
                report(line)
    except InputError as error:
        print(str(error), flush=True)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
