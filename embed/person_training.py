"""How the person weights are made: ImageNet's MobileNetV2 and a linear layer under which drawn people lie apart.

The layer is solved in closed form. Steps of contrast may follow; those tried so far made real people harder to tell
apart (embed/README.md), so the default is none.
"""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from packed_scenes.data import InputError
from packed_scenes.data.files import sha256_file
from packed_scenes.data.synth.people import SITE, shoot
from packed_scenes.embed.calibrate import calibrate
from packed_scenes.embed.discriminant import Scatter
from packed_scenes.embed.losses import contrast
from packed_scenes.embed.person_batches import PeopleBatches, RealPeople
from packed_scenes.embed.person_holdout import check_network, hold_out, scenes_of
from packed_scenes.embed.person_network import PersonNet, load_imagenet
from packed_scenes.embed.training_loop import load_checkpoint, run_steps
from packed_scenes.embed.weights import load_card, load_tensors, save_weights

SOLVED_SEED = 0x11DA  # apart from the people of the steps and of the checks


@dataclass(frozen=True, kw_only=True)
class PersonRecipe:
    """Parameters of the training.

    Attributes:
        steps: length of the schedule of contrast; lengthen it to go on; 0 = the solved layer is all.
        lr: peak learning rate of the new layers (AdamW); ``trunk_lr_scale``: that of MobileNetV2's as a share of it.
        trunk: blocks of MobileNetV2 that keep their ImageNet weights.
        warmup: steps of linear warm-up.
        weight_decay: of the optimiser.
        scale: of the contrast.
        people, views, group, real_people: see :class:`packed_scenes.embed.person_batches.PeopleBatches`.
        solved_people, solved_views: drawn people, and crops of each, from which the linear layer is solved before the
            first step (:func:`solve_head`); 0 = it starts random.
        ema_decay: of the exponential moving average of the weights.
        seed: fixes weights and batches.
        save_every: steps between checkpoints.
    """

    steps: int = 0
    lr: float = 1e-3
    trunk_lr_scale: float = 0.2
    trunk: int = 7
    warmup: int = 30
    weight_decay: float = 0.02
    scale: float = 16.0
    people: int = 18
    views: int = 4
    group: int = 2
    real_people: int = 3
    solved_people: int = 1000
    solved_views: int = 25
    ema_decay: float = 0.99
    seed: int = 0
    save_every: int = 20


def train_person(
    network: PersonNet,
    *,
    recipe: PersonRecipe,
    checkpoint: Path,
    real: RealPeople | None = None,
    check: Callable[[PersonNet, int], dict[str, float]] | None = None,
    check_every: int = 250,
    report: Callable[[dict[str, Any]], None] | None = None,
    workers: int = 1,
) -> PersonNet:
    """Train, or resume from ``checkpoint`` if it exists.

    Returns:
        The averaged network in evaluation mode.
    """
    torch.manual_seed(recipe.seed)
    network.to(memory_format=torch.channels_last)
    network.trunk = recipe.trunk
    ema = copy.deepcopy(network).eval().requires_grad_(False)
    old = [p for block in network.blocks[recipe.trunk :] for p in block.parameters()]
    new = [*network.head.parameters(), network.across]
    optimiser = torch.optim.AdamW(
        [{"params": old, "share": recipe.trunk_lr_scale}, {"params": new, "share": 1.0}],
        lr=recipe.lr, weight_decay=recipe.weight_decay,
    )  # fmt: skip
    step, state = 0, load_checkpoint(checkpoint, network, ema)
    if state is not None:
        optimiser.load_state_dict(state["optimiser"])
        step = int(state["step"])
    batches = PeopleBatches(
        width=network.width, height=network.height, people=recipe.people, views=recipe.views, group=recipe.group,
        real=real, real_people=recipe.real_people, seed=recipe.seed, start=step,
    )  # fmt: skip
    return run_steps(
        network, ema, optimiser, batches,
        loss=lambda images, label: contrast(network(images), label, scale=recipe.scale), clip=[*old, *new],
        recipe=recipe, saved=lambda: {"recipe": asdict(recipe)}, checkpoint=checkpoint, first=step, check=check,
        check_every=check_every, report=report, report_every=25, workers=workers,
    )  # fmt: skip


def solve_head(
    network: PersonNet,
    *,
    recipe: PersonRecipe,
    cache_file: Path,
    real: RealPeople | None = None,
    report: Callable[[dict[str, Any]], None] | None = None,
) -> None:
    """Set the linear layer to the discriminant of drawn people, 100 at a time, each hundred one site.

    Args:
        network: changed in place.
        recipe: says how many people and crops.
        kept: file that holds what was summed so far; an interrupted call goes on from it.
        real: photos for backgrounds.
        report: called with figures after every site.
    """
    scatter = Scatter.load(cache_file) if cache_file.is_file() else Scatter.empty(network.head.in_features)
    first, started = len(scatter.means), time.monotonic()
    network.eval()
    while (done := len(scatter.means)) < recipe.solved_people:
        drawn = shoot(
            np.random.default_rng([recipe.seed, SOLVED_SEED, done]), people=min(SITE, recipe.solved_people - done),
            views=recipe.solved_views, width=network.width, height=network.height, group=recipe.group,
            pictures=real.pictures if real else (),
        )  # fmt: skip
        with torch.inference_mode():
            parts = torch.split(torch.from_numpy(drawn.pixels).permute(0, 3, 1, 2).float(), 64)
            rows = np.concatenate([network.rows(network.scale(part)).numpy() for part in parts])
        scatter.add(rows, drawn.label)
        scatter.save(cache_file)
        if report is not None:
            done = len(scatter.means)
            pace = (time.monotonic() - started) / (done - first)
            report({"people": done, "seconds_left": pace * (recipe.solved_people - done)})
    weight, bias = scatter.projection(network.dimension)
    with torch.no_grad():
        network.head.weight.copy_(torch.from_numpy(weight))
        network.head.bias.copy_(torch.from_numpy(bias))


def make_person(
    *,
    work: Path,
    out: Path,
    recipe: PersonRecipe,
    start: Path | None,
    real: RealPeople,
    data: dict[str, Any],
    report: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Train or go on training, calibrate on people kept out, and write ``out`` (``.safetensors``) and its card.

    Args:
        work: folder of ``checkpoint.pt``.
        out: weights file.
        recipe: parameters.
        start: torchvision's ``mobilenet_v2`` state dict (``.pth``), or weights of an earlier training
            (``.safetensors``); None = random.
        real: real people and backgrounds.
        data: what to say on the card about the data.
        report: called with figures.

    Returns:
        The card.

    Raises:
        InputError: if ``start`` holds no such weights.
    """
    torch.manual_seed(recipe.seed)
    network = PersonNet()
    if start is not None and start.suffix == ".safetensors":
        load_card(start)
        try:
            network.load_state_dict(load_tensors(start))
        except RuntimeError as error:
            raise InputError(
                "not weights of the person network", file=start, remedy="Give a file of --preset person."
            ) from error
    elif start is not None:
        load_imagenet(network, start)
    work.mkdir(parents=True, exist_ok=True)
    train, holdout = hold_out(real)
    if recipe.solved_people and (start is None or start.suffix != ".safetensors"):
        made_of = recipe.seed, recipe.solved_views, recipe.group, len(train.pictures), start and sha256_file(start)
        cache_file = work / f"discriminant-{hashlib.sha256(repr(made_of).encode()).hexdigest()[:12]}.npz"
        solve_head(network, recipe=recipe, cache_file=cache_file, real=train, report=report)
    trained = (
        network
        if not recipe.steps
        else train_person(
            network,
            recipe=recipe,
            checkpoint=work / "checkpoint.pt",
            real=train,
            check=check_network(holdout),
            report=report,
        )
    )
    return write_person(trained, out=out, holdout=holdout, recipe=asdict(recipe), data=data)


def write_person(
    network: PersonNet, *, out: Path, holdout: RealPeople, recipe: dict[str, Any], data: dict[str, Any]
) -> dict[str, Any]:
    """Calibrate a trained network on people kept out of training, and write weights and card."""
    card = {
        "name": "person", "architecture": "person", "fit": "stretch",
        "options": {
            "width": network.width, "height": network.height, "stripes": network.stripes,
            "dimension": network.dimension,
        },
        "data": data, "recipe": recipe, "calibration": calibrate(scenes_of(network, holdout, count=12)),
    }  # fmt: skip
    save_weights(out, network.state_dict(), card)
    return card
