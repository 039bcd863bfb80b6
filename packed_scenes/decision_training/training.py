"""Train the judge of pairs on simulated sets.

The loss is the cross-entropy of the pairs of the lists, every object and every set weighing alike, at each round of
answers, and a little of 1 - BCubed F computed from the probabilities. What is kept is a moving average of the weights.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from packed_scenes.data.files import atomic_write
from packed_scenes.data.torchfile import going_on_from, load_torch
from packed_scenes.decision_training.bank import Bank, Floats
from packed_scenes.decision_training.network import Batch, Network, collate, statistics_of
from packed_scenes.decision_training.simulate import draw

ANSWERS = (0.3, 0.3, 1.0)  # weights of the losses of the successive answers
BCUBED = 0.3
WARM, SLOW = 50, 0.995
SAVE = 250  # steps between checkpoints


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train. ``width``: of the states of pairs; ``narrow``: of those of objects and the set."""

    steps: int = 4000
    sets: int = 8
    lr: float = 3e-3
    weight_decay: float = 1e-3
    width: int = 40
    narrow: int = 32
    rounds: int = 2
    seed: int = 0


def loss_of(answers: Sequence[Tensor], batch: Batch) -> tuple[Tensor, float]:
    """The loss, and BCubed F by the last answers, mean over the sets."""
    there = batch.there.float()
    sizes = torch.bincount(batch.of)
    weight = there / there.sum(1, keepdim=True) / sizes[batch.of].unsqueeze(1) / len(sizes)
    total = torch.zeros(())
    for answer, share in zip(answers, ANSWERS, strict=True):
        total = total + share * (binary_cross_entropy_with_logits(answer, batch.same, reduction="none") * weight).sum()
    chance = answers[-1].sigmoid() * there
    hit = 1 + (chance * batch.same).sum(1)

    def mean(value: Tensor) -> Tensor:
        return torch.zeros(len(sizes)).index_add(0, batch.of, value) / sizes

    precision, recall = mean(hit / (1 + chance.sum(1))), mean(hit / (1 + (batch.same * there).sum(1)))
    f = (2 * precision * recall / (precision + recall)).mean()
    return total + BCUBED * (1 - f), float(f.detach())


def train(
    bank: Bank,
    recipe: Recipe,
    checkpoint: Path,
    *,
    start: Mapping[str, Floats] | None = None,
    report: Callable[[int, float, float, float], None] | None = None,
) -> dict[str, Floats]:
    """Train, or go on from the checkpoint, and return the averaged weights.

    Args:
        bank: what sets are put together from. recipe: see there.
        start: weights to start from; those of the same shape are taken, and layers whose input has grown since.
        checkpoint: written every ``SAVE`` steps; one of another recipe is not continued.
        report: called with (step, loss, BCubed F, seconds), running means.
    """
    torch.manual_seed(recipe.seed)
    first = np.random.default_rng([recipe.seed, 0])
    network = Network(
        statistics_of(collate([draw(bank, first) for _ in range(60)])),
        width=recipe.width, narrow=recipe.narrow, rounds=recipe.rounds,
    )  # fmt: skip
    if start is not None:
        network.take(start)
    averaged = {name: value.clone() for name, value in network.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay)
    begin, shown = 0, (1.0, 0.0)
    if checkpoint.is_file():
        with going_on_from(checkpoint):
            held = load_torch(checkpoint)
            if held["recipe"] == asdict(recipe):
                network.load_state_dict(held["network"])
                optimiser.load_state_dict(held["optimiser"])
                averaged, begin = held["averaged"], int(held["step"])
    begun = time.perf_counter()
    for step in range(begin, recipe.steps):
        lr = recipe.lr * min(1.0, (step + 1) / WARM) * (0.5 + 0.5 * math.cos(math.pi * step / recipe.steps)) + 2e-5
        for group in optimiser.param_groups:
            group["lr"] = lr
        rng = np.random.default_rng([recipe.seed, 1, step])  # a step's sets do not depend on where it was resumed
        batch = collate([draw(bank, rng) for _ in range(recipe.sets)])
        loss, f = loss_of(network(batch), batch)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        slow = min(SLOW, (step + 1) / (step + 10))
        with torch.no_grad():
            for name, value in network.state_dict().items():
                averaged[name].mul_(slow).add_(value, alpha=1 - slow)
        shown = 0.98 * shown[0] + 0.02 * float(loss.detach()), 0.98 * shown[1] + 0.02 * f
        if report is not None:
            report(step + 1, *shown, time.perf_counter() - begun)
        if (step + 1) % SAVE == 0 or step + 1 == recipe.steps:
            held = {
                "recipe": asdict(recipe),
                "network": network.state_dict(),
                "optimiser": optimiser.state_dict(),
                "averaged": averaged,
                "step": step + 1,
            }
            with atomic_write(checkpoint) as path:
                torch.save(held, path)
    network.load_state_dict(averaged)
    return network.weights()
