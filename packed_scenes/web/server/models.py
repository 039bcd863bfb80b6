"""The networks of a project: those it was analysed with, or those that were taught on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import sha256_file
from packed_scenes.observe import Observer
from packed_scenes.settings import Settings
from packed_scenes.web.project.detector_teaching import USED
from packed_scenes.web.project.folder import TAUGHT_EMBEDDER
from packed_scenes.web.server.opened import Opened

if TYPE_CHECKING:
    from packed_scenes.embed import Embedder

# What decides what is found and how it is described; the rest of a project's settings is about grouping and drawing.
OF_NETWORKS = (
    "weights", "classes", "class_names", "confidence", "image_size", "max_objects", "second_look", "embedder",
)  # fmt: skip


class Networks:
    """The networks that projects were analysed with, loaded once for each choice.

    A project's file may come from anywhere: it may name networks that ship, and whatever the app was started with.
    Other files are opened only in a project that the person at the command line named, and none that can run code
    unless the app was started with ``--trust``.

    Args:
        shared: what the app was started with.
    """

    def __init__(self, shared: Observer) -> None:
        self.shared = shared
        self._made: dict[Settings, Observer] = {shared.settings: shared}

    def of(self, about: Mapping[str, Any], *, named: bool) -> Observer:
        """The networks of a project.

        Args:
            about: what the project's folder says of it.
            named: the person at the command line named this project.

        Raises:
            InputError: if it needs a file that may not be opened, or there is no such network.
        """
        known = dict(about.get("settings") or {})
        if known.get("weights") == USED:
            known["weights"] = about.get("weights_before")
        chosen = {key: known[key] for key in OF_NETWORKS if key in known}
        try:
            chosen |= {key: tuple(chosen[key] or ()) for key in ("classes", "class_names") if key in chosen}
            settings = replace(self.shared.settings, **chosen)
            made = self._made.get(settings)
        except (TypeError, ValueError) as error:
            raise InputError(f"the settings of this project cannot be used ({error})") from error
        if made is None:
            self._check(settings, named=named)
            made = self._made[settings] = Observer(settings)
        return made

    def try_of(self, about: Mapping[str, Any], *, named: bool) -> tuple[Observer | None, str]:
        """The networks of a project, or why they cannot be had: without them it can still be looked at and sorted."""
        try:
            found = self.of(about, named=named)
            _ = found.embedder
        except InputError as error:
            return None, str(error)
        return found, ""

    def _check(self, settings: Settings, *, named: bool) -> None:
        from packed_scenes.embed.registry import names

        for option, value, ours, ships in (
            ("embedder", settings.embedder, self.shared.settings.embedder, names()),
            ("weights", settings.weights, self.shared.settings.weights, [None]),
        ):
            if value != ours and value not in ships and not named:
                raise InputError(
                    f"this project was analysed with {value}", remedy=f"Start the app with --{option} {value}."
                )


def networks_of(opened: Opened) -> Observer:
    """The networks that a project was analysed with, whatever was taught since.

    Raises:
        InputError: if they cannot be had here.
    """
    if opened.networks is None:
        raise InputError(opened.refused)
    return opened.networks


def observer_of(opened: Opened) -> Observer:
    """The detector and the embedder that a project's photos are analysed with.

    Raises:
        InputError: if what it needs cannot be had here, or what was taught is not there any more.
    """
    base, embedder = networks_of(opened), embedder_of(opened)
    weights = (opened.project.folder.about.get("settings") or {}).get("weights")
    if weights != USED:
        if embedder is base.embedder:
            return base
        made = Observer(base.settings, models=base)
        vars(made)["embedder"] = embedder
        return made
    path = opened.project.folder.path / USED
    if not path.is_file():
        raise InputError("the detector that this project was taught is not there", file=path, remedy="See Teach.")
    held = opened.kept.get("observer")
    if held is None or held.detector.weights_hash != sha256_file(path):
        plain = replace(base.settings, weights=str(path), classes=(), class_names=())
        held = Observer(plain)
        opened.kept["observer"] = held
    vars(held)["embedder"] = embedder
    observer: Observer = held
    return observer


def changed(opened: Opened) -> bool:
    """Whether the objects were described by another version of the network than the one at hand."""
    known = (opened.project.folder.about.get("weights") or {}).get("embedder")
    if opened.networks is None or known is None or opened.project.document.values.get("embedder") is not None:
        return False
    return bool(known != opened.networks.embedder.weights_hash)


def embedder_of(opened: Opened) -> Embedder:
    """The embedder that a project's vectors are made with.

    Raises:
        InputError: if it cannot be had here, or is not what it was.
    """
    taught = opened.project.document.values.get("embedder")
    if taught is None:
        if changed(opened):
            raise InputError(
                "the network that described these objects is of another version",
                remedy="Choose Describe all objects anew in Teach.",
            )
        return networks_of(opened).embedder
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
