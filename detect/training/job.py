"""A whole training, from the options to the weights: what ``packed-scenes train-detector`` runs."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from packed_scenes.data import InputError
from packed_scenes.data.files import write_csv
from packed_scenes.data.shipped import ASSETS
from packed_scenes.detect import network
from packed_scenes.detect.load import DEFAULT, pick_device
from packed_scenes.detect.training.augment import Augmentation
from packed_scenes.detect.training.dataset import load_scenes, read_labelled, to_pool
from packed_scenes.detect.training.fit import Fit, Truth, adapt, fit
from packed_scenes.detect.training.loop import Plan, Source, Trainer

if TYPE_CHECKING:
    import torch

RECIPES = ("packed", "world")
REAL = ("packed_products", "grocery_store", "cells", "nuclei")  # folders that the recipes read
# Enlarged further than the detector does (2): that was for small goods, whose score it raised (README.md).
PACKED = Augmentation(squeeze=(0.6, 1.25), dim=0.12, max_zoom=3.0)
# Real pictures hold objects of many sizes at once; small batches, since on a CPU without bf16 a step is slow.
WORLD = Augmentation(
    object_px=(30.0, 150.0), wide_px=(12.0, 320.0), squeeze=(0.7, 1.3), dim=0.06, max_zoom=4.0, clutter=0.2,
    mosaic=0.25, focus=0.7,
)  # fmt: skip
WORLD_PIXELS = 8 * 416 * 416
FINE_TUNING = Augmentation(object_px=(40.0, 130.0), wide_px=(20.0, 220.0), colour=0.5, clutter=0.0)


@dataclass(kw_only=True)
class Job:
    """One training; :meth:`prepare`, then :meth:`run`, both giving progress.

    Attributes:
        data: YOLO YAML, COCO JSON or a folder that holds one; or
        recipe: ``"packed"`` (generated scenes, from fresh weights) or ``"world"`` (real pictures too, from the shipped
            weights).
        images: folder of the pictures of a COCO file.
        keep_classes: keep the data's classes apart.
        real: folder of real goods and micrographs for the recipe.
        scenes: scenes that the recipe generates.
        out: run folder.
        start: ``.pt`` file to start from, ``"none"`` for fresh weights; None: the shipped weights, or fresh ones
            for the recipe.
        steps, lr, seconds, patience, every: see :class:`Plan` and :class:`Fit`.
        blend: share of the weights that training starts from in what is written, see :class:`Fit`.
        resume: go on from ``last.ckpt`` in ``out``.

    Raises:
        InputError: if neither or both of data and recipe are given, or an option is out of range.
    """

    data: Path | None = None
    recipe: str | None = None
    images: Path | None = None
    keep_classes: bool = False
    real: Path | None = None
    scenes: int = 4000
    out: Path | None = None
    start: str | None = None
    steps: int | None = None
    lr: float | None = None
    patience: int = 8
    every: int = 100
    seconds: float = math.inf
    blend: float = 0.0
    resume: bool = False
    device: str = "auto"
    seed: int = 0
    warnings: list[str] = field(default_factory=list, init=False)
    errors: list[tuple[str, str]] = field(default_factory=list, init=False)
    _source: Source | None = field(default=None, init=False, repr=False)
    _validation: list[Truth] = field(default_factory=list, init=False, repr=False)
    _names: tuple[str, ...] = field(default=("object",), init=False, repr=False)

    def __post_init__(self) -> None:
        self._check_data()
        self._check_numbers()
        if self.resume and (self.out is None or not (self.out / "last.ckpt").is_file()):
            raise InputError("nothing to resume: no last.ckpt", file=self.out, remedy="Name the run folder with --out.")
        self.device = pick_device(self.device)
        self.out = self.out or Path("runs") / f"detector-{datetime.now():%Y%m%d-%H%M%S}"
        self.steps = self.steps or {"packed": 40_000, "world": 1800}.get(self.recipe or "", 1500)

    def _check_data(self) -> None:
        if (self.data is None) == (self.recipe is None):
            raise InputError(f"give either labelled data or --recipe {' or '.join(RECIPES)}")
        if self.recipe not in (None, *RECIPES):
            raise InputError(f"unknown recipe {self.recipe!r}", remedy=f"Known: {', '.join(RECIPES)}.")
        if self.recipe == "world" and self.real is None:
            raise InputError("the recipe world needs real pictures", remedy="Name their folder with --real.")
        if self.recipe and self.real is not None and not self.real.is_dir():
            raise InputError("no such folder", file=self.real, remedy="Check the path.")

    def _check_numbers(self) -> None:
        for name in ("steps", "every", "patience", "scenes"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} must be at least 1, got {value}")
        if not 0 <= self.blend < 1 or (self.blend and self.fresh):
            raise InputError(
                f"blend must lie in [0, 1) and needs weights to start from, got {self.blend} and {self.start}",
                remedy="Give --start, or leave --blend out.",
            )
        if self.lr is not None and not 0 < self.lr < 1:
            raise InputError(f"lr must lie between 0 and 1, got {self.lr}")

    @property
    def fresh(self) -> bool:
        """Whether training starts from fresh weights."""
        return self.start == "none" or (self.start is None and self.recipe == "packed")

    @property
    def plan(self) -> Plan:
        """The schedule and the augmentation."""
        steps = self.steps or 1
        lr = self.lr or (2.5e-3 if self.fresh else 1e-3 if self.recipe == "world" else 6e-4)
        decay_steps = steps // (5 if self.recipe and self.fresh else 2)
        augmentation = {"packed": PACKED, "world": WORLD}.get(self.recipe or "", FINE_TUNING)
        ema_decay = 0.999 if self.recipe == "packed" else min(0.999, 1 - 5 / max(steps, 50))
        return Plan(
            lr=lr,
            steps=steps,
            decay_steps=decay_steps,
            warmup=min(150, steps // 5),
            seed=self.seed,
            ema_decay=ema_decay,
            augmentation=augmentation,
            pixels=WORLD_PIXELS if self.recipe == "world" else Plan.pixels,
        )

    def prepare(self) -> Iterator[int]:
        """Read the data or generate the scenes; gives the number of pictures at hand.

        Raises:
            InputError: if the data cannot be read.
        """
        assert self.out is not None
        if self.data is not None:
            labelled = read_labelled(self.data, images=self.images, keep_classes=self.keep_classes, seed=self.seed)
            self.warnings += labelled.warnings
            pool = to_pool(labelled.train, agnostic=labelled.agnostic, errors=self.errors)
            self._source, self._names = pool, labelled.names
            for scene, loaded in load_scenes(labelled.validation, self.errors):
                truth = scene.truth if not labelled.agnostic else scene.truth.replace(class_id=scene.truth.class_id * 0)
                self._validation.append((loaded.image, truth, scene.ignore))
            if self.errors:
                write_csv(self.out / "errors.csv", [("file", "reason"), *self.errors])
            yield len(pool)
            return
        from packed_scenes.detect.training.recipe import Packed, prepare
        from packed_scenes.detect.training.world import prepare_world

        makes = prepare if self.recipe == "packed" else prepare_world
        for found in makes(self.out / "pool", seed=self.seed, count=self.scenes, root=self.real):
            if isinstance(found, Packed):
                self._source, self._validation = found.source, list(found.validation)
            else:
                yield found

    def run(self) -> Iterator[dict[str, float]]:
        """Train; gives a row of losses per step and one of scores per validation.

        Raises:
            InputError: if :meth:`prepare` was not run, or the weights to start from do not load.
        """
        if self._source is None or self.out is None:
            raise InputError("nothing prepared to train on")
        import torch

        torch.manual_seed(self.seed)
        model, width = self._start()
        start = copy.deepcopy(model.state_dict()) if self.blend else None
        trainer = Trainer(model, self.plan, device=self.device)
        if self.resume:
            trainer.resume(self.out / "last.ckpt")
        about = {
            "recipe": self.recipe or "fine-tuned",
            "data": f"{self.scenes} generated scenes" if self.recipe else str(self.data),
            "real": self._real(),
        } | ({"blend": self.blend} if self.blend else {})
        options = Fit(
            self.out, self._names, every=self.every, patience=self.patience, about=about, width=width,
            start=start, blend=self.blend,
        )  # fmt: skip
        yield from fit(trainer, self._source, self._validation, options, seconds=self.seconds)

    def _real(self) -> dict[str, str]:
        """The folders of real pictures that are read, with their licences where the recipe knows them."""
        from packed_scenes.detect.training.pictures import REAL_SETS

        if self.real is None or self.recipe is None:
            return {}
        known = dict.fromkeys(REAL, "see SOURCE.md")
        if self.recipe == "world":
            known |= {real.folder: real.licence for real in REAL_SETS} | {"vehicle_reid": "Apache-2.0"}
        return {name: licence for name, licence in known.items() if (self.real / name).is_dir()}

    def _start(self) -> tuple[torch.nn.Module, str]:
        if self.fresh:
            return network.build(classes=len(self._names)), "n"
        content = network.read(ASSETS / f"{DEFAULT}.pt" if self.start is None else self.start)
        model = network.build(classes=len(self._names), width=content["width"])
        adapt(model, content["state"])
        return model, content["width"]
