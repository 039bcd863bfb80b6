"""Choose a linear head for what is the same: discriminants of the groups, compared on photos left out in turn.

The network's own layers stay; only its last linear layer is followed by another (regularised linear discriminant
analysis; Fisher 1936, Friedman 1989). It pulls every group together and pushes all of them apart, takes a second on a
thousand objects, and has two parameters, the ridge and how much is kept of directions in which these groups do not
differ. These, and the distance at which groups merge, are chosen by the groups that come out on photos that did not
take part; the network as it is stands among the candidates, with its calibrated clusterer and with a distance alone.
What is not better than the former by one standard error is not taken.
Memory: K x D and D x D float64, and the distances of at most ``MOST`` objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packed_scenes.data.arrays import unit_rows
from packed_scenes.data.errors import InputError
from packed_scenes.embed.discriminant import Scatter

RIDGES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # shares of the mean variance within groups
FLOORS = (0.0, 0.1)
CUTS = np.geomspace(0.02, 0.8, 40)  # cosine distances, as far as the page's slider goes
TURNS = 5  # parts that are left out in turn, at most
MOST = 1500  # objects of a part that are grouped

Labels = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """What follows the network's last layer, ``x @ weight.T + bias``, and how groups are then made.

    Attributes:
        weight: (D, D).
        bias: (D,).
        threshold: cosine distance up to which groups merge; None = the clusterer chooses, as without teaching.
        expected: BCubed F on the photos left out in turn.
        ridge, floor: of the discriminant; None = the network as it is.
    """

    weight: Matrix
    bias: Matrix
    threshold: float | None
    expected: float
    ridge: float | None = None
    floor: float | None = None

    def apply(self, features: Vectors) -> Vectors:
        """(N, D) float32 unit rows."""
        return np.asarray(unit_rows(features @ self.weight.T + self.bias), np.float32)


def choose(
    features: Vectors, group: Labels, photo: Labels, *, automatic: Callable[[Vectors, Labels], Labels],
    report: Callable[[int, int], None] = lambda *_: None,
) -> Head:  # fmt: skip
    """Compare heads on photos left out in turn.

    Args:
        features: (N, D) what the network's last layer gives, not normalised.
        group: (N,) what is the same.
        photo: (N,) where it is; at least two photos.
        automatic: groups unit vectors, given their photos, as without teaching.
        report: called with candidates done and their number.

    Raises:
        InputError: if there is one photo only.
    """
    parts = list(_parts(photo))
    if len(parts) < 2:
        raise InputError("photos can only be left out in turn where there are two", remedy="Mark more photos.")
    width = features.shape[1]
    same = np.eye(width), np.zeros(width)

    def head_of(rows: Labels | slice, ridge: float | None, floor: float | None) -> tuple[Matrix, Matrix]:
        return same if ridge is None or floor is None else discriminant(features[rows], group[rows], ridge, floor)

    plain = unit_rows(features)
    alone = np.array([_f(group[out], automatic(plain[out], photo[out])) for out in parts])
    best, start = Head(*same, None, float(alone.mean())), float(alone.mean())
    candidates: list[tuple[float | None, float | None]] = [(None, None), *((r, f) for r in RIDGES for f in FLOORS)]
    for done, (ridge, floor) in enumerate(candidates):
        report(done, len(candidates))
        curves = np.zeros((len(parts), len(CUTS)))
        for curve, out in zip(curves, parts, strict=True):
            rest = np.setdiff1d(np.arange(len(group)), out)
            weight, bias = head_of(rest, ridge, floor)
            curve[:] = _curve(np.asarray(unit_rows(features[out] @ weight.T + bias), np.float32), group[out])
        at = _plateau(curves.mean(0))
        gain = curves[:, at] - alone
        sure = gain.mean() > gain.std(ddof=1) / len(parts) ** 0.5  # one standard error (Breiman et al. 1984)
        if sure and start + gain.mean() > best.expected:
            found = head_of(slice(None), ridge, floor)
            best = Head(*found, round(float(CUTS[at]), 4), float(curves[:, at].mean()), ridge, floor)
    return best


def discriminant(features: Vectors, group: Labels, ridge: float, floor: float) -> tuple[Matrix, Matrix]:
    """(D, D) weight and (D,) bias of the discriminant, the same for features of any length; those that change nothing
    where no two groups, or no group of several different objects, are there.
    """
    size = float(np.linalg.norm(features, axis=1).mean()) or 1.0
    scatter = Scatter.empty(features.shape[1])
    scatter.add(np.asarray(features / size, np.float32), group)
    if len(scatter.means) < 2 or np.trace(scatter.within) < 1e-9:
        return np.eye(features.shape[1]), np.zeros(features.shape[1])
    weight, bias = scatter.projection(features.shape[1], ridge=ridge, floor=floor)
    return weight / size, bias


def _parts(photo: Labels) -> Iterator[Labels]:
    """Rows of the photos that are left out together, at most :data:`MOST` each."""
    known = np.unique(photo)
    turns = min(TURNS, len(known))
    for turn in range(turns):
        rows = np.flatnonzero(np.isin(photo, known[turn::turns]))
        yield rows[:: -(-len(rows) // MOST)]


def _curve(vectors: Vectors, group: Labels) -> Matrix:
    """BCubed F of average linkage at every cut: as ``embed.calibrate.linkage_curves``, by a faster tree."""
    from packed_scenes.cluster.dense import average_tree, cosine_distances

    tree = average_tree(cosine_distances(vectors))
    return np.array([_f(group, tree.cut(float(cut))) for cut in CUTS])


def _plateau(curve: Matrix) -> int:
    """The best cut, judged with its neighbours: a peak of one cut alone does not hold on other photos."""
    padded = np.concatenate([curve[:1], curve, curve[-1:]])
    return int(np.argmax(padded[:-2] + 2 * padded[1:-1] + padded[2:]))


def _f(true: Labels, found: Labels) -> float:
    from packed_scenes.cluster import bcubed_f

    return bcubed_f(true, found)
