"""What things are called for people: an identity by its name, by ``#12``, or by a bare number.

A bare number is a cluster of one run and means nothing in another. ``#12`` is the number of an identity in a
catalogue, which it keeps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packed_scenes.aggregate import Congregation


def titles(names: Mapping[int, str] | None, identities: Mapping[int, int] | None) -> Mapping[int, str] | None:
    """What clusters are called that have a name, or else a number in a catalogue; None if neither was asked for."""
    if identities is None:
        return names
    return {cluster: f"#{number}" for cluster, number in identities.items()} | dict(names or {})


def drawn_titles(names: Mapping[int, str] | None, identities: Mapping[int, int] | None) -> Mapping[int, str] | None:
    """:func:`titles` for pictures: a name that their font cannot write gives way to the number in the catalogue."""
    from packed_scenes.aggregate.lettering import has_letters

    written = {cluster: name for cluster, name in (names or {}).items() if has_letters(" ".join(name.split()))}
    return titles(written, identities)


def numbered(congregations: Sequence[Congregation], identities: Mapping[int, int] | None) -> list[Congregation]:
    """Label the congregations of a scene by a catalogue (``#12_1``, ``#12_2``) where it knows their identity.

    An identity that the run has in several clusters is counted through.
    """
    known = [(identities or {}).get(c.cluster) for c in congregations]
    times, seen = Counter(known), Counter[int]()
    shown = []
    for congregation, number in zip(congregations, known, strict=True):
        if number is not None:
            seen[number] += 1
            label = f"#{number}" if times[number] == 1 else f"#{number}_{seen[number]}"
            congregation = replace(congregation, label=label)
        shown.append(congregation)
    return shown


def counted(number: int, one: str, many: str = "") -> str:
    """A number of things: ``1 scene``, ``2 scenes``; ``many`` where the plural has more than an s."""
    return f"{number} {one if number == 1 else many or one + 's'}"
