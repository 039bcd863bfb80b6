"""Which subcommands there are, by group, and the application of each, imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

PROGRAM = "packed-scenes"

# subcommand -> what it is for; its module is packed_scenes.cli.<name with _>
GROUPS: dict[str, dict[str, str]] = {
    "Photos": {
        "analyze": "Find every object, group the same ones, draw where each group stands.",
        "app": "The workbench in the browser: drop photos, correct, name, review, teach, report.",
        "shelf": "Report a shelf: facings, shares, gaps, comparison with a plan or an earlier photo.",
        "evaluate": "Score detection, identities and congregations on labelled scenes.",
    },
    "Collections": {
        "catalogue": "Keep identities over many runs: add, name, merge, split, export.",
        "search": "Find where a thing is, in a catalogue or a run.",
    },
    "Folders of crops": {
        "count": "How many different things are there?",
        "embedders": "List the embedders; inspect a network file, write its card, calibrate it.",
        "describe": "Turn crops into a matrix of descriptors.",
        "study": "Compare hundreds of clusterings on descriptors.",
        "refine": "Adapt the embedder to a folder of crops without labels.",
        "explain": "Show why two crops, or the members of a cluster, are alike.",
    },
    "Training": {
        "synthesize": "Draw labelled scenes.",
        "train-detector": "Train or fine-tune the detector.",
        "train-embedder": "Train an embedder; audit the labels of a folder.",
        "train-decision": "Train the network that decides which pairs are the same.",
    },
}
COMMANDS = {name: text for group in GROUPS.values() for name, text in group.items()}


def application(name: str) -> typer.Typer:
    """Import the typer application of one subcommand."""
    app: typer.Typer = import_module(f"packed_scenes.cli.{name.replace('-', '_')}").app
    return app
