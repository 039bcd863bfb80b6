"""Names of embedders and architectures; a decorator registers one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data import InputError

if TYPE_CHECKING:
    from embed.embedder import Embedder

ASSETS = Path(__file__).resolve().parent.parent / "assets"
Maker = Callable[[str], "Embedder"]
_MAKERS: dict[str, Maker] = {}


def register(*names: str) -> Callable[[Maker], Maker]:
    """Register a function of the device that makes an embedder under these names."""

    def keep(maker: Maker) -> Maker:
        for name in names:
            _MAKERS[name] = maker
        return maker

    return keep


def names() -> list[str]:
    """Every name that :func:`make` knows."""
    import embed.known  # noqa: F401  (registers)

    return sorted(_MAKERS)


def make(name: str, *, device: str = "auto") -> Embedder:
    """Make an embedder by name.

    Raises:
        InputError: if the name is unknown, or its weights are not on this machine.
    """
    known = names()
    if name not in known:
        raise InputError(
            f"unknown embedder {name!r}", remedy=f"Known: {', '.join(known)}; or give a .safetensors file."
        )
    return _MAKERS[name](device)


def architecture(card: dict[str, Any]) -> Any:
    """Build the untrained network that a card describes.

    Raises:
        InputError: if the card names an unknown architecture or wrong options.
    """
    from embed import networks, reference

    known: dict[str, Callable[..., Any]] = {
        "layout": networks.LayoutNet,
        "reference": reference.ReferenceNet,
        "classifier": reference.ClassifierNet,
        "alexnet-tuned": reference.AlexNetTuned,
    }
    name, options = card["architecture"], dict(card.get("options", {}))
    if name not in known:
        raise InputError(f"unknown architecture {name!r}", remedy=f"Known: {', '.join(sorted(known))}.")
    try:
        return known[name](**{key: tuple(v) if isinstance(v, list) else v for key, v in options.items()})
    except TypeError as error:
        raise InputError(f"the card's options do not fit {name!r} ({error})") from error
