"""The training loop: AdamW with warm-up, a constant stretch and a final decay, averaged weights, bf16, and exact
resume.

The schedule is warm-up - stable - decay (Hu et al. 2024, MiniCPM): a checkpoint of the stable stretch can be trained
further in a later session without knowing the total beforehand, and a decay of a fifth of the steps makes a release
from it. The averaged (EMA) weights are the ones that are shipped. Measured on one CPU core (AVX-512 bf16): YOLO11n at
416 px trains 8 pictures/s in float32, 11 with channels-last memory and 21 with bf16 on top; torch.compile gave
nothing more. Without AVX-512 (4.5 pictures/s in float32, 0.5 in emulated bf16) float32 is used.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.data.files import atomic_write
from packed_scenes.data.read_ahead import map_ahead
from packed_scenes.data.torchfile import going_on_from, load_torch
from packed_scenes.detect.training.augment import Augmentation, crop, disturb, mosaic
from packed_scenes.detect.training.clutter import add_clutter
from packed_scenes.detect.training.ignoring import Ignoring
from packed_scenes.detect.training.pool import Example, no_boxes

if TYPE_CHECKING:
    import torch

CROPS = 2  # crops from each drawn picture: decoding it costs as much as all that is done to a crop


class Source(Protocol):
    """Where pictures come from."""

    def draw(self, rng: np.random.Generator) -> Example:
        """Give one labelled picture, chosen by ``rng``."""


@dataclass(frozen=True)
class Plan:
    """How to train.

    Attributes:
        sizes: square input sizes in pixels, one drawn per batch; the batch holds ``pixels`` pixels whatever the size.
        pixels: pixels of a batch (16 pictures of 416 px by default).
        lr: learning rate of the stable stretch.
        warmup: steps of linear warm-up.
        steps: total steps.
        decay_steps: last steps, over which the rate falls to a hundredth.
        ema_decay: decay of the averaged weights per step.
        seed: of weights, crops and order.
    """

    sizes: tuple[int, ...] = (320, 416, 416, 512)
    pixels: int = 16 * 416 * 416
    lr: float = 2.5e-3
    weight_decay: float = 0.02
    warmup: int = 150
    steps: int = 6000
    decay_steps: int = 1200
    ema_decay: float = 0.999
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def lr_at(self, step: int) -> float:
        """Learning rate of a step: linear up, constant, then linear down to 1 %."""
        up = min(1.0, (step + 1) / max(1, self.warmup))
        left = (self.steps - step) / self.decay_steps if self.decay_steps else 1.0
        return self.lr * up * max(0.01, min(1.0, left))

    def ema_decay_at(self, step: int) -> float:
        """Decay of the averaged weights in a step: until ``ema_decay`` is reached, they average the last tenth of the
        steps so far.
        """
        return min(self.ema_decay, (step + 1) / (step + 10))


@dataclass(frozen=True)
class Batch:
    """Pictures (B, S, S, 3) uint8 and the boxes of all of them: picture index, class, and cx, cy, w, h as shares of
    S; and the regions to be ignored (M, 4), xyxy in pixels, with their picture index.
    """

    images: npt.NDArray[np.uint8]
    picture: npt.NDArray[np.int64]
    class_id: npt.NDArray[np.int64]
    cxcywh: npt.NDArray[np.float32]
    ignore: npt.NDArray[np.float32] = field(default_factory=no_boxes)
    ignored_picture: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


def make_batch(source: Source, plan: Plan, step: int) -> Batch:
    """Make the batch of a step; it depends on nothing but the source, the plan's seed and the step."""
    rng = np.random.default_rng((plan.seed, step))
    size = int(rng.choice(plan.sizes))
    examples: list[Example] = []
    for number in range(max(1, plan.pixels // size**2)):
        if number % CROPS == 0:
            drawn = source.draw(rng)
        if rng.random() < plan.augmentation.mosaic:
            others = [drawn, *(source.draw(rng) for _ in range(3))]
            example = mosaic([crop(other, size // 2, rng, plan.augmentation) for other in others])
        else:
            example = crop(drawn, size, rng, plan.augmentation)
        if rng.random() < plan.augmentation.clutter:
            example = add_clutter(example, rng)
        image = disturb(example.image, rng, plan.augmentation.colour, dim=plan.augmentation.dim)
        examples.append(replace(example, image=image))
    boxes = np.concatenate([e.xyxy for e in examples]) / size
    return Batch(
        images=np.stack([e.image for e in examples]),
        picture=np.repeat(np.arange(len(examples)), [len(e.xyxy) for e in examples]),
        class_id=np.concatenate([e.class_id for e in examples]),
        cxcywh=np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], 1).astype(np.float32),
        ignore=np.concatenate([e.ignore for e in examples]),
        ignored_picture=np.repeat(np.arange(len(examples)), [len(e.ignore) for e in examples]),
    )


def _has_bfloat16(device: str) -> bool:
    """Whether bfloat16 is faster here: on a CPU without AVX-512 it is emulated, at a tenth of float32's speed."""
    import torch

    return device != "cpu" or torch.backends.cpu.get_cpu_capability().startswith("AVX512")


class Trainer:
    """Trains one network; its state can be saved and taken up again at the same step.

    Args:
        model: an ultralytics detection model (``packed_scenes.detect.network.build``).
        plan: how to train.
        device: ``"cpu"`` or ``"cuda"``.
    """

    def __init__(self, model: torch.nn.Module, plan: Plan, *, device: str = "cpu") -> None:
        import torch

        cv2.setNumThreads(1)
        self.plan, self.device, self.step = plan, device, 0
        self.model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = copy.deepcopy(self.model).eval()
        decayed = [p for p in self.model.parameters() if p.ndim > 1]
        plain = [p for p in self.model.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": plan.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=plan.lr)
        self.history: list[dict[str, float]] = []
        self._ignoring = Ignoring(self.model)

    def run(self, source: Source, *, until: int | None = None, seconds: float = math.inf) -> Iterator[dict[str, float]]:
        """Train up to a step (default: the plan's last) or for some seconds; gives the losses after every step."""
        start, last = time.monotonic(), min(until or self.plan.steps, self.plan.steps)
        batches = map_ahead(lambda step: make_batch(source, self.plan, step), range(self.step, last), ahead=3)
        try:
            for batch in batches:
                losses = self._train(batch)
                self.step += 1
                yield losses
                if time.monotonic() - start > seconds:
                    return
        finally:
            batches.close()

    def _train(self, batch: Batch) -> dict[str, float]:
        import torch

        lr = self.plan.lr_at(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        images = torch.from_numpy(batch.images).to(self.device).permute(0, 3, 1, 2).float().div_(255)
        target = {
            "img": images,
            "batch_idx": torch.from_numpy(batch.picture).float(),
            "cls": torch.from_numpy(batch.class_id).float()[:, None],
            "bboxes": torch.from_numpy(batch.cxcywh),
        }
        self.model.train()
        self._ignoring.set(batch.ignore, batch.ignored_picture, shape=batch.images.shape)
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=_has_bfloat16(self.device)):
            output = self.model(images)
        output = torch.utils._pytree.tree_map(lambda v: v.float() if torch.is_tensor(v) else v, output)
        loss, parts = self.model.loss({k: v.to(self.device) for k, v in target.items()}, output)
        self.optimizer.zero_grad(set_to_none=True)
        (loss.sum() / len(images)).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 10.0)
        self.optimizer.step()
        self._update_ema()
        names = ("box", "class", "dfl")
        return {"step": self.step, "lr": lr} | dict(zip(names, (float(v) for v in parts.values()), strict=False))

    def _update_ema(self) -> None:
        import torch

        decay = self.plan.ema_decay_at(self.step)
        with torch.no_grad():
            for mean, value in zip(self.ema.state_dict().values(), self.model.state_dict().values(), strict=True):
                if mean.is_floating_point():
                    mean.lerp_(value, 1 - decay)
                else:
                    mean.copy_(value)

    def save(self, path: str | Path, **extra: Any) -> None:
        """Write a checkpoint (weights, averages, optimiser, step), whole or not at all."""
        import torch

        content = {
            "model": self.model.state_dict(),
            "average": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "plan": asdict(self.plan),
            "history": self.history,
            "extra": extra,
        }
        with atomic_write(path) as temporary:
            torch.save(content, temporary)

    def resume(self, path: str | Path) -> dict[str, Any]:
        """Take up a checkpoint; gives what was saved as ``extra``.

        Raises:
            InputError: if the file is no checkpoint of this network.
        """
        with going_on_from(path):
            content = load_torch(path, device=self.device)
            self.model.load_state_dict(content["model"])
            self.ema.load_state_dict(content["average"])
            self.optimizer.load_state_dict(content["optimizer"])
            self.step, self.history = int(content["step"]), list(content["history"])
            extra: dict[str, Any] = content["extra"]
            return extra
