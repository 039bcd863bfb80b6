"""Ticks of plots: few, on plain numbers, whole where what is counted is whole."""

from __future__ import annotations

from typing import Any


def logarithmic(panel: Any, which: str, *, whole: bool = False) -> None:
    """Scale one axis ("x" or "y") of a matplotlib panel by logarithms, with few ticks written as plain numbers.

    With ``whole`` they are whole, for axes that do not reach below 1.
    """
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

    panel.set(**{f"{which}scale": "log"})
    low, high = panel.get_xlim() if which == "x" else panel.get_ylim()
    axis = panel.xaxis if which == "x" else panel.yaxis
    wide = high > 10 * low > 0
    axis.set_major_locator(
        LogLocator(subs=(1, 2, 5) if high < 1000 * low else (1,))
        if wide
        else MaxNLocator(4, integer=whole, min_n_ticks=1)
    )
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def whole_numbers(panel: Any) -> None:
    """Put the ticks of the x axis on whole numbers."""
    from matplotlib.ticker import MaxNLocator

    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
