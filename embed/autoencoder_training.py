"""Train an autoencoder on a folder of crops: mean absolute error, Adam, early stopping, all in chunks.

Crops become uint8 canvases in one memory-mapped file (12 kB each at 64 x 64; 25,000 take 307 MB of disk). An epoch
visits the file in chunks of 4,096 neighbouring rows in random order, shuffled inside, so memory stays at two chunks
(100 MB) and the network, whatever the number of crops. The validation crops (a tenth, drawn once) decide when to stop.

The run folder: ``autoencoder.safetensors`` with its card, ``history.csv``, ``curve.png``, ``reconstructions.png``
(best, median and worst crops of the validation part), ``errors.csv`` (reconstruction error per crop, for outliers) and
``work/`` with the canvases and the checkpoint, by which an interrupted training goes on after its last finished epoch.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from packed_scenes.data import InputError
from packed_scenes.data.device import pick_device
from packed_scenes.data.files import atomic_write, sha256_file, write_csv, write_json
from packed_scenes.data.text import load_json
from packed_scenes.data.torchfile import going_on_from, load_torch
from packed_scenes.embed.autoencoder import Autoencoder, reconstruction_errors
from packed_scenes.embed.autoencoder_plots import plot_curve, plot_reconstructions
from packed_scenes.embed.descriptors.canvases import read_canvases
from packed_scenes.embed.masking import Masker
from packed_scenes.embed.presets import write_history
from packed_scenes.embed.weights import save_weights

Canvases = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class AutoencoderRecipe:
    """Parameters of the training.

    Attributes:
        epochs: at most so many.
        patience: epochs without a better validation loss before it stops.
        batch, lr: of Adam.
        dimension: numbers of the latent.
        side: canvas side in pixels, a multiple of 8.
        validation_share: share of the crops that validates.
        chunk: rows of the memory-mapped file that are shuffled together.
        seed: fixes weights, split and order.
    """

    epochs: int = 300
    patience: int = 20
    batch: int = 64
    lr: float = 1e-3
    dimension: int = 32
    side: int = 64
    validation_share: float = 0.1
    chunk: int = 4096
    seed: int = 0


def train_autoencoder(
    paths: Sequence[str | Path],
    *,
    out: Path,
    recipe: AutoencoderRecipe | None = None,
    mask: Masker | None = None,
    device: str = "auto",
    workers: int | None = None,
    progress: Progress | None = None,
    report: Callable[[dict[str, Any]], None] | None = None,
) -> Path:
    """Train on picture files, or go on where a training in ``out`` was interrupted.

    Args:
        paths: one crop each; unreadable ones are left out (``failed`` in ``work/canvases.json``).
        out: run folder.
        recipe: parameters.
        mask: hides the background of every crop first.
        device: ``auto``, ``cpu``, ``cuda``.
        workers: decoding threads.
        progress: called while crops are read, with how many are done, and of how many.
        report: called after every epoch with its figures: epoch, train_loss, val_loss (0…1), waited, seconds.

    Returns:
        The weights file, usable as ``Embedder.load(file)`` and as a descriptor.

    Raises:
        InputError: if fewer than 10 pictures can be read.
    """
    recipe = recipe or AutoencoderRecipe()
    network_options: dict[str, Any] = {"width": recipe.side, "height": recipe.side, "dimension": recipe.dimension}
    files, canvases = store_canvases(paths, out / "work", side=recipe.side, mask=mask, workers=workers,
                                     progress=progress)  # fmt: skip
    if len(files) < 10:
        raise InputError(f"{len(files)} readable pictures are too few to learn from", remedy="Give at least 10.")
    order = np.random.default_rng([recipe.seed, 0xAE]).permutation(len(files))
    count = max(1, round(len(files) * recipe.validation_share))
    validation, train = np.sort(order[:count]), np.sort(order[count:])
    torch.manual_seed(recipe.seed)
    network = Autoencoder(**network_options).to(pick_device(device))
    history = _fit(
        network, canvases, train, validation, recipe=recipe, checkpoint=out / "work" / "checkpoint.pt", report=report
    )
    errors = reconstruction_errors(network, canvases)
    best = min(history, key=lambda row: row["val_loss"])
    card = {
        "name": "autoencoder", "architecture": "autoencoder", "options": network_options, "fit": "letterbox",
        "data": {"crops": len(files), "trained_on": len(train), "validated_on": len(validation),
                 "mask": None if mask is None else mask.key},
        "recipe": asdict(recipe),
        "metrics": {**best, "epochs": len(history), "error": {"median": float(np.median(errors)),
                    "p95": float(np.quantile(errors, 0.95))}},
    }  # fmt: skip
    weights = out / "autoencoder.safetensors"
    save_weights(weights, network.cpu().state_dict(), card, half=False)
    write_history(out / "history.csv", history)
    parts = np.where(np.isin(np.arange(len(files)), validation), "val", "train")
    lines = ((file, f"{error:.6f}", part) for file, error, part in zip(files, errors, parts, strict=True))
    write_csv(out / "errors.csv", [("path", "error", "part"), *lines])
    plot_curve(history, out / "curve.png")
    ranked = validation[np.argsort(errors[validation], kind="stable")]
    plot_reconstructions(network, canvases, ranked, errors, out / "reconstructions.png")
    return weights


def trained_on(
    paths: Sequence[str | Path],
    *,
    cache: Path,
    mask: Masker | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    recipe: AutoencoderRecipe | None = None,
) -> Path:
    """Weights of an autoencoder trained on these pictures: from the cache, or trained now (minutes to an hour)."""
    recipe = recipe or AutoencoderRecipe(seed=seed)
    digests = sorted(sha256_file(path) for path in paths if Path(path).is_file())
    key = json.dumps([digests, asdict(recipe), None if mask is None else mask.key])
    out = cache / f"autoencoder-run-{hashlib.sha256(key.encode()).hexdigest()[:20]}"
    weights = out / "autoencoder.safetensors"
    if weights.is_file() and weights.with_suffix(".json").is_file():
        return weights
    return train_autoencoder(paths, out=out, recipe=recipe, mask=mask, progress=progress)


def store_canvases(
    paths: Sequence[str | Path],
    folder: Path,
    *,
    side: int,
    mask: Masker | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> tuple[list[str], Canvases]:
    """Letterbox crops into one memory-mapped (N, side, side, 3) uint8 file; kept, and reused for the same pictures.

    Returns:
        The files that could be read, and the read-only memory map of their canvases.
    """
    files = [Path(path) for path in paths]
    stamp = [[str(f), f.stat().st_size, f.stat().st_mtime_ns] if f.is_file() else [str(f)] for f in files]
    key = hashlib.sha256(json.dumps([stamp, side, None if mask is None else mask.key]).encode()).hexdigest()
    index, store = folder / "canvases.json", folder / "canvases.u8"
    if not index.is_file() or load_json(index.read_text("utf-8")).get("key") != key:
        kept, failed = [], []
        with atomic_write(store) as temporary, open(temporary, "wb") as file:
            cut = {"width": side, "height": side}
            for row, (_, canvas, reason) in enumerate(read_canvases(files, cut, mask, workers=workers)):
                if canvas is None:
                    failed.append([str(files[row]), reason])
                else:
                    file.write(canvas.tobytes())
                    kept.append(str(files[row]))
                if progress is not None and (row % 64 == 63 or row == len(files) - 1):
                    progress(row + 1, len(files))
        write_json(index, {"key": key, "files": kept, "failed": failed})
        (folder / "checkpoint.pt").unlink(missing_ok=True)  # it learned from other canvases
    kept = load_json(index.read_text("utf-8"))["files"]
    if not kept:
        raise InputError(
            "none of the pictures can be read", file=files[0] if files else None, remedy="Name other pictures."
        )
    return kept, np.memmap(store, np.uint8, "r", shape=(len(kept), side, side, 3))


def _fit(
    network: Autoencoder,
    canvases: Canvases,
    train: Rows,
    validation: Rows,
    *,
    recipe: AutoencoderRecipe,
    checkpoint: Path,
    report: Callable[[dict[str, Any]], None] | None,
) -> list[dict[str, float]]:
    """Train in place; the network ends with the weights of its best epoch."""
    optimiser = torch.optim.Adam(network.parameters(), lr=recipe.lr)
    history: list[dict[str, float]] = []
    best = {key: value.clone() for key, value in network.state_dict().items()}
    if checkpoint.is_file():
        with going_on_from(checkpoint):
            state = load_torch(checkpoint, device=next(network.parameters()).device)
            if state["recipe"] | {"epochs": 0} == asdict(recipe) | {"epochs": 0}:
                network.load_state_dict(state["network"])
                optimiser.load_state_dict(state["optimiser"])
                best, history = state["best"], list(state["history"])
    while len(history) < recipe.epochs and _waited(history) < recipe.patience:
        epoch, start = len(history), time.monotonic()
        rng = np.random.default_rng([recipe.seed, epoch])
        row: dict[str, float] = {"epoch": epoch}
        row["train_loss"] = _pass(network, canvases, train, recipe, optimiser, rng)
        row["val_loss"] = _pass(network, canvases, validation, recipe, None, None)
        row["seconds"] = time.monotonic() - start
        if not history or row["val_loss"] < min(r["val_loss"] for r in history):
            best = {key: value.clone() for key, value in network.state_dict().items()}
        history.append(row)
        with atomic_write(checkpoint) as path:
            state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "best": best}
            torch.save(state | {"history": history, "recipe": asdict(recipe)}, path)
        if report is not None:
            report(row | {"waited": _waited(history)})
    network.load_state_dict(best)
    network.eval()
    return history


def _waited(history: Sequence[dict[str, float]]) -> int:
    """Epochs since the best validation loss."""
    losses = [row["val_loss"] for row in history]
    return len(losses) - 1 - int(np.argmin(losses)) if losses else 0


def _pass(
    network: Autoencoder,
    canvases: Canvases,
    rows: Rows,
    recipe: AutoencoderRecipe,
    optimiser: torch.optim.Optimizer | None,
    rng: np.random.Generator | None,
) -> float:
    """One visit of the rows, chunk by chunk; mean absolute error in 0…1."""
    network.train(optimiser is not None)
    device = next(network.parameters()).device
    chunks = [rows[i : i + recipe.chunk] for i in range(0, len(rows), recipe.chunk)]
    if rng is not None:
        chunks = [rng.permutation(chunks[i]) for i in rng.permutation(len(chunks))]
    total = torch.zeros((), dtype=torch.float64, device=device)
    for chunk in chunks:
        loaded = torch.from_numpy(canvases[chunk])
        for start in range(0, len(chunk), recipe.batch):
            pixels = loaded[start : start + recipe.batch].to(device).permute(0, 3, 1, 2).float()
            with torch.set_grad_enabled(optimiser is not None):
                loss = (network.reconstruct(pixels) - pixels).abs().mean() / 255
            if optimiser is not None:
                optimiser.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
            total += loss.detach().double() * len(pixels)
    return float(total) / len(rows)
