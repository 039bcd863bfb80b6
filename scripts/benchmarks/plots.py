"""One small PNG per table: bars of seconds by name, or seconds over a size on logarithmic axes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


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

    from data.files import atomic_write

    rows = [row for row in table["rows"] if isinstance(row.get("s"), int | float) and row["s"] > 0]
    curve = table["plot"] == "curve"
    figure = Figure(figsize=(6.4, 3.6 if curve else 0.9 + 0.34 * max(len(rows), 1)), layout="constrained")
    ax = figure.subplots()
    (_curves if curve else _bars)(ax, rows, table)
    ax.set_title(table["title"], fontsize=9, loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=110)


def _bars(ax: Any, rows: list[dict[str, Any]], table: Mapping[str, Any]) -> None:
    names = [str(row[table["by"]]) for row in rows]
    values = [row["s"] for row in rows]
    spreads = [row.get("s range", [row["s"]] * 2) for row in rows]
    error = [
        [max(0.0, value - low) for value, (low, _) in zip(values, spreads, strict=True)],
        [max(0.0, high - value) for value, (_, high) in zip(values, spreads, strict=True)],
    ]
    colors = ["#1b7f5c" if name.startswith("ours") else "#b9bec6" for name in names]
    ax.barh(names, values, color=colors, xerr=error, error_kw={"lw": 0.8, "capsize": 2})
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
    ax.set_xlabel(table["over"], fontsize=8)
    ax.set_ylabel("seconds", fontsize=8)
    ax.grid(True, which="both", lw=0.3, alpha=0.5)
    ax.tick_params(labelsize=8)
    ax.legend(fontsize=7, frameon=False)
