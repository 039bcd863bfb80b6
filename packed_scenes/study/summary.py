"""What the command line says when a study is done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from packed_scenes.study.study import StudyResult, row_json


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
