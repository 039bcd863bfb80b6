"""The author's training: a head over an embedding, cross entropy, Adam, the best of a fixed number of epochs."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from packed_scenes.data.files import atomic_write
from packed_scenes.data.torchfile import going_on_from, load_torch
from packed_scenes.embed.losses import ProxySoftmax
from packed_scenes.embed.networks import Unit


@dataclass(frozen=True, kw_only=True)
class ClassifyRecipe:
    """Parameters.

    Attributes:
        epochs, batch, lr: of Adam.
        proxies: cosine to learned anchors times ``scale`` (the reference) or a plain linear layer (the baseline).
        scale: the author's lambda; smaller separates more and transfers less.
        seed: fixes weights and order.
    """

    epochs: int = 20
    batch: int = 100
    lr: float = 1e-3
    proxies: bool = True
    scale: float = 3.0
    seed: int = 0


@dataclass
class Classified:
    """What a training gave.

    Attributes:
        network: with the weights of the best epoch, in evaluation mode.
        head: maps its raw embeddings to class scores.
        history: one row per epoch: epoch, train_loss, train_accuracy, val_loss, val_accuracy, seconds.
    """

    network: Unit
    head: nn.Module
    history: list[dict[str, float]] = field(default_factory=list)

    @property
    def best(self) -> dict[str, float]:
        """The row of the best epoch."""
        return max(self.history, key=lambda row: row["val_accuracy"])


class Head(nn.Module):
    """Raw embedding -> class scores, by anchors or by a linear layer."""

    def __init__(self, classes: int, dimension: int, recipe: ClassifyRecipe) -> None:
        super().__init__()
        self.anchors = ProxySoftmax(classes, dimension, scale=recipe.scale) if recipe.proxies else None
        self.linear = None if recipe.proxies else nn.Linear(dimension, classes)

    def forward(self, raw: Tensor) -> Tensor:
        """(B, D) -> (B, classes)."""
        if self.anchors is not None:
            return self.anchors.logits(functional.normalize(raw, dim=1))
        assert self.linear is not None
        return self.linear(raw)  # type: ignore[no-any-return]


def train_classifier(
    network: Unit,
    pixels: npt.NDArray[np.uint8],
    label: npt.NDArray[np.int64],
    *,
    train: npt.NDArray[np.int64],
    validation: npt.NDArray[np.int64],
    classes: int,
    recipe: ClassifyRecipe,
    checkpoint: Path | None = None,
    report: Callable[[dict[str, Any]], None] | None = None,
) -> Classified:
    """Train, resuming after the last finished epoch if ``checkpoint`` exists.

    Args:
        network: the embedding network.
        pixels: (N, H, W, 3) uint8 canvases of the network's size.
        label: (N,) int64.
        train, validation: rows to learn from and to choose the epoch by.
        classes: number of classes.
        recipe: parameters.
        checkpoint: file replaced after every epoch.
        report: called after every batch and epoch with figures.
    """
    torch.manual_seed(recipe.seed)
    head = Head(classes, network.dimension, recipe)
    parameters = [p for p in [*network.parameters(), *head.parameters()] if p.requires_grad]
    optimiser = torch.optim.Adam(parameters, lr=recipe.lr)
    done = Classified(network, head)
    best = copy.deepcopy((network.state_dict(), head.state_dict()))
    if checkpoint is not None and checkpoint.is_file():
        with going_on_from(checkpoint):
            state = load_torch(checkpoint)
            network.load_state_dict(state["network"])
            head.load_state_dict(state["head"])
            optimiser.load_state_dict(state["optimiser"])
            best, done.history = state["best"], list(state["history"])
    for epoch in range(len(done.history), recipe.epochs):
        start = time.monotonic()
        order = np.random.default_rng([recipe.seed, epoch]).permutation(train)
        row: dict[str, float] = {"epoch": epoch}
        row |= _pass("train", network, head, pixels, label, order, recipe, optimiser, report)
        row |= _pass("val", network, head, pixels, label, validation, recipe, None, None)
        row["seconds"] = time.monotonic() - start
        if not done.history or row["val_accuracy"] > done.best["val_accuracy"]:
            best = copy.deepcopy((network.state_dict(), head.state_dict()))
        done.history.append(row)
        if report is not None:
            report(row | {"seconds_left": row["seconds"] * (recipe.epochs - epoch - 1)})
        if checkpoint is not None:
            with atomic_write(checkpoint) as path:
                state = {
                    "network": network.state_dict(),
                    "head": head.state_dict(),
                    "optimiser": optimiser.state_dict(),
                }
                torch.save(state | {"best": best, "history": done.history}, path)
    network.load_state_dict(best[0])
    head.load_state_dict(best[1])
    network.eval()
    head.eval()
    return done


def _pass(
    name: str,
    network: Unit,
    head: Head,
    pixels: npt.NDArray[np.uint8],
    label: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    recipe: ClassifyRecipe,
    optimiser: torch.optim.Optimizer | None,
    report: Callable[[dict[str, Any]], None] | None,
) -> dict[str, float]:
    network.train(optimiser is not None)
    head.train(optimiser is not None)
    loss_sum, right = 0.0, 0
    for start in range(0, len(rows), recipe.batch):
        part = rows[start : start + recipe.batch]
        target = torch.from_numpy(label[part])
        with torch.set_grad_enabled(optimiser is not None):
            scores = head(network.features(network.scale(torch.from_numpy(pixels[part]).permute(0, 3, 1, 2).float())))
            loss = functional.cross_entropy(scores, target)
        if optimiser is not None:
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        loss_sum += float(loss.detach()) * len(part)
        right += int((scores.argmax(1) == target).sum())
        if report is not None:
            report({"batch": start // recipe.batch, "batches": -(-len(rows) // recipe.batch)})
    return {f"{name}_loss": loss_sum / len(rows), f"{name}_accuracy": right / len(rows)}


@torch.inference_mode()
def predict(
    done: Classified, pixels: npt.NDArray[np.uint8], *, batch: int = 100
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Unit embeddings (N, D) and predicted classes (N,) of canvases."""
    vectors, classes = [], []
    for start in range(0, len(pixels), batch):
        raw = done.network.features(
            done.network.scale(torch.from_numpy(pixels[start : start + batch]).permute(0, 3, 1, 2).float())
        )
        vectors.append(functional.normalize(raw, dim=1).numpy())
        classes.append(done.head(raw).argmax(1).numpy())
    return np.concatenate(vectors), np.concatenate(classes)
