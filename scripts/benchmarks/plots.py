"""One small PNG per table: bars of accuracy and seconds by name, or seconds over a size on logarithmic axes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

ACCURACY = ("BCubed F", "AP50", "ARI")  # the column shown beside the seconds, the first that a table has


def draw_stage(out: Path, name: str, stage: Mapping[str, Any]) -> None:
    """Draw the plots of one stage's record."""
    from .record import plot_name

    for number, table in enumerate(stage["tables"]):
        if table["plot"] and table["rows"]:
            draw(out / plot_name(name, number), table)


def draw(path: Path, table: Mapping[str, Any]) -> None:
    """Draw one table's plot."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure

    from packed_scenes.data.files import atomic_write

    rows = [row for row in table["rows"] if isinstance(row.get("s"), int | float) and row["s"] > 0]
    curve = table["plot"] == "curve"
    accuracy = next((name for name in ACCURACY if rows and name in rows[0]), None)
    wide, tall = (8.8, 0.9 + 0.34 * max(len(rows), 1)) if accuracy else (6.4, 3.6 if curve else 1 + 0.34 * len(rows))
    figure = Figure(figsize=(wide, tall), layout="constrained")
    if curve:
        _curves(figure.subplots(), rows, table)
    elif accuracy:
        left, right = figure.subplots(1, 2, sharey=True)
        _accuracy(left, rows, table, accuracy)
        _seconds(right, rows, table)
    else:
        _seconds(figure.subplots(), rows, table)
    figure.suptitle(table["title"], fontsize=9)
    for ax in figure.axes:
        ax.spines[["top", "right"]].set_visible(False)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=110)


def _names(rows: list[dict[str, Any]], table: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Names and colours of the bars: ours stands out."""
    names = [str(row[table["by"]]) for row in rows]
    return names, ["#1b7f5c" if name.startswith("ours") else "#b9bec6" for name in names]


def _accuracy(ax: Any, rows: list[dict[str, Any]], table: Mapping[str, Any], column: str) -> None:
    names, colors = _names(rows, table)
    values = [row[column] for row in rows]
    ax.barh(names, values, color=colors)
    ax.invert_yaxis()
    ax.tick_params(labelsize=8)
    ax.set_xlim(0, 1.12)
    ax.set_xlabel(column, fontsize=8)
    for at, value in enumerate(values):
        ax.text(value, at, f"  {value:.3g}", fontsize=7, va="center")


def _seconds(ax: Any, rows: list[dict[str, Any]], table: Mapping[str, Any]) -> None:
    names, colors = _names(rows, table)
    values = [row["s"] for row in rows]
    spreads = [row.get("s range", [row["s"]] * 2) for row in rows]
    error = [
        [max(0.0, value - low) for value, (low, _) in zip(values, spreads, strict=True)],
        [max(0.0, high - value) for value, (_, high) in zip(values, spreads, strict=True)],
    ]
    ax.barh(names, values, color=colors, xerr=error, error_kw={"lw": 0.8, "capsize": 2})
    if not ax.yaxis_inverted():
        ax.invert_yaxis()
    ax.tick_params(labelsize=8)
    ax.set_xlabel("seconds (median, least to most)", fontsize=8)
    for at, (value, (_, high)) in enumerate(zip(values, spreads, strict=True)):
        ax.text(high, at, f"  {value:.3g}", fontsize=7, va="center")
    ax.margins(x=0.12)


def _curves(ax: Any, rows: list[dict[str, Any]], table: Mapping[str, Any]) -> None:
    for name in dict.fromkeys(row[table["by"]] for row in rows):
        line = [row for row in rows if row[table["by"]] == name]
        ax.plot([row[table["over"]] for row in line], [row["s"] for row in line], "o-", ms=3, lw=1.2, label=str(name))
    ax.set_xscale("log")
    ax.set_yscale("log")
    sizes = sorted({row[table["over"]] for row in rows if row[table["by"]] == rows[0][table["by"]]})
    ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
    ax.minorticks_off()
    ax.set_xlabel(table["over"], fontsize=8)
    ax.set_ylabel("seconds", fontsize=8)
    ax.grid(True, which="both", lw=0.3, alpha=0.5)
    ax.tick_params(labelsize=8)
    ax.legend(fontsize=7, frameon=False)
