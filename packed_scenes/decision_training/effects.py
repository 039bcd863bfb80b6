"""What makes sets of vectors differ, each by itself: variants side by side, light, noise, cameras, other embedders.

Every effect takes (rng, X, identity, family) and returns changed unit rows; ``identity`` is (N,) numbers 0 … K-1 and
``family`` (K,) the group of look-alikes that each identity belongs to.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from packed_scenes.data.arrays import unit_rows

Rows = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Rng = np.random.Generator
Effect = Callable[[Rng, Rows, Ints, Ints], Rows]


def variants(rng: Rng, X: Rows, identity: Ints, family: Ints) -> Rows:
    """Look-alikes are more alike than drawn ones: all rows of a family are pulled towards its mean.

    Where identities have no families, or now and then, a family is what is nearest to one of a few identities.
    """
    count = len(family)
    if len(np.unique(family)) == count or rng.random() < 0.2:
        middle = unit_rows(np.stack([X[identity == name].mean(axis=0) for name in range(count)]))
        heads = rng.permutation(count)[: max(1, count // int(rng.integers(2, 6)))]
        family = (middle @ middle[heads].T).argmax(axis=1)
    group = np.unique(family[identity], return_inverse=True)[1]
    middle = np.stack([X[group == g].mean(axis=0) for g in range(group.max() + 1)])
    return unit_rows(X + rng.uniform(0, 1) ** 2 * 1.4 * unit_rows(middle)[group])


def copies(rng: Rng, X: Rows, identity: Ints, family: Ints) -> Rows:
    """One photo, one light: the objects of an identity are more alike than crops from many photos are."""
    middle = np.stack([X[identity == name].mean(axis=0) for name in range(len(family))])
    return unit_rows(X + rng.uniform(0, 2) * unit_rows(middle)[identity])


def cameras(rng: Rng, X: Rows, identity: Ints, family: Ints) -> Rows:
    """Two or three cameras (or sides): what an identity shows to one is alike, and another than what it shows to the
    next, in its own way and in the way of the camera.
    """
    kinds = int(rng.integers(2, 4))
    camera = rng.integers(kinds, size=len(X))
    side = np.unique(identity * kinds + camera, return_inverse=True)[1]
    middle = np.stack([X[side == s].mean(axis=0) for s in range(side.max() + 1)])
    X = unit_rows(X + rng.uniform(0, 2) * unit_rows(middle)[side])
    own = unit_rows(rng.standard_normal((len(middle), X.shape[1])))[side]
    shared = unit_rows(rng.standard_normal((kinds, X.shape[1])))[camera]
    return unit_rows(X + rng.uniform(0, 1.2) * own + rng.uniform(0, 0.8) * shared)


def common(rng: Rng, X: Rows, identity: Ints, family: Ints) -> Rows:
    """One shop, one camera, one lens: everything is more alike."""
    shift = X.mean(axis=0) + 0.3 * rng.standard_normal(X.shape[1]) / np.sqrt(X.shape[1])
    return unit_rows(X + rng.uniform(0, 0.9) * unit_rows(shift))


def centred(rng: Rng, X: Rows, identity: Ints, family: Ints) -> Rows:
    """An embedder that sees less of what all have in common."""
    return unit_rows(X - rng.uniform(0, 0.9) * X.mean(axis=0))


def noise(rng: Rng, X: Rows, identity: Ints, family: Ints) -> Rows:
    """Blur, small crops, an embedder out of its depth: noise in a random subspace, some crops worse than others."""
    count, dim = X.shape
    basis = rng.standard_normal((int(rng.integers(3, dim)), dim))
    each = np.exp(rng.uniform(0, 0.8) * rng.standard_normal((count, 1)))
    return unit_rows(X + rng.uniform(0, 0.6) * each * unit_rows(rng.standard_normal((count, len(basis))) @ basis))


def grain(rng: Rng, X: Rows, identity: Ints, family: Ints) -> Rows:
    """A real photo: compression and boxes that are a few pixels off move every crop by itself."""
    each = np.exp(0.3 * rng.standard_normal((len(X), 1)))
    return unit_rows(X + rng.uniform(0.05, 0.3) * each * unit_rows(rng.standard_normal(X.shape)))


def poses(rng: Rng, X: Rows, identity: Ints, family: Ints) -> Rows:
    """Two to five cameras or sides, each with a shift of its own."""
    kinds = int(rng.integers(2, 6))
    shift = unit_rows(rng.standard_normal((kinds, X.shape[1])))
    return unit_rows(X + rng.uniform(0, 0.7) * shift[rng.integers(kinds, size=len(X))])


def light(rng: Rng, X: Rows, identity: Ints, family: Ints) -> Rows:
    """One direction along which the rows lie by a continuous amount."""
    along = unit_rows(rng.standard_normal((1, X.shape[1])))
    return unit_rows(X + rng.uniform(0, 0.6) * rng.standard_normal((len(X), 1)) * along)


def outliers(rng: Rng, X: Rows, identity: Ints, family: Ints) -> Rows:
    """A few crops that show hardly anything."""
    bad = rng.random((len(X), 1)) < 0.06
    return unit_rows(X + bad * rng.uniform(0.5, 1.5) * unit_rows(rng.standard_normal(X.shape)))


def projected(rng: Rng, X: Rows, identity: Ints, family: Ints) -> Rows:
    """An embedder of another width."""
    dim = X.shape[1]
    width = int(rng.integers(24, max(dim, 25) + 1))
    return unit_rows(X @ (rng.standard_normal((dim, width)) / np.sqrt(width)))


def stretched(rng: Rng, X: Rows, identity: Ints, family: Ints) -> Rows:
    """An embedder that weighs the directions of the set otherwise."""
    value, vector = np.linalg.eigh(np.cov(X.T) + 1e-4 * np.eye(X.shape[1]))
    return unit_rows(X @ (vector * np.maximum(value, 1e-6) ** rng.uniform(-0.35, 0.2)))


# effect, probability; goods stand on one photo, and variants beside them; people and cars come in several views
OF_GOODS: tuple[tuple[Effect, float], ...] = (
    (copies, 0.8), (variants, 0.45), (common, 0.1), (centred, 0.1), (noise, 0.08), (poses, 0.02), (light, 0.06),
    (outliers, 0.06), (grain, 0.5),
)  # fmt: skip
OF_SHELVES: tuple[tuple[Effect, float], ...] = (  # generated scenes, which have all that already
    (copies, 0.25), (variants, 0.3), (common, 0.1), (centred, 0.1), (noise, 0.12), (light, 0.06), (outliers, 0.06),
    (grain, 0.7),
)  # fmt: skip
OF_CROWDS: tuple[tuple[Effect, float], ...] = (
    (copies, 0.2), (variants, 0.15), (cameras, 0.6), (common, 0.3), (centred, 0.25), (noise, 0.35), (poses, 0.2),
    (light, 0.12), (outliers, 0.1),
)  # fmt: skip
OF_PAIRS: tuple[tuple[Effect, float], ...] = (  # what two real cameras saw needs no others
    (variants, 0.15), (common, 0.2), (centred, 0.2), (noise, 0.25), (light, 0.1), (outliers, 0.1),
)  # fmt: skip
OF_EMBEDDERS: tuple[tuple[Effect, float], ...] = ((projected, 0.25), (stretched, 0.15))
