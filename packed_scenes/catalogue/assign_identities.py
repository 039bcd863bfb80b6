"""Which identity each object of a new run gets: one it had before, or a new one.

The run's own clusters say which new objects belong together; claims say which identity of the catalogue each object
looks like on its own. Where the claims within a cluster agree, the whole cluster follows them. Where they name several
identities (the user keeps two look-alikes apart that the clusterer joins), every object follows its own claim and the
unclaimed ones go with the nearest claimed object of their cluster. A cluster of which less than half is claimed is a
new identity: by average linkage, too, it would stay apart.

So the order in which scenes are added does not matter where identities lie clearly apart: then every object claims its
own identity if it is there, and no other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from packed_scenes.data.objects import NOISE

Ints = npt.NDArray[np.int64]
NEW = -1


def assign_identities(vectors: npt.NDArray[np.float32], cluster: Ints, claim: Ints) -> tuple[Ints, Ints]:
    """Decide the identities of N new objects.

    Args:
        vectors: (N, D) unit rows.
        cluster: (N,) the run's clusters; -1 = noise, which is a cluster of its own here.
        claim: (N,) number of the identity each object looks like on its own; -1 = none.

    Returns:
        (N,) identity of each object, -1 where it is new; and (N,) for the new ones a group 0 … G-1 in order of first
        appearance, each a new identity, -1 elsewhere.
    """
    identity = np.asarray(claim, np.int64).copy()
    group = _own_groups(np.asarray(cluster, np.int64))
    if not len(group):
        return identity, identity.copy()
    order = np.argsort(group, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        open_rows = rows[identity[rows] == NEW]
        claimed = rows[identity[rows] != NEW]
        if 2 * len(claimed) < len(rows):
            identity[rows] = NEW
        elif len(open_rows):
            nearest = (vectors[open_rows] @ vectors[claimed].T).argmax(axis=1)
            identity[open_rows] = identity[claimed][nearest]
    fresh = np.full(len(identity), NEW, np.int64)
    new = np.flatnonzero(identity == NEW)
    if len(new):
        _, first, inverse = np.unique(group[new], return_index=True, return_inverse=True)
        rank = np.empty(len(first), np.int64)
        rank[np.argsort(first)] = np.arange(len(first))
        fresh[new] = rank[inverse]
    return identity, fresh


def _own_groups(cluster: Ints) -> Ints:
    """Give every noise row a cluster of its own."""
    group = cluster.copy()
    noise = group <= NOISE
    group[noise] = group.max(initial=-1) + 1 + np.arange(noise.sum())
    return group
