"""What a catalogue gives out: one frozen record per kind of thing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.titles import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from packed_scenes.data.objects import Objects

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Embedding:
    """Which vectors a catalogue holds; only vectors of the same embedder can be compared.

    Attributes:
        name: the embedder, as it is asked for.
        weights: SHA-256 of its weights.
        threshold: its calibrated cosine distance between two identities, or None.
    """

    name: str
    weights: str
    threshold: float | None = None


@dataclass(frozen=True)
class Entry:
    """One analysed scene on its way into a catalogue.

    Attributes:
        name: the scene's name; a number is put behind it if the catalogue has another scene of that name.
        fingerprint: SHA-256 of the picture; a picture that is there already is left as it is.
        size: (height, width) in pixels.
        objects: boxes with vectors and clusters; the clusters are joint over the entries of one call.
        picture: gives the (H, W, 3) uint8 RGB picture, or None: then there are no crops and no preview.
        source: where the picture lies.
        taken: time of the photo, ISO 8601; None = now.
    """

    name: str
    fingerprint: str
    size: tuple[int, int]
    objects: Objects
    picture: Callable[[], npt.NDArray[np.uint8]] | None = None
    source: Path | None = None
    taken: str | None = None


@dataclass(frozen=True)
class Added:
    """What adding did.

    Attributes:
        run_id: number of the run, None if nothing was added.
        scenes: names of the scenes as they are in the catalogue now.
        skipped: (name given, name in the catalogue) of pictures that were there already.
        n_objects: objects added.
        known: identities that were there before and were seen again.
        new: identities that were made.
    """

    run_id: int | None
    scenes: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    n_objects: int
    known: tuple[int, ...]
    new: tuple[int, ...]

    @property
    def warnings(self) -> list[str]:
        """A line for every picture that was there already."""
        return [
            f"{given} is in the catalogue already, as {there}; it was left as it is" for given, there in self.skipped
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{counted(len(self.scenes), 'scene')} and {counted(self.n_objects, 'object')} added: "
            f"{counted(len(self.known), 'known identity', 'known identities')} seen again, {len(self.new)} new"
        )


@dataclass(frozen=True)
class Identity:
    """One product, person, vehicle.

    Attributes:
        identity_id: number that never changes and is never given again.
        name: what the user calls it, or None.
        n_objects, n_scenes: how often, and in how many scenes, it has been seen.
        first_seen, last_seen: times of its first and last scene, ISO 8601.
    """

    identity_id: int
    name: str | None
    n_objects: int
    n_scenes: int
    first_seen: str
    last_seen: str

    @property
    def label(self) -> str:
        """The name, or ``#`` and the number."""
        return self.name or f"#{self.identity_id}"


@dataclass(frozen=True)
class SceneRecord:
    """One scene of the catalogue; times are ISO 8601, sizes in pixels."""

    scene_id: int
    name: str
    source: str | None
    width: int
    height: int
    taken: str
    added: str
    run_id: int
    n_objects: int
    n_identities: int


@dataclass(frozen=True)
class Sighting:
    """One object of the catalogue: where an identity was seen.

    Attributes:
        object_id: its number in the catalogue.
        key: its id within the scene.
        scene: name of the scene.
        taken: time of the scene, ISO 8601.
        xyxy: box in pixels, origin top-left, x2 and y2 exclusive.
        score: the detector's confidence.
        identity_id, name: whose it is.
        probability: how surely it is.
    """

    object_id: int
    key: str
    scene: str
    taken: str
    xyxy: tuple[float, float, float, float]
    score: float
    identity_id: int
    name: str | None
    probability: float


@dataclass(frozen=True)
class Share:
    """One identity's share of one scene's shelf: by count of its objects, and by their area."""

    scene: str
    identity_id: int
    name: str | None
    count: int
    share_count: float
    share_area: float


@dataclass(frozen=True, eq=False)
class Vectors:
    """All vectors of a catalogue, rows aligned, in the order of ``object_id``.

    Attributes:
        object_id: (N,) int64.
        identity_id: (N,) int64.
        vector: (N, D) float32 unit rows.
        state: number of the last edit; the vectors are stale when the catalogue's is higher.
    """

    object_id: Ints
    identity_id: Ints
    vector: npt.NDArray[np.float32]
    state: int

    def __len__(self) -> int:
        return len(self.object_id)
