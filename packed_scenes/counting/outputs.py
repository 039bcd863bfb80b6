"""The run folder of a count: labels, folders per cluster, contact sheet, curve, record."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from packed_scenes.axes import logarithmic
from packed_scenes.counting.result import Count
from packed_scenes.crops import FolderKind, cluster_sheet, label_table, sort_into_folders
from packed_scenes.crops.folders import Bar
from packed_scenes.data.errors import named
from packed_scenes.data.extras import installed
from packed_scenes.data.files import atomic_write, write_csv, write_json
from packed_scenes.data.images import write_image
from packed_scenes.provenance import command_line, machine, versions

FOLDERS = "clusters"


def save_count(found: Count, out: Path, *, folders: str = "links", bar: Bar | None = None) -> Path:
    """Write the run folder of a count; every file whole or not at all.

    Args:
        found: the count.
        out: the folder; files of the same name are replaced.
        folders: ``links`` (one folder per cluster with symbolic links), ``copies``, or ``none``.
        bar: called with (done, all) while the folders are filled.

    Raises:
        InputError: if ``folders`` is unknown or the folder cannot be written.
    """
    kind = named(FolderKind, folders, "kind of cluster folders")
    write_csv(out / "cluster_labels.csv", label_table(found.names, found.labels, found.probability))
    write_csv(out / "curve.csv", points(found))
    if installed("matplotlib"):
        draw_curve(found, out / "curve.png")
    write_image(out / "clusters.png", cluster_sheet(found.paths, found.labels, found.probability))
    if kind is not FolderKind.NONE:
        sort_into_folders(found.paths, found.labels, out / FOLDERS, kind=kind, progress=bar)
    if found.errors:
        write_csv(out / "errors.csv", [("file", "reason"), *found.errors])
    else:
        (out / "errors.csv").unlink(missing_ok=True)
    write_json(out / "run.json", record(found))
    return out


def points(found: Count) -> list[tuple[object, ...]]:
    """Rows ``threshold, clusters`` below their header."""
    curve = found.curve
    rows = zip((f"{t:.5f}" for t in curve.thresholds.tolist()), curve.counts.tolist(), strict=True)
    return [("threshold", "clusters"), *rows]


def draw_curve(found: Count, path: Path) -> None:
    """Draw the count against the threshold with the result, its interval, the plain count and the stable stretch."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    curve, plateau = found.curve, found.curve.plateau()
    figure = Figure(figsize=(8, 5), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.axhspan(found.low, max(found.high, found.low * 1.005), color="#9ecae1", alpha=0.5, lw=0,
                 label=f"interval {found.low:,.0f} to {found.high:,.0f} ({found.method})")  # fmt: skip
    axes.axhline(found.count, color="#2171b5", lw=1.5, label=f"result: about {found.count:,.0f}")
    if plateau is not None:
        axes.axvspan(plateau.low, plateau.high, color="#c7e9c0", alpha=0.6, lw=0, label="stable stretch")
    axes.plot(curve.thresholds, curve.counts, "o-", color="#333333", ms=3.5, label="clusters of average linkage")
    axes.plot([found.plain_threshold], [found.plain], "D", color="#d94801", ms=8,
              label=f"plain clustering: {found.plain:,} at {found.plain_threshold:.2f}")  # fmt: skip
    axes.set(xlabel="threshold (cosine distance)", ylabel="different ones",
             title=f"{len(found.paths):,} crops: {found.sentence()}")  # fmt: skip
    most = max(found.high, float(curve.counts.max(initial=1)), found.plain)
    axes.set_ylim(0.9 * max(1, min(found.low, float(curve.counts.min(initial=1)))), 1.15 * most)  # no tick below one
    logarithmic(axes, "x")
    logarithmic(axes, "y", whole=True)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.grid(alpha=0.25, which="both")
    axes.legend(fontsize=8)
    with atomic_write(path) as temporary:
        figure.savefig(temporary)


def record(found: Count) -> dict[str, object]:
    """How the count was made, as JSON values."""
    from dataclasses import asdict

    asked = found.asked
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command_line(),
        "folder": str(found.folder),
        "options": asdict(found.options),
        "seed": found.options.seed,
        "versions": versions(),
        "machine": machine(),
        "embedder": found.card,
        "labels_threshold": found.threshold,
        "result": found.to_json(),
        "asking": None if asked is None else {
            "bond": None if asked.match_model is None else asdict(asked.match_model),
            "units": asked.units,
            "rounds": len(asked.rounds),
            "beyond": round(asked.unreached, 4),
        },
        "seconds": found.seconds,
    }  # fmt: skip
