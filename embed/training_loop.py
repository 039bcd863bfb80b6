"""The loop that the default and the person training share: warm-up and cosine, averaged weights, exact resume."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from packed_scenes.data.files import atomic_write
from packed_scenes.data.torchfile import going_on_from, load_torch

Network = TypeVar("Network", bound=nn.Module)
Report = Callable[[dict[str, Any]], None]


class Schedule(Protocol):
    """What the loop reads of a recipe."""

    @property
    def steps(self) -> int:
        """Length of the schedule."""

    @property
    def lr(self) -> float:
        """Peak learning rate."""

    @property
    def warmup(self) -> int:
        """Steps of linear warm-up."""

    @property
    def ema_decay(self) -> float:
        """Decay of the exponential moving average (EMA) of the weights."""

    @property
    def save_every(self) -> int:
        """Steps between checkpoints."""


def lr_share(step: int, *, steps: int, warmup: int) -> float:
    """Learning rate of a step as a share of the peak: linear warm-up, then half a cosine down to 1 %."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, steps - warmup))))


def load_checkpoint(path: Path, network: nn.Module, ema: nn.Module) -> dict[str, Any] | None:
    """Load both networks from a checkpoint of :func:`run_steps`; gives all that it holds, None if there is no file."""
    if not path.is_file():
        return None
    with going_on_from(path):
        state: dict[str, Any] = load_torch(path)
        network.load_state_dict(state["network"])
        ema.load_state_dict(state["average"])
        return state


def run_steps(
    network: Network,
    ema: Network,
    optimiser: torch.optim.Optimizer,
    batches: IterableDataset[Any],
    *,
    loss: Callable[[Tensor, Tensor], Tensor],
    clip: Iterable[Tensor],
    recipe: Schedule,
    saved: Callable[[], Mapping[str, Any]],
    checkpoint: Path,
    first: int = 0,
    check: Callable[[Network, int], dict[str, float]] | None = None,
    check_every: int = 500,
    report: Report | None = None,
    report_every: int = 50,
    workers: int = 1,
) -> Network:
    """Train from step ``first`` to the recipe's last.

    Args:
        network: trained in place.
        ema: its averaged copy; updated in place.
        optimiser: a group's ``share`` multiplies its learning rate.
        batches: gives (images (B, H, W, 3) uint8, labels (B,) int64), from step ``first`` on.
        loss: of (images (B, 3, H, W) float32 0…255, labels).
        clip: parameters whose gradient is clipped to a norm of 5.
        recipe: the schedule.
        saved: what the checkpoint holds beside networks, optimiser and step.
        checkpoint: file that is replaced every ``save_every`` steps.
        first: steps done before.
        check: called with the averaged network; its figures join the report.
        check_every: steps between calls of the check.
        report: called with a row of figures every ``report_every`` steps, and after each check.
        report_every: steps between reports.
        workers: loader processes.

    Returns:
        ``ema``.
    """
    clipped = list(clip)
    loader = iter(DataLoader(batches, batch_size=None, num_workers=workers, prefetch_factor=4 if workers else None))
    started, mean = time.monotonic(), 0.0
    for step in range(first, recipe.steps):
        for group in optimiser.param_groups:
            now = lr_share(step, steps=recipe.steps, warmup=recipe.warmup)
            group["lr"] = recipe.lr * group.get("share", 1.0) * now
        pixels, label = next(loader)
        network.train()
        value = loss(pixels.permute(0, 3, 1, 2).float(), label)  # a view of HWC memory: channels_last as it is
        optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(clipped, 5.0)
        optimiser.step()
        update_ema(ema, network, ema_decay=min(recipe.ema_decay, (step + 1) / (step + 10)))
        done = step + 1
        mean += (float(value.detach()) - mean) / min(50, done - first)
        row: dict[str, Any] = {}
        if check is not None and (done % check_every == 0 or done == recipe.steps):
            row |= check(ema, done)
        if report is not None and (row or done % report_every == 0):
            pace = (time.monotonic() - started) / (done - first)
            left = pace * (recipe.steps - done)
            report({"step": done, "loss": mean, "seconds_left": left, "seconds_per_step": pace} | row)
        if done % recipe.save_every == 0 or done == recipe.steps:
            state = {
                "network": network.state_dict(), "average": ema.state_dict(), "optimiser": optimiser.state_dict(),
                "step": done, **saved(),
            }  # fmt: skip
            with atomic_write(checkpoint) as path:
                torch.save(state, path)
    return ema


@torch.no_grad()
def update_ema(ema: nn.Module, network: nn.Module, *, ema_decay: float) -> None:
    """Move the averaged weights towards the network's; buffers are copied."""
    for slow, fast in zip(ema.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - ema_decay)
    for old, new in zip(ema.buffers(), network.buffers(), strict=True):
        old.copy_(new)
