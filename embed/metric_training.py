"""The training loop of the default network: proxies plus in-batch contrast, bf16, averaged weights, resumable."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from packed_scenes.data.files import atomic_write
from packed_scenes.embed.augment import MILD, Augmentation
from packed_scenes.embed.batches import Batches, Source, draw_views
from packed_scenes.embed.losses import ProxySoftmax, contrast
from packed_scenes.embed.networks import Unit


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Parameters of the training.

    Attributes:
        steps: length of the schedule; lengthen it to go on.
        rate: peak learning rate (AdamW).
        warmup: steps of linear warm-up.
        decay: weight decay of the network; proxies have none.
        scale, margin: of the proxy loss.
        contrast_scale, contrast_weight: of the in-batch loss.
        average: decay of the exponential moving average of the weights.
        mild: share of the schedule after which the augmentation is :data:`packed_scenes.embed.augment.MILD`.
        seed: fixes weights and batches.
        save_every, check_every: steps between checkpoints, and between calls of the check.
    """

    steps: int = 12_000
    rate: float = 3e-3
    warmup: int = 200
    decay: float = 0.02
    scale: float = 16.0
    margin: float = 0.15
    contrast_scale: float = 16.0
    contrast_weight: float = 0.5
    average: float = 0.998
    mild: float = 0.63
    seed: int = 0
    save_every: int = 200
    check_every: int = 500


def train(
    network: Unit,
    sources: Sequence[Source],
    *,
    recipe: Recipe,
    checkpoint: Path,
    check: Callable[[Unit, int], dict[str, float]] | None = None,
    report: Callable[[dict[str, Any]], None] | None = None,
    how: Augmentation | None = None,
    warm: bool = False,
    workers: int = 1,
) -> Unit:
    """Train, or resume from ``checkpoint`` if it exists.

    Args:
        network: the network; trained in place.
        sources: parts of each batch, with their proxy offsets set.
        recipe: parameters.
        checkpoint: file that is replaced every ``save_every`` steps; holds all that resuming needs.
        check: called with the averaged network; its figures join the report.
        report: called with one row of figures every 50 steps.
        how: strength of the augmentation before it turns mild; None = as it is by default.
        warm: the network is trained already: proxies start at the embeddings of their classes, not at random.
        workers: loader processes.

    Returns:
        The averaged network in evaluation mode.
    """
    torch.manual_seed(recipe.seed)
    network.to(memory_format=torch.channels_last)
    classes = max(source.offset + source.classes for source in sources)
    loss = ProxySoftmax(classes, network.dimension, scale=recipe.scale, margin=recipe.margin)
    average = copy.deepcopy(network).eval().requires_grad_(False)
    optimiser = torch.optim.AdamW(
        [
            {"params": network.parameters(), "weight_decay": recipe.decay},
            {"params": loss.parameters(), "weight_decay": 0.0},
        ],
        lr=recipe.rate,
    )
    step = 0
    if checkpoint.is_file():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        kept = min(len(state["loss"]["proxies"]), classes)  # sources may have grown since
        with torch.no_grad():
            loss.proxies[:kept] = state["loss"]["proxies"][:kept]
        if kept == classes == len(state["loss"]["proxies"]):
            optimiser.load_state_dict(state["optimiser"])
        step = int(state["step"])
    elif warm:
        place_proxies(loss, average, sources, seed=recipe.seed)
    later = round(recipe.mild * recipe.steps), MILD
    batches = Batches(
        sources, width=network.width, height=network.height, seed=recipe.seed, start=step, how=how, later=later
    )
    loader = iter(DataLoader(batches, batch_size=None, num_workers=workers, prefetch_factor=4 if workers else None))
    started, first, mean = time.monotonic(), step, 0.0
    while step < recipe.steps:
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate * schedule(step, steps=recipe.steps, warmup=recipe.warmup)
        pixels, label = next(loader)
        value = _step(network.train(), loss, optimiser, pixels, label, recipe)
        _follow(average, network, decay=min(recipe.average, (step + 1) / (step + 10)))
        step += 1
        mean += (value - mean) / min(50, step - first)
        row: dict[str, Any] = {}
        if check is not None and (step % recipe.check_every == 0 or step == recipe.steps):
            row |= check(average, step)
        if report is not None and (row or step % 50 == 0):
            pace = (time.monotonic() - started) / (step - first)
            report(
                {"step": step, "loss": mean, "seconds_left": pace * (recipe.steps - step), "seconds_per_step": pace}
                | row
            )
        if step % recipe.save_every == 0 or step == recipe.steps:
            with atomic_write(checkpoint) as path:
                torch.save(
                    {
                        "network": network.state_dict(), "average": average.state_dict(), "loss": loss.state_dict(),
                        "optimiser": optimiser.state_dict(), "step": step, "recipe": asdict(recipe),
                    },
                    path,
                )  # fmt: skip
    return average


@torch.inference_mode()
def place_proxies(loss: ProxySoftmax, network: Unit, sources: Sequence[Source], *, seed: int = 0) -> None:
    """Put every proxy where a trained network sees one crop of its class; memory as one batch of 64 crops."""
    rng = np.random.default_rng(seed)
    for source in sources:
        classes = source.samples()
        for start in range(0, len(classes), 64):
            drawn = classes[start : start + 64]
            pixels = torch.from_numpy(draw_views(drawn, network.width, network.height, rng, MILD))
            embedding = network(pixels.permute(0, 3, 1, 2).float())
            loss.proxies.data[[proxy for *_, proxy in drawn]] = embedding


def schedule(step: int, *, steps: int, warmup: int) -> float:
    """Linear warm-up, then half a cosine down to 1 %."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, steps - warmup))))


def _step(
    network: Unit, loss: ProxySoftmax, optimiser: torch.optim.Optimizer, pixels: Tensor, label: Tensor, recipe: Recipe
) -> float:
    images = pixels.permute(0, 3, 1, 2).float()  # a view of HWC memory: channels_last as it is
    with torch.autocast("cpu", torch.bfloat16):
        embedding = network(images)
    total = loss(embedding, label) + recipe.contrast_weight * contrast(embedding, label, scale=recipe.contrast_scale)
    optimiser.zero_grad(set_to_none=True)
    total.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    optimiser.step()
    return float(total.detach())


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, *, decay: float) -> None:
    for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - decay)
    for held, new in zip(average.buffers(), network.buffers(), strict=True):
        held.copy_(new)
