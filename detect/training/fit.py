"""Train with validation: checkpoints, early stop, resume, curves; the best averaged weights are what is written."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError, Objects
from packed_scenes.data.files import atomic_write, write_json
from packed_scenes.detect.detector import Detector
from packed_scenes.detect.metrics import DetectionScores, evaluate
from packed_scenes.detect.networks import Card, TorchNetwork
from packed_scenes.detect.training.loop import Plan, Source, Trainer, make_batch
from packed_scenes.detect.training.release import release

if TYPE_CHECKING:
    import torch

Truth = tuple[npt.NDArray[np.uint8], Objects, npt.NDArray[np.float32] | None]

MIN_CONFIDENCE = 0.01  # confidence down to which detections enter AP
STATISTICS_BATCHES, STATISTICS_SEED = 50, 77  # of the crops on which a blend's batch normalisation is measured


@dataclass(frozen=True)
class Fit:
    """How a training is watched.

    Attributes:
        out: run folder; gets ``last.ckpt``, ``detector.pt``, ``.onnx`` and ``.json``, ``training.json`` and
            ``training.png``.
        names: class names.
        every: steps between validations.
        patience: validations without a better AP after which training stops.
        object_px: median object size in input pixels, for the card.
        about: what the card says beside scores and hashes.
        width: of the network.
        start, blend: weights that training started from, and their share in what is validated and written (0 to 1).
            Between the two ends of a fine-tuning lies a network that keeps what the first one knew of other pictures
            (Wortsman et al. 2022, WiSE-FT).
    """

    out: Path
    names: tuple[str, ...]
    every: int = 200
    patience: int = 8
    object_px: float = 72.0
    about: dict[str, Any] = dataclasses.field(default_factory=dict)
    width: str = "n"
    start: Mapping[str, torch.Tensor] | None = None
    blend: float = 0.0


def fit(
    trainer: Trainer, source: Source, validation: Sequence[Truth], options: Fit, *, seconds: float = math.inf
) -> Iterator[dict[str, float]]:
    """Train, and give a row of losses per step and of scores per validation.

    Ends with the plan's last step, after ``seconds``, or when ``patience`` is at its end.

    Raises:
        InputError: if there is nothing to validate on.
    """
    if not validation:
        raise InputError("no pictures to validate on")
    best = max((row["AP"] for row in trainer.history if "AP" in row), default=-1.0)
    stale = 0
    for row in trainer.run(source, seconds=seconds):
        yield row
        if trainer.step % options.every == 0 or trainer.step == trainer.plan.steps:
            model = blended(trainer.ema, options, images=statistics_images(trainer.plan, source))
            scores = validate(model, validation, options, device=trainer.device)
            trainer.history.append({**row, **{k: float(v) for k, v in scores.to_dict().items()}})
            stale = 0 if best < scores.AP else stale + 1
            if best < scores.AP:
                best = scores.AP
                _release(model, trainer, scores, options)
            _record(trainer, options)
            yield trainer.history[-1]
            if stale >= options.patience:
                return
    _record(trainer, options)


def validate(model: torch.nn.Module, validation: Sequence[Truth], options: Fit, *, device: str) -> DetectionScores:
    """Score a network on labelled pictures with the automatic choice of size."""
    card = Card(names=options.names, object_px=options.object_px)
    detector = Detector(TorchNetwork(model, card, device=device), confidence=MIN_CONFIDENCE)
    return evaluate([(detector.detect(image), truth, ignore) for image, truth, ignore in validation])


def blended(model: torch.nn.Module, options: Fit, *, images: Iterable[npt.NDArray[np.uint8]] = ()) -> torch.nn.Module:
    """The network itself, or a copy with the share ``options.blend`` of the weights that training started from.

    Args:
        model: the trained network.
        options: the share, and the weights.
        images: batches (B, S, S, 3) uint8 of training crops. Means and variances of a blend's activations are not the
            blend of those of its ends, so batch normalisation is measured on them anew (Jordan et al. 2023, REPAIR).
    """
    import torch

    if options.start is None or not options.blend:
        return model
    mixed = copy.deepcopy(model)
    for name, value in mixed.state_dict().items():  # detached views: written in place
        if value.is_floating_point():
            value.lerp_(options.start[name].to(value), options.blend)
    norms = [layer for layer in mixed.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    usual = [layer.momentum for layer in norms]
    for number, batch in enumerate(images):
        if not number:
            mixed.train()
            for layer in norms:
                layer.reset_running_stats()
                layer.momentum = None  # the plain mean over all batches
        with torch.no_grad():
            mixed(torch.from_numpy(batch).to(next(mixed.parameters()).device).permute(0, 3, 1, 2).float().div_(255))
    for layer, momentum in zip(norms, usual, strict=True):
        layer.momentum = momentum
    return mixed.eval()


def statistics_images(plan: Plan, source: Source) -> Iterator[npt.NDArray[np.uint8]]:
    """Make the batches on which :func:`blended` measures batch normalisation; always the same for a plan."""
    other = dataclasses.replace(plan, seed=STATISTICS_SEED)
    return (make_batch(source, other, step).images for step in range(STATISTICS_BATCHES))


def _release(model: torch.nn.Module, trainer: Trainer, scores: DetectionScores, options: Fit) -> None:
    about = {
        **options.about,
        "object_px": options.object_px,
        "confidence": round(float(np.clip(scores.balanced_confidence, 0.05, 0.9)), 3),
        "steps": trainer.step,
        "seed": trainer.plan.seed,
        "validation": {k: round(v, 4) for k, v in scores.to_dict().items()},
    }
    release(options.out / "detector", model, names=list(options.names), about=about, width=options.width)


def _record(trainer: Trainer, options: Fit) -> None:
    trainer.save(options.out / "last.ckpt", names=list(options.names), width=options.width)
    write_json(options.out / "training.json", trainer.history)
    if trainer.history:
        _plot(trainer.history, options.out / "training.png")


def _plot(history: list[dict[str, float]], path: Path) -> None:
    """Curves of the losses and of the validation scores."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    steps = [row["step"] for row in history]
    for axis, keys, title in ((left, ("box", "class", "dfl"), "loss"), (right, ("AP", "AP50", "AP75"), "validation")):
        for key in keys:
            axis.plot(steps, [row.get(key, math.nan) for row in history], marker=".", label=key)
        axis.set(title=title, xlabel="step")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.legend()
    right.set_ylim(0, 1.03)  # a perfect score is no line on the frame
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=110)


def adapt(model: torch.nn.Module, state: dict[str, torch.Tensor]) -> int:
    """Copy the weights that fit in shape into a network with another number of classes; gives how many did not fit."""
    own = model.state_dict()
    fitting = {
        k: v.float() if v.is_floating_point() else v for k, v in state.items() if k in own and own[k].shape == v.shape
    }
    model.load_state_dict(fitting, strict=False)
    return len(own) - len(fitting)
