"""A project that the server has open."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packed_scenes.observe import Observer
from packed_scenes.web.project.project import Project
from packed_scenes.web.server.jobs import Job


@dataclass
class Opened:
    """A project that is open.

    Attributes:
        incoming: (name, file) of uploads that wait for analysis, in ``incoming/`` of the project.
        failing: (name, reason) of files that the job that runs had to leave out so far.
        networks: what the project was analysed with; None = it cannot be had here, and ``refused`` says why.
    """

    key: str
    project: Project
    job: Job | None = None
    used: float = field(default_factory=time.monotonic)
    incoming: list[tuple[str, Path]] = field(default_factory=list)
    failing: list[tuple[str, str]] = field(default_factory=list)
    networks: Observer | None = None
    refused: str = ""
    kept: dict[str, Any] = field(default_factory=dict)  # what is costly to make, by name and version

    @property
    def left_out(self) -> list[tuple[str, str]]:
        """(name, reason) of files that could not be taken: of the job that runs, else of the last one."""
        running = self.job is not None and self.job.kind == "photos" and not self.job.finished
        if running:
            return list(self.failing)
        return [(str(name), str(why)) for name, why in self.project.folder.about.get("left_out") or ()]
