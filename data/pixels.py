"""How a network wants its pixels, and the small card (JSON) beside a network file that says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import read_bytes
from packed_scenes.data.text import load_json

CORRECT = "Correct the card."
MAX_CARD_BYTES = 1 << 22  # bytes
IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_SCALE = (58.395, 57.12, 57.375)
Three = tuple[float, float, float]


@dataclass(frozen=True)
class Pixels:
    """(pixel - mean) / scale, channel by channel.

    Attributes:
        channels: ``rgb`` or ``bgr``.
        mean, scale: in the order of ``channels``, in units of 0…255.
    """

    channels: str = "rgb"
    mean: Three = (0.0, 0.0, 0.0)
    scale: Three = (1.0, 1.0, 1.0)

    @classmethod
    def of_card(cls, card: Mapping[str, Any], *, default: Self, file: str | Path | None = None) -> Self:
        """Take ``channels``, ``mean`` and ``scale`` from a card, the rest from ``default``.

        Raises:
            InputError: if a value is none of these.
        """
        channels = str(card.get("channels", default.channels)).lower()
        if channels not in ("rgb", "bgr"):
            raise InputError(f'channels must be "rgb" or "bgr", got {card["channels"]!r}', file=file, remedy=CORRECT)
        mean, scale = (_three(card.get(k, getattr(default, k)), k, file) for k in ("mean", "scale"))
        if min(scale) <= 0 or max(scale) < 1:
            raise InputError(
                f"scale must be in units of 0…255, got {list(scale)}",
                file=file,
                remedy="Multiply mean and scale by 255.",
            )
        return cls(channels, mean, scale)

    def apply(self, images: npt.NDArray[np.uint8], *, last: bool = False) -> npt.NDArray[np.float32]:
        """(B, H, W, 3) uint8 RGB -> float32 (B, 3, H, W), or (B, H, W, 3) if ``last``."""
        ordered = images[..., ::-1] if self.channels == "bgr" else images
        values = ordered.astype(np.float32)
        if any(self.mean):
            values -= np.array(self.mean, np.float32)
        if self.scale != (1.0, 1.0, 1.0):
            values /= np.array(self.scale, np.float32)
        return values if last else np.ascontiguousarray(values.transpose(0, 3, 1, 2))

    def to_card(self) -> dict[str, Any]:
        """The values as a card has them."""
        return {"channels": self.channels, "mean": list(self.mean), "scale": list(self.scale)}


IMAGENET = Pixels("rgb", IMAGENET_MEAN, IMAGENET_SCALE)
UNIT = Pixels("rgb", scale=(255.0, 255.0, 255.0))
PLAIN_BGR = Pixels("bgr")


def _three(value: Any, name: str, file: str | Path | None) -> Three:
    values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    try:
        numbers = [float(v) for v in values]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) == 1:
        numbers *= 3
    if len(numbers) != 3 or not np.isfinite(numbers).all():
        raise InputError(f"{name} must be one number or three, got {value!r}", file=file, remedy=CORRECT)
    return numbers[0], numbers[1], numbers[2]


def read_side_card(network: str | Path, known: Sequence[str]) -> dict[str, Any]:
    """Read the card beside a network file, ``NAME.json`` beside ``NAME.onnx``; empty if there is none.

    Args:
        network: the network's file.
        known: keys that mean something; a key that looks like a misspelt one of them is an error, others are notes.

    Raises:
        InputError: if it is no JSON object, or a key is misspelt.
    """
    path = Path(network).with_suffix(".json")
    if not path.is_file():
        return {}
    try:
        card = load_json(read_bytes(path, max_bytes=MAX_CARD_BYTES, what="card"))
    except ValueError as error:
        raise InputError(
            "no JSON", file=path, remedy="It should be the network's card; see docs/networks.md."
        ) from error
    if not isinstance(card, dict):
        raise InputError("a network's card is a JSON object", file=path, remedy="See docs/networks.md.")
    return check_keys(card, known, file=path)


def check_keys(card: dict[str, Any], known: Sequence[str], *, file: str | Path) -> dict[str, Any]:
    """Return the card; raises InputError where a key looks like a misspelt known one."""
    for key in card:
        near = [] if key in known else get_close_matches(str(key).lower(), known, 1, 0.8)
        if near:
            raise InputError(f"unknown key {key!r}", file=file, remedy=f"Did you mean {near[0]!r}?")
    return card
