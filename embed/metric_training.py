"""The training loop of the default network: proxies plus in-batch contrast, bf16, averaged weights, resumable."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from packed_scenes.embed.augment import MILD, Augmentation
from packed_scenes.embed.batches import Batches, Source, draw_views
from packed_scenes.embed.losses import ProxySoftmax, contrast
from packed_scenes.embed.networks import Unit
from packed_scenes.embed.training_loop import load_checkpoint, run_steps


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Parameters of the training.

    Attributes:
        steps: length of the schedule; lengthen it to go on.
        lr: peak learning rate (AdamW).
        warmup: steps of linear warm-up.
        weight_decay: of the network; proxies have none.
        scale, margin: of the proxy loss.
        contrast_scale, contrast_weight: of the in-batch loss.
        ema_decay: of the exponential moving average of the weights.
        mild: share of the schedule after which the augmentation is :data:`packed_scenes.embed.augment.MILD`.
        seed: fixes weights and batches.
        save_every, check_every: steps between checkpoints, and between calls of the check.
    """

    steps: int = 12_000
    lr: float = 3e-3
    warmup: int = 200
    weight_decay: float = 0.02
    scale: float = 16.0
    margin: float = 0.15
    contrast_scale: float = 16.0
    contrast_weight: float = 0.5
    ema_decay: float = 0.998
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
    ema = copy.deepcopy(network).eval().requires_grad_(False)
    optimiser = torch.optim.AdamW(
        [
            {"params": network.parameters(), "weight_decay": recipe.weight_decay},
            {"params": loss.parameters(), "weight_decay": 0.0},
        ],
        lr=recipe.lr,
    )
    step, state = 0, load_checkpoint(checkpoint, network, ema)
    if state is not None:
        known = min(len(state["loss"]["proxies"]), classes)  # sources may have grown since
        with torch.no_grad():
            loss.proxies[:known] = state["loss"]["proxies"][:known]
        if known == classes == len(state["loss"]["proxies"]):
            optimiser.load_state_dict(state["optimiser"])
        step = int(state["step"])
    elif warm:
        place_proxies(loss, ema, sources, seed=recipe.seed)
    later = round(recipe.mild * recipe.steps), MILD
    batches = Batches(
        sources, width=network.width, height=network.height, seed=recipe.seed, start=step, how=how, later=later
    )

    def total(images: Tensor, label: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            embedding = network(images)
        beside = contrast(embedding, label, scale=recipe.contrast_scale)
        return loss(embedding, label) + recipe.contrast_weight * beside  # type: ignore[no-any-return]

    return run_steps(
        network, ema, optimiser, batches, loss=total, clip=network.parameters(), recipe=recipe,
        saved=lambda: {"loss": loss.state_dict(), "recipe": asdict(recipe)}, checkpoint=checkpoint, first=step,
        check=check, check_every=recipe.check_every, report=report, workers=workers,
    )  # fmt: skip


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
