"""How the person weights are made: ImageNet's MobileNetV2, taught by drawn people to tell people apart."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from packed_scenes.data import InputError
from packed_scenes.data.files import atomic_write
from packed_scenes.embed.calibrate import calibrate
from packed_scenes.embed.losses import contrast
from packed_scenes.embed.metric_training import schedule
from packed_scenes.embed.person_batches import PeopleBatches, RealPeople
from packed_scenes.embed.person_held import check_network, keep_out, scenes_of
from packed_scenes.embed.person_network import PersonNet, load_imagenet
from packed_scenes.embed.weights import load_card, load_tensors, save_weights


@dataclass(frozen=True, kw_only=True)
class PersonRecipe:
    """Parameters of the training.

    Attributes:
        steps: length of the schedule; lengthen it to go on.
        rate: peak learning rate of the new layers (AdamW); ``slow``: that of MobileNetV2's as a share of it.
        trunk: blocks of MobileNetV2 that keep their ImageNet weights.
        warmup: steps of linear warm-up.
        decay: weight decay.
        scale: of the contrast.
        people, views, group, real_people: see :class:`packed_scenes.embed.person_batches.PeopleBatches`.
        average: decay of the exponential moving average of the weights.
        seed: fixes weights and batches.
        save_every: steps between checkpoints.
    """

    steps: int = 3000
    rate: float = 1e-3
    slow: float = 0.2
    trunk: int = 7
    warmup: int = 30
    decay: float = 0.02
    scale: float = 16.0
    people: int = 18
    views: int = 4
    group: int = 2
    real_people: int = 3
    average: float = 0.99
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
    average = copy.deepcopy(network).eval().requires_grad_(False)
    old = [p for block in network.blocks[recipe.trunk :] for p in block.parameters()]
    new = [*network.head.parameters(), *network.across.parameters()]
    optimiser = torch.optim.AdamW(
        [{"params": old, "share": recipe.slow}, {"params": new, "share": 1.0}],
        lr=recipe.rate, weight_decay=recipe.decay,
    )  # fmt: skip
    step = 0
    if checkpoint.is_file():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        step = int(state["step"])
    batches = PeopleBatches(
        width=network.width, height=network.height, people=recipe.people, views=recipe.views, group=recipe.group,
        real=real, real_people=recipe.real_people, seed=recipe.seed, start=step,
    )  # fmt: skip
    loader = iter(DataLoader(batches, batch_size=None, num_workers=workers, prefetch_factor=3 if workers else None))
    started, first, mean = time.monotonic(), step, 0.0
    while step < recipe.steps:
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate * group["share"] * schedule(step, steps=recipe.steps, warmup=recipe.warmup)
        pixels, label = next(loader)
        embedding = network.train()(pixels.permute(0, 3, 1, 2).float())
        loss = contrast(embedding, label, scale=recipe.scale)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([*old, *new], 5.0)
        optimiser.step()
        with torch.no_grad():
            decay = min(recipe.average, (step + 1) / (step + 10))
            for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
                slow.lerp_(fast, 1 - decay)
        step += 1
        mean += (float(loss.detach()) - mean) / min(50, step - first)
        row: dict[str, Any] = {}
        if check is not None and (step % check_every == 0 or step == recipe.steps):
            row |= check(average, step)
        if report is not None and (row or step % 25 == 0):
            pace = (time.monotonic() - started) / (step - first)
            report(
                {"step": step, "loss": mean, "seconds_left": pace * (recipe.steps - step), "seconds_per_step": pace}
                | row
            )
        if step % recipe.save_every == 0 or step == recipe.steps:
            with atomic_write(checkpoint) as path:
                torch.save(
                    {
                        "network": network.state_dict(), "average": average.state_dict(),
                        "optimiser": optimiser.state_dict(), "step": step, "recipe": asdict(recipe),
                    },
                    path,
                )  # fmt: skip
    return average


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
    train, held = keep_out(real)
    trained = train_person(
        network, recipe=recipe, checkpoint=work / "checkpoint.pt", real=train, check=check_network(held), report=report
    )
    return write_person(trained, out=out, held=held, recipe=asdict(recipe), data=data)


def write_person(
    network: PersonNet, *, out: Path, held: RealPeople, recipe: dict[str, Any], data: dict[str, Any]
) -> dict[str, Any]:
    """Calibrate a trained network on people kept out of training, and write weights and card."""
    card = {
        "name": "person", "architecture": "person", "fit": "stretch",
        "options": {
            "width": network.width, "height": network.height, "stripes": network.stripes,
            "dimension": network.dimension,
        },
        "data": data, "recipe": recipe, "calibration": calibrate(scenes_of(network, held, count=12)),
    }  # fmt: skip
    save_weights(out, network.state_dict(), card)
    return card
