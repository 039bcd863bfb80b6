"""Stage ``decision``: what the default makes of every set at hand, how stable it is, and how sure of itself.

F is the mean BCubed F over the scenes of a set, each decided by itself; *best cut* is average linkage at each scene's
own best cut, *one cut* at the one that is best for the whole set, both by the truth. K is the number of identities
found by the true one (geometric mean), ECE the expected calibration error of the objects' probabilities; *held* and
*width* are the share of scenes whose true number lies in the interval without answers, and its upper limit by its lower
one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .inputs import Work
from .record import Found, Table

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .decided_sets import Collection
    from .pictures import Vectors

    Names = npt.NDArray[np.int64]
    Numbers = npt.NDArray[np.float64]

CUTS = 120  # cuts of a tree that are tried at most
BINS = 10
SIMULATED = {64: 10, 500: 4, 1000: 3}  # rows: seeds


def run(work: Work) -> Found:
    """Measure on whatever is at hand; simulated vectors always are."""
    found = Found([Table("simulated vectors, nothing calibrated", simulated(tiny=work.tiny))])
    if work.data is None or work.tiny:
        found.skipped.append("real and generated pictures need the folder of real pictures (--real)")
        return found
    from .decided_sets import collections, versions

    sets = collections(work)
    found.tables.insert(0, Table("the decision", accuracy(sets), (__doc__ or "").partition("\n\n")[2]))
    if work.bank is not None:
        found.tables.append(Table("a regressed cut", regressed(sets, work.bank), "BCubed F, mean over the scenes."))
    note = "Pair F between the answers for a scene and for the same one seen a little otherwise."
    found.tables.append(Table("stability, true boxes", stability(versions(work)), note))
    return found


def accuracy(sets: dict[str, Collection]) -> list[dict[str, Any]]:
    """One row per set."""
    return [{"set": name, **_row(part)} for name, part in sets.items()]


def _row(part: Collection) -> dict[str, Any]:
    import numpy as np

    from packed_scenes.cluster import bcubed_f, decision, make
    from packed_scenes.cluster.base import Hints

    rows, sure, right = [], [], []
    for scene in part.scenes:
        model = make("default", calibrated=part.unit).fit(scene.X, xyxy=scene.xyxy)
        true = len(np.unique(scene.y))
        hints = Hints(xyxy=None if scene.xyxy is None else scene.xyxy.astype(np.float64))
        counted = decision.count(decision.Evidence(scene.X, hints, unit=part.unit))
        sure.append(model.probabilities_)
        right.append(truth_of(scene.y, model.labels_))
        rows.append((
            bcubed_f(scene.y, model.labels_), best_cut(scene), np.log(model.n_clusters_ / true),
            counted.low <= true <= counted.high, np.log(counted.high / counted.low),
        ))  # fmt: skip
    f, best, k, held, width = np.array(rows, float).T
    return {
        "F": round(f.mean(), 3), "worst": round(f.min(), 3), "best cut": round(best.mean(), 3),
        "off": round(float(np.maximum(best - f, 0).mean()), 3), "one cut": round(common_cut(part.scenes), 3),
        "K": round(float(np.exp(k.mean())), 2), "ECE": round(ece(np.concatenate(sure), np.concatenate(right)), 3),
        "held": round(held.mean(), 2), "width": round(float(np.exp(width.mean())), 2),
    }  # fmt: skip


def truth_of(y: Names, labels: Names) -> Numbers:
    """(N,) what each object's probability is about: the share of the others of its cluster that are its identity;
    of an object alone, whether it is.
    """
    import numpy as np

    same, together = y[:, None] == y, labels[:, None] == labels
    size = together.sum(axis=1)
    mates = ((same & together).sum(axis=1) - 1) / np.maximum(size - 1, 1)
    return np.asarray(np.where(size > 1, mates, same.sum(axis=1) == 1), np.float64)


def ece(chance: Numbers, happened: Numbers) -> float:
    """Expected calibration error over ``BINS`` equal bins."""
    import numpy as np

    place = np.minimum((chance * BINS).astype(int), BINS - 1)
    parts = [(place == number) for number in range(BINS) if (place == number).any()]
    return float(sum(abs(chance[part].mean() - happened[part].mean()) * part.mean() for part in parts))


def best_cut(scene: Vectors) -> float:
    """The F of average linkage at the scene's own best cut, by the truth."""
    import numpy as np

    from packed_scenes.cluster import bcubed_f
    from packed_scenes.cluster.dense import average_tree, cosine_distances

    tree = average_tree(cosine_distances(scene.X))
    height = np.unique(np.concatenate([[0.0], tree.heights, [2.0]]))
    cuts = (height[1:] + height[:-1]) / 2
    cuts = cuts[np.linspace(0, len(cuts) - 1, min(len(cuts), CUTS)).round().astype(int)]
    return float(max(bcubed_f(scene.y, tree.cut(cut)) for cut in cuts))


def common_cut(scenes: list[Vectors]) -> float:
    """The F of average linkage at the one cut that is best for all scenes together, by the truth."""
    import numpy as np

    from packed_scenes.cluster import bcubed_f
    from packed_scenes.cluster.dense import average_tree, cosine_distances

    trees = [average_tree(cosine_distances(scene.X)) for scene in scenes]
    return float(
        max(
            np.mean([bcubed_f(s.y, tree.cut(cut)) for s, tree in zip(scenes, trees, strict=True)])
            for cut in np.arange(0.02, 0.9, 0.02)
        )
    )


def regressed(sets: dict[str, Collection], bank: Path) -> list[dict[str, Any]]:
    """F of the simplest alternative: average linkage at a cut that is regressed on figures of the set."""
    import numpy as np

    from packed_scenes.cluster import bcubed_f

    from .regressed import learned

    models = learned(bank)
    rows = []
    for name, part in sets.items():
        f = {
            title: np.mean([bcubed_f(s.y, model.predict(s.X, part.unit)) for s in part.scenes])
            for title, model in models.items()
        }
        rows.append({"set": name, **{title: round(float(value), 3) for title, value in f.items()}})
    return rows


def stability(sets: dict[str, dict[str, list[Vectors]]], *, unit: float = 0.2) -> list[dict[str, Any]]:
    """One row per set and change."""
    import numpy as np

    from .decided_sets import DRAWS, DROPPED

    rows = []
    for name, seen in sets.items():
        first = [_decide(scene, unit) for scene in seen["as it is"]]
        agreed = {
            title: [pair_f(one, _decide(scene, unit)) for one, scene in zip(first, scenes, strict=True)]
            for title, scenes in seen.items()
            if title != "as it is"
        }
        dropped = []
        for number, (one, scene) in enumerate(zip(first, seen["as it is"], strict=True)):
            for draw in range(DRAWS):
                gone = np.random.default_rng(1000 * draw + number).permutation(len(one))
                kept = np.sort(gone[max(1, round(DROPPED * len(one))) :])
                dropped.append(pair_f(one[kept], _decide(scene, unit, kept)))
        for title, values in (agreed | {"5 % of the boxes dropped": dropped}).items():
            middle, least = round(float(np.mean(values)), 3), round(min(values), 3)
            rows.append({"set": name, "change": title, "mean": middle, "worst": least})
    return rows


def _decide(scene: Vectors, unit: float, rows: Names | slice = slice(None)) -> Names:
    from packed_scenes.cluster import make

    assert scene.xyxy is not None
    labels: Names = make("default", calibrated=unit).fit(scene.X[rows], xyxy=scene.xyxy[rows]).labels_
    return labels


def pair_f(one: Names, two: Names) -> float:
    """F of the pairs of two answers; 1 where neither has any."""
    from packed_scenes.cluster import pair_counts

    return float(pair_counts(one, two).f)


def simulated(*, tiny: bool) -> list[dict[str, Any]]:
    """ARI of the default with nothing calibrated beside the reference's two stages."""
    import numpy as np

    from packed_scenes.cluster import TwoStage, make, score
    from packed_scenes.decision_training.gaussian import simulate

    rows = []
    for count, seeds in {64: 1}.items() if tiny else SIMULATED.items():
        drawn = [simulate(count, seed=seed) for seed in range(seeds)]
        found = {
            name: round(float(np.mean([score(y, model.fit_predict(X), ami=False).ARI for X, y in drawn])), 3)
            for name, model in (("default", make("default")), ("two-stage", TwoStage()))
        }
        rows.append({"rows": count, **found})
    return rows
