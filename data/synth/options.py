"""The generator's options as a user types them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from packed_scenes.data.errors import InputError
from packed_scenes.data.synth.pool import Source
from packed_scenes.data.synth.spec import SceneSpec


def parse_size(text: str) -> tuple[int, int]:
    """Read ``HEIGHTxWIDTH`` or one number for a square.

    Raises:
        InputError: if it is neither.
    """
    found = re.fullmatch(r"\s*(\d{1,6})(?:\s*[x×,]\s*(\d{1,6}))?\s*", text)
    if not found:
        raise InputError(f"size must be HEIGHTxWIDTH such as 1200x1600, or one number, got {text!r}")
    return int(found[1]), int(found[2] or found[1])


def parse_range(text: str) -> tuple[int, int]:
    """Read ``FEWEST-MOST`` or one number.

    Raises:
        InputError: if it is neither.
    """
    found = re.fullmatch(r"\s*(\d{1,6})(?:\s*-\s*(\d{1,6}))?\s*", text)
    if not found:
        raise InputError(f"objects must be FEWEST-MOST such as 50-150, or one number, got {text!r}")
    return int(found[1]), int(found[2] or found[1])


def parse_settings(texts: Sequence[str]) -> dict[str, Any]:
    """Read ``NAME=VALUE`` for any number among the fields of :class:`SceneSpec`.

    Raises:
        InputError: if a text is none, or the field is unknown or no number.
    """
    kinds = {f.name: float if f.type == "float" else int for f in fields(SceneSpec) if f.type in ("float", "int")}
    out: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in kinds:
            raise InputError(f"--set takes NAME=VALUE, got {text!r}", remedy=f"Names: {', '.join(kinds)}.")
        try:
            out[name] = kinds[name](value)
        except ValueError as error:
            raise InputError(f"{name} must be a number, got {value!r}") from error
    return out


def pick_goods(folder: Path | None, *, drawn: float) -> Source | None:
    """Return the source for a folder of crops, mixed with a share of drawn goods; None (drawn goods) without a folder.

    Raises:
        InputError: if the folder holds no pictures or the share is not in [0, 1].
    """
    if not 0 <= drawn <= 1:
        raise InputError(f"drawn must lie in [0, 1], got {drawn}")
    if folder is None:
        return None
    from packed_scenes.data.synth.sources import CropFolder, DrawnGoods, MixedGoods

    crops = CropFolder(folder)
    return MixedGoods([(drawn, DrawnGoods()), (1 - drawn, crops)]) if drawn else crops
