"""Names of embedders and architectures; a decorator registers one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packed_scenes.data import InputError
from packed_scenes.data.files import check_file

if TYPE_CHECKING:
    from packed_scenes.embed.embedder import Embedder

Maker = Callable[[str], "Embedder"]
FileMaker = Callable[[str, Path | None], "Embedder"]


@dataclass(frozen=True)
class Entry:
    """How to make a named embedder; ``takes_file`` tells whether it can be given a weights file of the user's."""

    make: FileMaker
    takes_file: bool


_ENTRIES: dict[str, Entry] = {}


def register(*names: str) -> Callable[[Maker], Maker]:
    """Register a function of the device that makes an embedder under these names."""

    def keep(maker: Maker) -> Maker:
        for name in names:
            _ENTRIES[name] = Entry(lambda device, _file: maker(device), takes_file=False)
        return maker

    return keep


def register_with_file(*names: str) -> Callable[[FileMaker], FileMaker]:
    """Register a function of the device and of a weights file (or None) under these names."""

    def keep(maker: FileMaker) -> FileMaker:
        for name in names:
            _ENTRIES[name] = Entry(maker, takes_file=True)
        return maker

    return keep


def names() -> list[str]:
    """Every name that :func:`make` knows."""
    import packed_scenes.embed.known  # noqa: F401  (registers)

    return sorted(_ENTRIES)


def check_name(text: str) -> None:
    """Raise InputError unless this is a known name, ``NAME=FILE`` of one that takes a file, or an existing file.

    Cheap: for finding a typing error before hours of work.
    """
    name, _, file = text.partition("=")
    known = names()
    if not file and text not in known and Path(text).suffix:
        check_file(text, what="weights")
        return
    if name not in known:
        raise InputError(
            f"unknown embedder {name!r}", remedy=f"Known: {', '.join(known)}; or give a .safetensors file."
        )
    if file and not _ENTRIES[name].takes_file:
        takes = ", ".join(n for n in known if _ENTRIES[n].takes_file)
        raise InputError(f"{name!r} takes no weights file", remedy=f"These do: {takes}.")
    if file:
        check_file(file, what="weights")


def make(name: str, *, device: str = "auto", weights_file: str | Path | None = None) -> Embedder:
    """Make an embedder by name.

    Args:
        name: one of :func:`names`, or ``NAME=FILE`` to give the weights in one word.
        device: ``auto``, ``cpu`` or ``cuda``.
        weights_file: the user's own weights of this network: torchvision's or torchreid's published state dict
            (``.pth``, opened with ``weights_only``), or a ``.safetensors`` file of ours for ``autoencoder``.

    Raises:
        InputError: if the name is unknown, its weights are not on this machine, or it takes no file.
    """
    if "=" in name and weights_file is None:
        name, weights_file = name.split("=", 1)
    check_name(name if weights_file is None else f"{name}={weights_file}")
    return _ENTRIES[name].make(device, None if weights_file is None else Path(weights_file))


def architecture(card: dict[str, Any]) -> Any:
    """Build the untrained network that a card describes.

    Raises:
        InputError: if the card names an unknown architecture or wrong options.
    """
    from packed_scenes.embed import autoencoder, networks, reference

    known: dict[str, Callable[..., Any]] = {
        "layout": networks.LayoutNet,
        "reference": reference.ReferenceNet,
        "classifier": reference.ClassifierNet,
        "alexnet-tuned": reference.AlexNetTuned,
        "autoencoder": autoencoder.Autoencoder,
    }
    name, options = card["architecture"], dict(card.get("options", {}))
    if name not in known:
        raise InputError(f"unknown architecture {name!r}", remedy=f"Known: {', '.join(sorted(known))}.")
    try:
        return known[name](**{key: tuple(v) if isinstance(v, list) else v for key, v in options.items()})
    except TypeError as error:
        raise InputError(f"the card's options do not fit {name!r} ({error})") from error
