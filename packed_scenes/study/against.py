"""Where internal scores mislead: what each of them would have chosen, beside the truth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from packed_scenes.study.ledger import Row
from packed_scenes.study.study import StudyResult


@dataclass(frozen=True)
class Verdict:
    """What one internal score would have chosen.

    Attributes:
        name: of the score.
        row: its choice among the models that are in the running.
        rank_correlation: Spearman's, of the score with ARI over them; 1 = orders models as the truth does.
        unguarded: its choice among all models.
    """

    name: str
    row: Row
    rank_correlation: float
    unguarded: Row


def verdicts(result: StudyResult) -> list[Verdict]:
    """Ask every internal score; empty without truth or with fewer than three models in the running."""
    scores: tuple[tuple[str, Callable[[Row], float]], ...] = (
        ("silhouette", lambda row: row.judged),
        ("silhouette above nothing, noise as 0", lambda row: result.candidate(row).quality),
        ("Calinski-Harabasz", lambda row: row.calinski_harabasz),
        ("Davies-Bouldin", lambda row: -row.davies_bouldin),
    )
    found = []
    for name, value in scores:
        every = [row for row in result.rows if math.isfinite(value(row)) and math.isfinite(row.ari)]
        kept = [row for row in every if not row.fault]
        if len(kept) < 3:
            continue
        order = _spearman([value(row) for row in kept], [row.ari for row in kept])
        found.append(Verdict(name, max(kept, key=value), order, max(every, key=value)))
    return found


def sentences(result: StudyResult) -> list[str]:
    """Say in plain words how far the winner is from the truth's best and which scores mislead here."""
    winner, best = result.winner, result.true_best
    if winner is None or best is None:
        return []
    ratio = winner.clusters / max(winner.clusters_true, 1)
    count = "as many as" if 0.8 <= ratio <= 1.25 else "fewer than" if ratio < 1 else "more than"
    said = [
        f"The rule, which never saw the truth, chose ARI {winner.ari:.3f} and BCubed F {winner.bcubed_f:.3f}; the best "
        f"of all {len(result.rows)} models reaches {best.ari:.3f} and {best.bcubed_f:.3f} "
        f"({best.space} · {best.model}, {best.clusters} clusters). The winner's {winner.clusters} clusters are "
        f"{count} the {winner.clusters_true} true groups."
    ]
    if best.key == winner.key:
        said.append("Here the rule found the best model there was.")
    for one in verdicts(result):
        weak = "does not order models as the truth does" if one.rank_correlation < 0.3 else "partly follows the truth"
        weak = "orders models much as the truth does" if one.rank_correlation >= 0.7 else weak
        line = (
            f"{one.name}: its favourite has {one.row.clusters} clusters and ARI {one.row.ari:.3f}; over all models in "
            f"the running it {weak} (rank correlation {one.rank_correlation:+.2f})."
        )
        if one.unguarded.key != one.row.key and one.unguarded.fault:
            line += (
                f" Without the rule's guards it would have taken a model with {one.unguarded.fault} "
                f"(ARI {one.unguarded.ari:.3f})."
            )
        said.append(line)
    same = [r for r in result.rows if r.space == winner.space and math.isfinite(r.ari)]
    here = max(same, key=lambda row: row.ari)
    if best.space != winner.space and best.ari - here.ari > 0.02:
        said.append(
            f"Part of the gap is the space: the best model in the winner's own space reaches {here.ari:.3f}. Scores of "
            "different spaces are compared on different scales."
        )
    return said


def _spearman(a: Sequence[float], b: Sequence[float]) -> float:
    from scipy.stats import rankdata

    x, y = rankdata(a), rankdata(b)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])
