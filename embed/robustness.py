"""What changed light, blur, box errors and occlusion do to an embedding: curves of cosine and of changed identities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.data.hidden import plot_text
from packed_scenes.embed.embedder import Embedder
from packed_scenes.embed.retrieval import nearest

Crop = npt.NDArray[np.uint8]


def exposure(crop: Crop, strength: float, rng: np.random.Generator) -> Crop:
    """Exposure changed by a factor of up to 2^±strength, and white balance by a third of that."""
    gain = 2 ** (rng.choice([-1, 1]) * strength + rng.uniform(-1, 1, 3) * strength / 3)
    lit: Crop = np.clip(crop * gain, 0, 255).astype(np.uint8)
    return lit


def blur(crop: Crop, strength: float, rng: np.random.Generator) -> Crop:
    """Gaussian blur; strength is its standard deviation as a share of the crop's height."""
    if strength <= 0:
        return crop
    blurred: Crop = cv2.GaussianBlur(crop, (0, 0), max(0.05, strength * crop.shape[0]))
    return blurred


def box_error(crop: Crop, strength: float, rng: np.random.Generator) -> Crop:
    """Each edge moves inwards or outwards by up to ``strength`` of the side; outside is the mirrored crop."""
    h, w = crop.shape[:2]
    pad_y, pad_x = int(np.ceil(strength * h)), int(np.ceil(strength * w))
    wide = cv2.copyMakeBorder(crop, pad_y, pad_y, pad_x, pad_x, cv2.BORDER_REFLECT)
    top, bottom = (rng.uniform(-1, 1, 2) * strength * h).round().astype(int)
    left, right = (rng.uniform(-1, 1, 2) * strength * w).round().astype(int)
    moved: Crop = wide[pad_y + top : pad_y + h + bottom, pad_x + left : pad_x + w + right]
    return np.ascontiguousarray(moved) if moved.size else crop


def occlusion(crop: Crop, strength: float, rng: np.random.Generator) -> Crop:
    """A grey rectangle over ``strength`` of the area, somewhere."""
    h, w = crop.shape[:2]
    side = np.sqrt(strength)
    rh, rw = round(h * side), round(w * side)
    y, x = rng.integers(0, h - rh + 1), rng.integers(0, w - rw + 1)
    out = crop.copy()
    out[y : y + rh, x : x + rw] = rng.integers(40, 216)
    return out


CHANGES: dict[str, tuple[Callable[[Crop, float, np.random.Generator], Crop], tuple[float, ...]]] = {
    "light (stops)": (exposure, (0.0, 0.25, 0.5, 0.75, 1.0)),
    "blur (share of height)": (blur, (0.0, 0.005, 0.01, 0.02, 0.03)),
    "box error (share of side)": (box_error, (0.0, 0.03, 0.06, 0.1, 0.15)),
    "occlusion (share of area)": (occlusion, (0.0, 0.1, 0.2, 0.3, 0.4)),
}


def robustness(
    embedder: Embedder, crops: Sequence[Crop], identity: npt.NDArray[np.int64], *, seed: int = 0
) -> list[dict[str, Any]]:
    """Change the crops in every way and strength of :data:`CHANGES` and embed them again.

    Returns:
        Rows of ``change``, ``strength``, ``cosine`` (mean with the unchanged crop), ``cosine_low`` (5 % quantile) and
        ``changed``: the share whose nearest unchanged crop (their own counts too) is of another identity.
    """
    clean = embedder.embed_crops(crops)
    rows = []
    for name, (change, strengths) in CHANGES.items():
        for strength in strengths:
            rng = np.random.default_rng([seed, round(strength * 1000)])
            vectors = embedder.embed_crops([change(crop, strength, rng) for crop in crops])
            cosine = (vectors * clean).sum(1)
            rows.append(
                {
                    "change": name, "strength": strength, "cosine": float(cosine.mean()),
                    "cosine_low": float(np.quantile(cosine, 0.05)),
                    "changed": float((identity[nearest(vectors, clean)] != identity).mean()),
                }
            )  # fmt: skip
    return rows


def plot_robustness(results: dict[str, list[dict[str, Any]]], path: str | Path) -> None:
    """Draw cosine (above) and changed identities (below) against strength, one line per embedder."""
    from packed_scenes.embed.plots import pyplot, save_figure

    plt = pyplot()
    figure, axes = plt.subplots(2, len(CHANGES), figsize=(3.6 * len(CHANGES), 5.6), sharex="col", sharey="row")
    for column, name in enumerate(CHANGES):
        for embedder, rows in results.items():
            mine = [row for row in rows if row["change"] == name]
            x = [row["strength"] for row in mine]
            axes[0, column].plot(x, [row["cosine"] for row in mine], marker="o", ms=3, label=plot_text(embedder))
            axes[1, column].plot(x, [row["changed"] for row in mine], marker="o", ms=3, label=plot_text(embedder))
        axes[1, column].set_xlabel(name)
    axes[0, 0].set_ylabel("cosine with unchanged")
    axes[1, 0].set_ylabel("identity changed (share)")
    axes[0, -1].legend(fontsize=8)
    figure.tight_layout()
    save_figure(figure, Path(path))
