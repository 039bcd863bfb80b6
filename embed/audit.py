"""Label audit: what is wrong with a folder of classes, found from embeddings alone.

Six findings, in this order, each leaving out what an earlier one explains:

* ``copy`` - files that are byte-identical, or whose embeddings and thumbnails agree to within noise;
* ``mixture`` - a class of two far groups that lie beside two other classes (:mod:`packed_scenes.embed.mixtures`);
* ``split`` - a class of two distant groups of unknown cause: two products, or front and back of one. For the
  reader alone: nothing is dropped;
* ``duplicate`` - two classes that cannot be distinguished: distances across are no larger than distances within, or
  their nearest crops are as near as those of one class;
* ``sliver`` - a small class that lies inside a large one: the same test against the large class alone;
* ``mislabelled`` - a crop whose neighbours belong to one other class, and which is far from its own.

Memory: O(N) beyond the vectors: at most 150 crops of a class enter a comparison (1,000 that of nearest crops) and
neighbours are found in blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError
from packed_scenes.data.arrays import unit_rows
from packed_scenes.data.thresholds import UNCALIBRATED
from packed_scenes.embed.copies import find_copies
from packed_scenes.embed.mixtures import find_groups

MAX_CROPS = 150  # crops of a class that enter a comparison of classes
MAX_NEAREST = 1000  # … that of nearest crops: of a sample the true neighbours may be missing
CANDIDATES = 8  # nearest classes by centre that a class is compared with
BLOCK = 1024
SAME_CLASS = 0.6  # P(distance within < distance across): .5 for one class split at random, variants have .64 and more
# Crops come in bursts of one stand and light, which makes "within" small and two visits to one product look far apart.
# Their nearest crops still meet: nearest distance across over the median within. On packed_products one product has .49
# and less, variants .7 and more.
SAME_REACH = 0.63
FAR_REACH = 100.0  # beyond it the ratio says only that the class is of near-identical crops
SLIVER_SHARE = 0.2  # a sliver has at most this share of the large class's crops
NEIGHBOURS = 10
MAJORITY = 0.8

Vectors = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


class Kind(StrEnum):
    """Kinds of findings."""

    COPY = "copy"
    MIXTURE = "mixture"
    SPLIT = "split"
    DUPLICATE = "duplicate"
    SLIVER = "sliver"
    MISLABELLED = "mislabelled"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: what.
        classes: the classes concerned; of a sliver or a mislabelled crop first the wrong one, then the right one; of a
            mixture itself.
        rows: the crops concerned (a mixture or a split: its smaller group first).
        score: strength, in the units of the kind's test; see the module.
        note: one sentence for the reader.
    """

    kind: Kind
    classes: tuple[int, ...]
    rows: tuple[int, ...] = ()
    score: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class Audit:
    """All findings, and the evidence per pair of classes that the report shows.

    Attributes:
        findings: in the order of the module's list.
        pairs: ((class, class), the smaller figure of the two tests) of every pair compared, closest first.
        heights: (classes,) join height per class, NaN where it has under four crops.
    """

    findings: tuple[Finding, ...]
    pairs: tuple[tuple[tuple[int, int], float], ...] = ()
    heights: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def of(self, kind: Kind | str) -> list[Finding]:
        """Findings of one kind."""
        return [f for f in self.findings if f.kind == kind]


def audit_vectors(
    vectors: Vectors,
    label: Labels,
    *,
    digests: Sequence[str] | None = None,
    thumbnails: npt.NDArray[np.uint8] | None = None,
    threshold: float = UNCALIBRATED,
    seed: int = 0,
) -> Audit:
    """Audit labelled embeddings.

    Args:
        vectors: (N, D) unit rows.
        label: (N,) classes 0 … C-1.
        digests: (N,) content hashes; equal ones are copies.
        thumbnails: (N, h, w, 3) uint8; with them near copies are found too.
        threshold: the embedder's calibrated same/different cosine distance.
        seed: of the sampling of large classes.

    Raises:
        InputError: if the lengths disagree or there are fewer than two classes.
    """
    if len(vectors) != len(label):
        raise InputError(f"{len(vectors)} vectors but {len(label)} labels")
    classes = np.unique(label)
    if len(classes) < 2:
        raise InputError("an audit needs at least two classes", remedy="One folder per class.")
    copies = find_copies(vectors, digests=digests, thumbnails=thumbnails)
    first = np.ones(len(label), bool)
    for group in copies:
        seen: set[int] = set()
        for row in group:  # of the copies within a class only one counts
            first[row] = int(label[row]) not in seen
            seen.add(int(label[row]))
    rng = np.random.default_rng(seed)
    wide = {int(c): rng.permutation(np.flatnonzero((label == c) & first))[:MAX_NEAREST] for c in classes}
    sample = {c: np.sort(rows[:MAX_CROPS]) for c, rows in wide.items()}
    mixtures, heights = _mixtures(vectors, sample, threshold)
    mixed, split = ({f.classes[0] for f in mixtures if f.kind is kind} for kind in (Kind.MIXTURE, Kind.SPLIT))
    merges, pairs = _merges(vectors, sample, wide, np.bincount(label), mixed, split, threshold)
    alias = {c: c for c in map(int, classes)}
    for finding in merges:
        a, b = (alias[c] for c in finding.classes[:2])
        alias = {c: b if t == a else t for c, t in alias.items()}
    wrong = _mislabelled(vectors, label, first, alias, mixed, threshold)
    found = [
        Finding(Kind.COPY, tuple(sorted({int(label[r]) for r in g})), tuple(g), float(len(g)), f"{len(g)} copies")
        for g in copies
    ]
    return Audit((*found, *mixtures, *merges, *wrong), pairs, heights)


def _mixtures(
    vectors: Vectors, sample: dict[int, npt.NDArray[np.int64]], threshold: float
) -> tuple[list[Finding], npt.NDArray[np.float64]]:
    groups, heights = find_groups(vectors, sample, threshold)
    found = []
    for group in groups:
        kind = Kind.SPLIT if group.neighbour_classes is None else Kind.MIXTURE
        note = f"two groups at cosine distance {group.height:.2f}; the usual class joins at {group.median_height:.2f}"
        note += "; two products, or two sides of one" if group.neighbour_classes is None else ""
        rows = tuple(map(int, np.concatenate([group.small, group.large])))
        found.append(Finding(kind, (group.label,), rows, group.height / max(group.median_height, 1e-6), note))
    return sorted(found, key=lambda f: (f.kind is Kind.SPLIT, f.classes)), heights


def _merges(
    vectors: Vectors,
    sample: dict[int, npt.NDArray[np.int64]],
    wide: dict[int, npt.NDArray[np.int64]],
    size: npt.NDArray[np.int64],
    mixed: set[int],
    split: set[int],
    threshold: float,
) -> tuple[list[Finding], tuple[tuple[tuple[int, int], float], ...]]:
    classes = [c for c in sample if c not in mixed]
    centre = unit_rows(np.stack([vectors[sample[c]].mean(0) for c in classes]))
    similar = centre @ centre.T
    np.fill_diagonal(similar, -np.inf)
    near = np.argsort(-similar, axis=1)[:, : min(CANDIDATES, len(classes) - 1)]
    pairs: dict[tuple[int, int], float] = {}
    found: list[Finding] = []
    for i, row in enumerate(near):
        for j in row:
            large, small = sorted((classes[i], classes[j]), key=lambda c: (-size[c], c))
            if (small, large) in pairs:
                continue
            across = (1 - vectors[sample[small]] @ vectors[sample[large]].T).ravel()
            inside = _within(vectors[sample[large]])
            is_sliver = size[small] <= SLIVER_SHARE * size[large]
            if not is_sliver:
                own = _within(vectors[sample[small]])
                inside = np.sort(np.concatenate([inside, own])) if len(own) else inside
            if not len(inside):
                continue
            order = float((np.searchsorted(inside, across) / len(inside)).mean())
            # two far groups make "usual within" large, so that all else looks near: of such a class it says nothing
            reach = np.inf
            if not split & {small, large}:
                reach = _reach(vectors[wide[small]], vectors[wide[large]], one_way=is_sliver)
            pairs[small, large] = min(order, reach)
            # the calibrated distance guards classes of near-identical crops, beside which all others look alike
            if (order < SAME_CLASS or reach < SAME_REACH) and float(np.median(across)) < 2 * threshold:
                kind = Kind.SLIVER if is_sliver else Kind.DUPLICATE
                note = (
                    f"distances: {order:.2f} of those within are smaller than across (.5 = one class); nearest across "
                )
                note += "many times the usual within" if reach > FAR_REACH else f"{reach:.2f} of the usual within"
                found.append(Finding(kind, (small, large), score=min(order, reach), note=note))
    best: dict[int, Finding] = {}  # a class joins its closest partner only
    for finding in sorted(found, key=lambda f: f.score):
        best.setdefault(finding.classes[0], finding)
    order_of = {Kind.DUPLICATE: 0, Kind.SLIVER: 1}
    merged = sorted(best.values(), key=lambda f: (order_of[f.kind], f.score))
    return merged, tuple(sorted(pairs.items(), key=lambda item: item[1]))


def _reach(small: Vectors, large: Vectors, *, one_way: bool) -> float:
    """Median distance to the nearest crop of the other class over the median distance within that class."""
    across = 1 - small @ large.T
    forth = float(np.median(across.min(1))) / max(_middle(large), 1e-6)
    back = float(np.median(across.min(0))) / max(_middle(small), 1e-6)
    return forth if one_way else (forth + back) / 2


def _middle(vectors: Vectors) -> float:
    within = _within(vectors)
    return float(np.median(within)) if len(within) else 0.0


def _within(vectors: Vectors) -> npt.NDArray[np.float32]:
    i, j = np.triu_indices(len(vectors), 1)
    return np.sort((1 - vectors @ vectors.T)[i, j])


def _mislabelled(
    vectors: Vectors,
    label: Labels,
    first: npt.NDArray[np.bool_],
    alias: dict[int, int],
    mixed: set[int],
    threshold: float,
) -> list[Finding]:
    joined = np.array([alias[int(c)] for c in label])
    usable = np.flatnonzero(first & ~np.isin(label, list(mixed)))
    found: list[Finding] = []
    k = min(NEIGHBOURS, len(usable) - 1)
    if k < 3:
        return found
    gallery, names = vectors[usable], joined[usable]
    for start in range(0, len(usable), BLOCK):
        similar = gallery[start : start + BLOCK] @ gallery.T
        similar[np.arange(len(similar)), np.arange(start, start + len(similar))] = -np.inf
        top = np.argpartition(-similar, k, axis=1)[:, :k]
        for row, neighbours in enumerate(top):
            mine = names[start + row]
            around, times = np.unique(names[neighbours], return_counts=True)
            other = int(around[times.argmax()])
            own = np.sort(similar[row][names == mine])[::-1][: max(3, k // 2)]
            own = own[np.isfinite(own)]
            theirs = np.sort(similar[row][names == other])[::-1][:3]
            far = not len(own) or 1 - float(own[: len(theirs)].mean()) > 1 - float(theirs.mean()) + threshold / 2
            if other != mine and times.max() >= MAJORITY * k and far:
                crop = int(usable[start + row])
                note = f"{times.max()} of its {k} nearest crops belong to the other class"
                found.append(
                    Finding(Kind.MISLABELLED, (int(label[crop]), other), (crop,), float(times.max() / k), note)
                )
    return found


def summary(audit: Audit, classes: Sequence[str]) -> dict[str, Any]:
    """JSON values: findings with class names, and the ten closest pairs."""
    return {
        "counts": {str(kind): len(audit.of(kind)) for kind in Kind},
        "findings": [
            {
                "kind": str(f.kind), "classes": [classes[c] for c in f.classes], "rows": list(f.rows),
                "score": round(f.score, 4), "note": f.note,
            }
            for f in audit.findings
        ],
        "closest_pairs": [
            {"classes": [classes[a], classes[b]], "order": round(order, 4)} for (a, b), order in audit.pairs[:10]
        ],
    }  # fmt: skip
