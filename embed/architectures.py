"""From a card to the torch network it describes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packed_scenes.data import InputError
from packed_scenes.embed.weights import load_tensors

if TYPE_CHECKING:
    from packed_scenes.embed.networks import Unit


def architecture(card: dict[str, Any]) -> Any:
    """Build the untrained network that a card describes.

    Raises:
        InputError: if the card names an unknown architecture or wrong options.
    """
    from packed_scenes.embed import autoencoder, networks, person_network, reference

    known: dict[str, Callable[..., Any]] = {
        "layout": networks.LayoutNet,
        "reference": reference.ReferenceNet,
        "classifier": reference.ClassifierNet,
        "alexnet-tuned": reference.AlexNetTuned,
        "autoencoder": autoencoder.Autoencoder,
        "person": person_network.PersonNet,
    }
    name, options = str(card["architecture"]), card.get("options", {})
    if name not in known:
        raise InputError(f"unknown architecture {name!r}", remedy=f"Known: {', '.join(sorted(known))}.")
    try:
        return known[name](**{key: tuple(v) if isinstance(v, list) else v for key, v in options.items()})
    except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise InputError(f"the card's options do not fit {name!r} ({error})", remedy="Copy the card again.") from error


def load_network(path: str | Path, card: dict[str, Any]) -> Unit:
    """Build the torch network of a card and fill it with the weights of its file, in evaluation mode.

    Raises:
        InputError: if the tensors do not fit the architecture.
    """
    import torch

    tensors = load_tensors(path)
    try:
        with torch.device("meta"):  # no memory: a card may say a width of a billion
            wanted = {name: value.shape for name, value in architecture(card).state_dict().items()}
        if wanted != {name: value.shape for name, value in tensors.items()}:
            raise ValueError("other tensors")
        network: Unit = architecture(card)
        network.load_state_dict(tensors)
    except InputError as error:
        raise InputError(error.message, file=path, remedy=error.remedy) from error
    except (RuntimeError, ValueError, TypeError, OverflowError, MemoryError, ZeroDivisionError) as error:
        raise InputError(f"the weights do not fit {card['architecture']!r}", file=path, remedy="Retrain it.") from error
    return network.eval()
