"""The networks of a project: those of the server, or those that were taught on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import sha256_file
from packed_scenes.observe import Observer
from packed_scenes.web.project.detector_teaching import USED
from packed_scenes.web.project.folder import TAUGHT_EMBEDDER
from packed_scenes.web.server.opened import Opened

if TYPE_CHECKING:
    from packed_scenes.embed import Embedder


def observer_of(opened: Opened, shared: Observer) -> Observer:
    """The detector and the embedder that a project's photos are analysed with.

    Args:
        opened: the project.
        shared: the server's models.

    Raises:
        InputError: if what was taught is not there any more.
    """
    embedder = embedder_of(opened, shared)
    weights = (opened.project.folder.about.get("settings") or {}).get("weights")
    if weights is None or weights == shared.settings.weights:
        if embedder is shared.embedder:
            return shared
        made = Observer(shared.settings, models=shared)
        vars(made)["embedder"] = embedder
        return made
    path = opened.project.folder.path / USED
    if weights != USED or not path.is_file():
        raise InputError("the detector that this project was analysed with is not there", file=weights)
    held = opened.kept.get("observer")
    if held is None or held.detector.weights_hash != sha256_file(path):
        held = Observer(replace(shared.settings, weights=str(path)))
        opened.kept["observer"] = held
    vars(held)["embedder"] = embedder
    observer: Observer = held
    return observer


def embedder_of(opened: Opened, shared: Observer) -> Embedder:
    """The embedder that a project's vectors are made with.

    Raises:
        InputError: if what was taught is not there any more, or is not what it was.
    """
    taught = opened.project.document.values.get("embedder")
    if taught is None:
        return shared.embedder
    held = opened.kept.get("embedder")
    if held is None or held[0] != taught["sha256"]:
        from packed_scenes.embed import Embedder

        path = opened.project.folder.path / str(taught["file"])
        if not TAUGHT_EMBEDDER.fullmatch(str(taught["file"])) or not path.is_file():
            raise InputError("the network that this project was taught is not there", file=path, remedy="Undo it.")
        held = taught["sha256"], Embedder.load(path)
        if held[1].weights_hash != taught["sha256"]:
            raise InputError("the network that this project was taught has changed", file=path, remedy="Undo it.")
        opened.kept["embedder"] = held
    embedder: Embedder = held[1]
    return embedder
