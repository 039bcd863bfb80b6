"""Training on labels from a clustering: one round of fine-tuning, short and at a low rate, as some labels are wrong.

Clusters are proxies, as in the training from scratch, but they start at the clusters' own mean vectors; crops of no
cluster stand for themselves. Clusters are often fragments of one thing, so what lies near is pulled together where
the labels say so and never pushed apart: only clusters (and single crops) that are far from each other anyhow count
as different. Without this the fragments drift apart (8 unseen classes of packed_products: BCubed F .938 -> .874 in
two rounds). Source of treating clusters and single crops alike: Ge et al. 2020, "Self-paced Contrastive Learning
with Hybrid Memory", arXiv:2006.02713. The alternation with clustering is :mod:`packed_scenes.refining`: nothing here
knows how the labels were made.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from packed_scenes.data import InputError
from packed_scenes.embed.augment import Augmentation, augment
from packed_scenes.embed.networks import Unit
from packed_scenes.embed.store import CropStore

MILD = Augmentation(
    gain=0.25, white=0.05, contrast=0.2, gradient=0.2, low=0.4, low_scale=0.4, cut=0.08, occlude=0.2, overlap=0.08,
    noise=6.0, box_error=0.03,
)  # fmt: skip  # what differs between two pictures of one thing; stronger views wash out what tells things apart

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class RefineRecipe:
    """Parameters of one round.

    Attributes:
        steps: training steps.
        identities: clusters (and single crops) drawn per batch.
        views: crops drawn per identity.
        lr: peak learning rate (AdamW), reached after a tenth of the steps, falling to 0.
        scale: of the proxy loss.
        ambiguous: clusters and single crops nearer than this cosine distance are not pushed apart.
        seed: fixes batches and views.
    """

    steps: int = 150
    identities: int = 20
    views: int = 4
    lr: float = 1e-3
    scale: float = 16.0
    ambiguous: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.identities, self.views) < 1 or self.lr <= 0:
            raise InputError(f"steps, identities, views and lr must be positive, got {self}")


@dataclass
class PseudoBatches:
    """Batches of clusters and single crops, views spread over the cameras of a cluster.

    Args:
        store: N crops; its own labels are not looked at.
        labels: (N,) cluster names, -1 = leave the crop out.
        camera: (N,) camera or scene of each crop; None = one.
        identities, views, seed: see :class:`RefineRecipe`.
        how: strength of the augmentation.
    """

    store: CropStore
    labels: Labels
    camera: npt.NDArray[np.int64] | None = None
    identities: int = 20
    views: int = 4
    seed: int = 0
    how: Augmentation = field(default_factory=lambda: MILD)
    _members: list[npt.NDArray[np.int64]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.labels.shape != (len(self.store),):
            raise InputError(f"labels must have shape ({len(self.store)},), got {self.labels.shape}")
        order = np.argsort(self.labels, kind="stable")
        order = order[self.labels[order] >= 0]
        if not len(order):
            raise InputError("no crop has a label", remedy="Loosen what counts as a reliable cluster.")
        self._members = np.split(order, np.flatnonzero(np.diff(self.labels[order])) + 1)

    def draw(self, rng: np.random.Generator) -> Iterator[int]:
        """Yield the rows of one batch: clusters of several crops fill half of it or more where there are such."""
        several = np.flatnonzero([len(m) > 1 for m in self._members])
        single = np.flatnonzero([len(m) == 1 for m in self._members])
        few = min(len(single), self.identities // 2 if len(several) else self.identities)
        chosen = rng.permutation(several)[: self.identities - few]
        chosen = np.concatenate([chosen, rng.permutation(single)[: self.identities - len(chosen)]])
        for place in chosen.tolist():
            yield from self._pick(self._members[place], rng).tolist()

    def _pick(self, members: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.int64]:
        order = rng.permutation(members)
        if self.camera is not None:  # one of each camera first: the pairs across cameras are what must be learned
            _, first = np.unique(self.camera[order], return_index=True)
            order = np.concatenate([order[np.sort(first)], np.delete(order, first)])
        return np.resize(order, self.views)

    def batch(self, step: int, *, width: int, height: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """((B, height, width, 3) uint8 views, (B,) rows of the store) of one step: a pure function of (seed, step)."""
        rng = np.random.default_rng([self.seed, step])
        rows = np.fromiter(self.draw(rng), np.int64)
        out = np.empty((len(rows), height, width, 3), np.uint8)
        for canvas, row in zip(out, rows, strict=True):
            beside = int(rows[rng.integers(len(rows))])
            canvas[:] = augment(
                self.store.pixels[row], tuple(self.store.size[row].tolist()),
                self.store.pixels[beside], tuple(self.store.size[beside].tolist()),
                width=width, height=height, rng=rng, how=self.how,
            )  # fmt: skip
        return out, rows


def refine(
    network: Unit,
    batches: PseudoBatches,
    *,
    vectors: npt.NDArray[np.float32],
    recipe: RefineRecipe,
    apart: npt.NDArray[np.int64] | None = None,
    report: Callable[[int, float], None] | None = None,
) -> Unit:
    """Fine-tune a copy of a network on made-up labels.

    Args:
        network: where to start; stays as it is.
        batches: crops with their labels.
        vectors: (N, D) unit rows of the crops by ``network``; the proxies start from them.
        recipe: parameters.
        apart: (M, 2) labels that are known to be different things, however near they lie.
        report: called with (steps done, mean loss) every 10 steps.

    Returns:
        The trained copy, in evaluation mode.

    Raises:
        InputError: if the vectors do not fit the crops.
    """
    labels = batches.labels
    if vectors.shape != (len(labels), network.dimension):
        raise InputError(f"vectors must have shape ({len(labels)}, {network.dimension}), got {vectors.shape}")
    torch.manual_seed(recipe.seed)
    trained = copy.deepcopy(network).requires_grad_(True).to(memory_format=torch.channels_last)
    trained.eval()  # batch-norm statistics stay: a few hundred crops tell less than the first training did
    proxies, unlike = _proxies(vectors, labels, recipe.ambiguous)
    if apart is not None and len(apart):
        unlike[apart[:, 0], apart[:, 1]] = unlike[apart[:, 1], apart[:, 0]] = True
    learned = nn.Parameter(proxies)
    optimiser = torch.optim.AdamW(
        [{"params": trained.parameters(), "weight_decay": 0.01}, {"params": [learned], "weight_decay": 0.0}],
        lr=recipe.lr,
    )
    mean = 0.0
    for step in range(recipe.steps):
        for group in optimiser.param_groups:
            group["lr"] = recipe.lr * _schedule(step, recipe.steps)
        pixels, rows = batches.batch(step, width=network.width, height=network.height)
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
        target = torch.from_numpy(labels[rows])
        with torch.autocast("cpu", torch.bfloat16):
            embedding = trained(images)
        logits = recipe.scale * (embedding @ functional.normalize(learned, dim=1).T)
        loss = functional.cross_entropy(logits.masked_fill(~unlike[target], -torch.inf), target)
        loss = loss + 0.5 * contrast(embedding, target, apart=unlike[target][:, target], scale=recipe.scale)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(trained.parameters(), 5.0)
        optimiser.step()
        mean += (float(loss.detach()) - mean) / min(10, step + 1)
        if report is not None and ((step + 1) % 10 == 0 or step + 1 == recipe.steps):
            report(step + 1, mean)
    return trained.requires_grad_(False).eval()


def contrast(embedding: Tensor, label: Tensor, *, apart: Tensor, scale: float) -> Tensor:
    """:func:`packed_scenes.embed.losses.contrast` with only those crops as negatives that are certainly different.

    Args:
        embedding: (B, D) unit rows.
        label: (B,) int64.
        apart: (B, B) bool.
        scale: of the cosines.
    """
    logits = scale * embedding @ embedding.T
    same = label[:, None] == label[None, :]
    positive = same & ~torch.eye(len(label), dtype=torch.bool)
    negatives = logits.masked_fill(same | ~apart, -torch.inf).logsumexp(1, keepdim=True)
    has = positive.any(1) & torch.isfinite(negatives[:, 0])
    if not bool(has.any()):
        return embedding.sum() * 0
    loss = functional.softplus(negatives[has] - logits[has]) * positive[has]
    return (loss.sum(1) / positive[has].sum(1)).mean()


def _schedule(step: int, steps: int) -> float:
    warm = max(1, steps // 10)
    return float(min(1.0, (step + 1) / warm) * (1 + np.cos(np.pi * step / steps)) / 2)


def _proxies(vectors: npt.NDArray[np.float32], labels: Labels, ambiguous: float) -> tuple[Tensor, Tensor]:
    """(C, D) unit mean vectors of the labels, and (C, C) bool: are the two certainly different?"""
    kept = labels >= 0
    count = int(labels.max()) + 1
    sums = np.zeros((count, vectors.shape[1]), np.float64)
    np.add.at(sums, labels[kept], vectors[kept])
    means = functional.normalize(torch.from_numpy(sums).float(), dim=1)
    return means, (1 - means @ means.T > ambiguous) | torch.eye(count, dtype=torch.bool)
