"""Finished rounds on disk, by which an interrupted refinement goes on."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packed_scenes.crops.listing import Crops, fingerprint
from packed_scenes.data.errors import InputError
from packed_scenes.data.files import write_json
from packed_scenes.data.text import load_json
from packed_scenes.refining.review import Links

if TYPE_CHECKING:
    from packed_scenes.embed.networks import Unit
    from packed_scenes.refining.loop import Options

FORMAT = 1


def rounds_key(crops: Crops, options: Options, card: Mapping[str, Any], links: Links | None) -> str:
    """Hash of everything that decides the rounds (not how many)."""
    choice = {k: v for k, v in asdict(options).items() if k not in ("rounds", "embedder", "reassign")}
    camera = None if crops.camera is None else crops.camera.tolist()
    about = [FORMAT, fingerprint(crops), camera, choice, card["sha256"], None if links is None else links.to_json()]
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def save_round(work: Path, key: str, number: int, network: Unit, about: dict[str, Any]) -> None:
    """Keep a round: its network, and what :func:`load_round` gives back beside it."""
    from packed_scenes.embed.weights import save_weights

    save_weights(
        work / f"round-{number}.safetensors", network.state_dict(), {"architecture": "", "key": key}, half=False
    )
    write_json(work / f"round-{number}.about.json", {"key": key, **about})


def load_round(work: Path, key: str, number: int, network: Unit) -> tuple[Unit, dict[str, Any]] | None:
    """A round that an earlier call finished with the same crops and choices; None if there is none."""
    from packed_scenes.embed.weights import load_card, load_tensors

    try:
        about = load_json((work / f"round-{number}.about.json").read_text("utf-8"))
        if about.pop("key") != key or load_card(work / f"round-{number}.safetensors")["key"] != key:
            return None
        trained = copy.deepcopy(network)
        trained.load_state_dict(load_tensors(work / f"round-{number}.safetensors"))
    except (OSError, ValueError, KeyError, RuntimeError, InputError):
        return None
    return trained.eval(), about
