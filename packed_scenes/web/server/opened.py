"""A project that the server has open."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packed_scenes.web.project.project import Project
from packed_scenes.web.server.jobs import Job


@dataclass
class Opened:
    """A project that is open.

    Attributes:
        incoming: (name, file) of uploads that wait for analysis, in ``incoming/`` of the project.
    """

    key: str
    project: Project
    job: Job | None = None
    used: float = field(default_factory=time.monotonic)
    incoming: list[tuple[str, Path]] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)  # what is costly to make, by name and version
