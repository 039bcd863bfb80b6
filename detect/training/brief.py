"""A training of minutes on a handful of pictures: what the workbench's Teach view runs.

Ten pictures are too few to choose among checkpoints by a score on one or two of them, so all of them train and the
averaged weights of the end are taken. The rate must have fallen by then: the schedule follows the time as well as the
steps, whatever the machine does in it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packed_scenes.data import InputError
from packed_scenes.detect import network
from packed_scenes.detect.training.fit import adapt
from packed_scenes.detect.training.job import FINE_TUNING
from packed_scenes.detect.training.loop import Plan, Source, Trainer
from packed_scenes.detect.training.release import release

if TYPE_CHECKING:
    import torch

LR = 6e-4
WARMUP = 20  # steps at most
PIXELS = 8 * 416 * 416  # of a batch: twice the steps of 16 pictures in the same time
DECAY = 0.5  # share of the training over which the rate falls
EVERY = 20  # steps between checkpoints
MAX_SHIFT = 1.0  # of the log-odds of all scores


class BriefTraining:
    """Fine-tune a detector for some steps or seconds, whichever ends first.

    Args:
        start: ``.pt`` file of the weights to start from.
        steps: at most.
        seconds: at most; with fewer than it takes for ``steps``, the result depends on the machine's speed.
        seed: of crops and order.

    Raises:
        InputError: if there is no time or no step, or the weights do not load.
    """

    def __init__(self, start: Path, *, steps: int, seconds: float = math.inf, seed: int = 0) -> None:
        import torch

        if steps < 1 or not seconds > 0:
            raise InputError(f"steps and seconds must be positive, got {steps} and {seconds}")
        self.steps, self.seconds, self.spent = steps, seconds, 0.0
        torch.manual_seed(seed)
        content = network.read(start)
        self.width: str = content["width"]
        model = network.build(width=self.width)
        adapt(model, content["state"])
        plan = Plan(lr=LR, pixels=PIXELS, seed=seed, augmentation=FINE_TUNING)
        self._trainer = Trainer(model, _paced(plan, steps))

    @property
    def network(self) -> torch.nn.Module:
        """The averaged network."""
        found: torch.nn.Module = self._trainer.ema
        return found

    @property
    def step(self) -> int:
        """Steps done."""
        return self._trainer.step

    @property
    def part(self) -> float:
        """Share of the training that is done, 0 to 1."""
        return min(1.0, max(self.step / self.steps, self.spent / self.seconds))

    def run(self, pictures: Source, *, checkpoint: Path | None = None) -> Iterator[float]:
        """Train; gives the share done after every step.

        Args:
            pictures: to draw from.
            checkpoint: file to go on from if it is there, and to write to as the training goes.

        Raises:
            InputError: if the checkpoint is not of this network.
        """
        trainer = self._trainer
        if checkpoint is not None and checkpoint.is_file():
            self.spent = float(trainer.resume(checkpoint)["spent"])
        before = self.spent
        if self.step >= self.steps or self.spent >= self.seconds:
            return
        began = time.monotonic()
        for _ in trainer.run(pictures, until=self.steps, seconds=self.seconds - before):
            self.spent = before + time.monotonic() - began
            if self.step > 3:  # the first steps are slower
                trainer.plan = _paced(trainer.plan, max(self.step + 1, round(self.step / self.part)))
            if checkpoint is not None and self.step % EVERY == 0:
                trainer.save(checkpoint, spent=self.spent)
            yield self.part

    def shift(self, confidence: float, wanted: float) -> None:
        """Move all scores so that what has the score ``confidence`` has ``wanted``; their order stays.

        A project shows boxes from one score on, whichever detector found them. What one or two photos say of
        ``confidence`` is rough, so the scores move by at most :data:`MAX_SHIFT`: boxes moved below the lowest score
        that is kept would be lost.
        """
        import torch

        by = max(-MAX_SHIFT, min(MAX_SHIFT, _logit(wanted) - _logit(confidence)))
        with torch.no_grad():
            for branch in self.network.model[-1].cv3:  # type: ignore[index,union-attr]  # class scores of each stride
                branch[-1].bias += by

    def write(self, stem: Path, *, confidence: float, about: Mapping[str, Any]) -> None:
        """Write ``STEM.pt``, ``STEM.onnx`` and ``STEM.json``."""
        told: dict[str, Any] = {
            "recipe": "fine-tuned", "object_px": 72.0, "confidence": round(confidence, 3), "steps": self.step,
            "seed": self._trainer.plan.seed,
        }  # fmt: skip
        told |= about
        release(stem, self.network, names=["object"], about=told, width=self.width)


def _paced(plan: Plan, steps: int) -> Plan:
    """The schedule for so many steps in all."""
    return replace(
        plan, steps=steps, decay_steps=max(1, round(DECAY * steps)), warmup=max(1, min(WARMUP, steps // 5)),
        ema_decay=min(0.999, 1 - 5 / max(steps, 50)),
    )  # fmt: skip


def _logit(share: float) -> float:
    share = min(max(share, 0.01), 0.99)
    return math.log(share / (1 - share))
