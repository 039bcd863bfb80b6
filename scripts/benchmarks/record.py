"""What the stages found, as one JSON file, one Markdown page and plots; stages that did not run keep their old part."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import write_json, write_text

PEERS = (
    "hdbscan",
    "fast-hdbscan",
    "scikit-learn",
    "scipy",
    "faiss-cpu",
    "hnswlib",
    "ultralytics",
    "sahi",
    "supervision",
)


@dataclass
class Table:
    """One table of a stage.

    Attributes:
        title: what it compares.
        rows: cells by column; the columns of the first row lead.
        note: how to read it, and what was left out and why.
        plot: ``bars`` (seconds by name), ``curve`` (seconds over ``over``), or nothing.
        over: the column that a curve runs over.
        by: the column that names the bars, or the lines of a curve.
    """

    title: str
    rows: list[dict[str, Any]]
    note: str = ""
    plot: str = ""
    over: str = ""
    by: str = ""


@dataclass
class Found:
    """What one stage found: tables, and a line for everything that was skipped."""

    tables: list[Table] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def machine() -> dict[str, Any]:
    """The processor's name, cores this process may use, memory, system, and the versions that decide speed."""
    from importlib import metadata

    from packed_scenes.provenance import machine as basics
    from packed_scenes.provenance import versions

    def version(name: str) -> str | None:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            return None

    more = {name: found for name in PEERS if (found := version(name))}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30 if hasattr(os, "sysconf") else 0.0
    return {
        **basics(),
        "processor": processor(),
        "memory_gib": round(memory, 1),
        "gpu": gpu(),
        "versions": versions() | more,
    }


def processor() -> str:
    """The processor's name as the system says it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def gpu() -> str:
    """The GPU's name, or ``none``; torch is asked only where there is a sign of one."""
    from packed_scenes.data.device import pick_device

    if pick_device("auto") == "cpu":
        return "none"
    import torch

    return str(torch.cuda.get_device_name())


def stage_record(found: Found, *, command: str, seconds: float) -> dict[str, Any]:
    """One stage's part of the JSON file."""
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "seconds": round(seconds, 1),
        "load_after": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "machine": machine(),
        "tables": [asdict(table) for table in found.tables],
        "skipped": found.skipped,
    }


def read_record(out: Path) -> dict[str, Any]:
    """The stages of an earlier run; empty if there was none.

    Raises:
        InputError: if the file is no such record.
    """
    path = out / "bench.json"
    if not path.is_file():
        return {}
    try:
        stages = json.loads(path.read_text("utf-8"))["stages"]
        return dict(stages)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"no record of scripts/bench.py ({error})", file=path, remedy="Remove it, or choose another --out."
        ) from error


def write_record(out: Path, stages: Mapping[str, Any]) -> None:
    """Write ``bench.json`` and ``README.md``."""
    write_json(out / "bench.json", {"stages": dict(stages)})
    write_text(out / "README.md", page(stages))


def page(stages: Mapping[str, Any]) -> str:
    """All stages as Markdown."""
    lines = [
        "# Benchmarks", "",
        "Made by `uv run scripts/bench.py`; do not edit. Times are wall seconds: median [least - most] of turns in "
        "which the compared jobs alternate; *x* is how many times longer than ours, turn by turn. *cpu s* are "
        "processor seconds over all cores: the better figure where the load was above 1.", "",
    ]  # fmt: skip
    for name, stage in stages.items():
        where = stage["machine"]
        versions = where["versions"]
        shown = ", ".join(f"{k} {versions[k]}" for k in ("python", "torch", "openvino", "onnxruntime") if k in versions)
        lines += [
            f"## {name}", "",
            f"`{stage['command']}` — {stage['made'][:10]}, {where['processor']}, {where['cores']} cores, "
            f"{where['memory_gib']} GiB, GPU: {where['gpu']}; {shown}; load at the end {stage['load_after']}; "
            f"{stage['seconds']:.0f} s in all.", "",
        ]  # fmt: skip
        for number, table in enumerate(stage["tables"]):
            lines += [f"**{table['title']}**", "", *markdown(table["rows"]), ""]
            if table["note"]:
                lines += [table["note"], ""]
            if table["plot"]:
                lines += [f"![{table['title']}]({plot_name(name, number)})", ""]
        lines += [f"- skipped: {text}" for text in stage["skipped"]]
        lines += [""] if stage["skipped"] else []
    return "\n".join(lines).rstrip() + "\n"


def plot_name(stage: str, number: int) -> str:
    """The file name of a table's plot."""
    return f"{stage}-{number + 1}.png"


def columns(rows: list[dict[str, Any]]) -> list[str]:
    """All columns in order of appearance, ranges left out: they stand beside their median."""
    found = dict.fromkeys(key for row in rows for key in row)
    return [key for key in found if not key.endswith(" range")]


def markdown(rows: list[dict[str, Any]]) -> list[str]:
    """A Markdown table; a cell's range stands behind its median."""
    if not rows:
        return ["(nothing)"]
    shown = columns(rows)
    lines = ["| " + " | ".join(shown) + " |", "|" + "---|" * len(shown)]
    for row in rows:
        cells = [_cell(row.get(key), row.get(f"{key} range")) for key in shown]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _cell(value: Any, spread: list[float] | None) -> str:
    text = "" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)
    return text if spread is None else f"{text} [{spread[0]:.3g} - {spread[1]:.3g}]"
