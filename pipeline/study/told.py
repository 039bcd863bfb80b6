"""What the command line says while descriptors are made and when a study is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.study.collection import Progress
from pipeline.study.study import StudyResult, row_json


@contextmanager
def telling(*, quiet: bool) -> Iterator[Callable[[str], Progress | None]]:
    """Give a function that opens a progress bar for each descriptor."""
    if quiet:
        yield lambda name: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    bars = Bars(console=Console(stderr=True))

    def tell(name: str) -> Progress:
        bars.start()  # not before: an empty display would print a blank line in front of an error
        task = bars.add_task(name)
        return lambda done, total: bars.update(task, completed=done, total=total)

    try:
        yield tell
    finally:
        if bars.tasks:
            bars.stop()


def summary(result: StudyResult, written: Sequence[Path]) -> dict[str, Any]:
    """Return what a machine reads, with ``text``: the lines that a person reads."""
    winner, best = result.winner, result.true_best
    per_minute = 60 * result.fitted / result.fit_seconds if result.fitted else 0.0
    text = [
        f"{len(result.rows)} models ({result.fitted} now, {per_minute:.0f} a minute) of {result.collection.rows} rows, "
        f"{len(result.collection.descriptors)} descriptors"
    ]
    if winner is None:
        text.append("no model is in the running: see the column of clusters and noise in scores.csv")
    else:
        choice = result.choices[0]
        judged = choice.candidate.silhouette
        text.append(
            f"winner: {winner.space} · {winner.model}: {winner.clusters} clusters, {winner.noise:.1%} noise, "
            f"silhouette {judged:.3f}, stability {choice.stability:.2f}"
            + ("" if winner.ari != winner.ari else f", ARI {winner.ari:.3f}, BCubed F {winner.bcubed_f:.3f}")
        )
    if best is not None:
        text.append(
            f"best by truth: {best.space} · {best.model}: {best.clusters} clusters, ARI {best.ari:.3f}, "
            f"BCubed F {best.bcubed_f:.3f}"
        )
    text += [f"{path}" for path in written]
    return {
        "out": str(result.out), "rows": result.collection.rows, "models": len(result.rows), "fitted": result.fitted,
        "models_per_minute": round(per_minute, 2), "seconds": round(result.seconds, 2),
        "failed": len(result.collection.failed),
        "winner": None if winner is None else row_json(winner),
        "stability": result.choices[0].stability if result.choices else None,
        "best_by_truth": None if best is None else row_json(best),
        "written": [str(path) for path in written], "text": text,
    }  # fmt: skip
