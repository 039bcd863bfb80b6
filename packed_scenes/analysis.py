"""The main job: pictures -> boxes -> vectors -> identities -> congregations, for one scene or many."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.crowd import known
from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import Objects
from packed_scenes.identify import congregate, identify
from packed_scenes.look import look, reason
from packed_scenes.names import Names
from packed_scenes.observe import Observer, weights_of
from packed_scenes.settings import Settings
from packed_scenes.sources import Picture, PictureCache, Source, sources
from packed_scenes.stage import Staged

if TYPE_CHECKING:
    import pandas as pd

    from packed_scenes.aggregate import Congregation
    from packed_scenes.data.boxes import BoxFile

    GivenBoxes = Objects | Mapping[str, Objects] | BoxFile

Progress = Callable[[Iterable[Any], str, int], Iterable[Any]]


@dataclass(frozen=True)
class SceneResult:
    """One analysed scene.

    Attributes:
        source: where its picture comes from.
        size: (height, width) in pixels.
        objects: boxes, vectors, identities and congregations.
        congregations: where each identity stands.
        detection: how the detector looked.
        seconds: wall time per stage.
        warnings: lines for the user.
    """

    source: Source
    size: tuple[int, int]
    objects: Objects
    congregations: list[Congregation]
    detection: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The scene's name."""
        return self.source.name


@dataclass(frozen=True)
class Analysis:
    """The result of :func:`analyze`.

    Attributes:
        scenes: the scenes that could be analysed, in input order.
        settings: what decided the result.
        clustering: clusterer, threshold, number of clusters, share of noise.
        errors: (file, reason) of what had to be left out.
        seconds: wall time per stage over all scenes.
        weights: SHA-256 of the detector's and embedder's weights, where used.
    """

    scenes: tuple[SceneResult, ...]
    settings: Settings
    clustering: dict[str, Any]
    errors: tuple[tuple[str, str], ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    weights: dict[str, str] = field(default_factory=dict)
    pictures: PictureCache = field(default_factory=PictureCache, repr=False)

    @property
    def warnings(self) -> list[str]:
        """All warnings; a scene's warning starts with its name."""
        of_scenes = [f"{scene.name}: {line}" for scene in self.scenes for line in scene.warnings]
        return [*of_scenes, *self.clustering.get("warnings", [])]

    def table(self) -> pd.DataFrame:
        """Return all objects as one table with a ``scene`` column in front (no embeddings)."""
        import pandas as pd

        frames = []
        for scene in self.scenes:
            frame = scene.objects.replace(embedding=None).to_pandas()
            frame.insert(0, "scene", scene.name)
            frames.append(frame)
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def overlay(self, scene: str | None = None) -> npt.NDArray[np.uint8]:
        """Draw one scene (the first if not named) with its congregations: (H, W, 3) uint8 RGB."""
        from packed_scenes.aggregate import assign_colors
        from packed_scenes.crowd import draw_scene

        found = next((s for s in self.scenes if scene in (None, s.name)), None)
        if found is None:
            raise InputError(
                f"no scene named {scene!r}", remedy=f"There are: {', '.join(s.name for s in self.scenes)}."
            )
        colors = assign_colors([s.objects for s in self.scenes])
        return draw_scene(self.pictures.get(found.source).image, found.objects, found.congregations, colors=colors)

    def save(self, out: str | Path) -> Path:
        """Write the run folder (see the README for its files) and return its path."""
        from packed_scenes.runfolder import save_run

        return save_run(self, Path(out))


def analyze(
    pictures: Picture | Iterable[Picture],
    *,
    boxes: GivenBoxes | None = None,
    settings: Settings | None = None,
    stage: str | Path | None = None,
    progress: Progress | None = None,
    observer: Observer | None = None,
    **options: Any,
) -> Analysis:
    """Find every object, group the same ones over all the pictures, and locate where each group stands.

    Args:
        pictures: files, folders, uint8 (H, W, 3) RGB arrays or scenes; one or many.
        boxes: use these instead of detecting: of one picture, by picture name (path, file name, stem), or a read box
            file.
        settings: every choice of the run; single ones may be given as keywords instead (``threshold=.3``).
        stage: folder that keeps what was seen in each scene; what is there and still valid is not done again.
        progress: wraps the loop over scenes, given (scenes, label, total).
        observer: models to use again (a server, a benchmark); its settings must be the same.
        **options: fields of :class:`Settings`.

    Memory: all vectors of the collection (N x D float32) and their boxes, a few decoded pictures.

    Raises:
        InputError: if nothing could be analysed; with several pictures, bad ones are listed in ``errors`` instead.

    Example:
        >>> result = analyze("shelf.jpg")  # doctest: +SKIP
        >>> result.save("runs/shelf")  # doctest: +SKIP
    """
    settings = replace(settings or Settings(), **options)
    observer = observer or Observer(settings)
    found = sources(pictures)
    given = box_file(boxes, found)
    cache = PictureCache()
    start = time.perf_counter()
    kept: list[tuple[Source, Staged]] = []
    errors: list[tuple[str, str]] = []
    looked = look(found, observer, given=given, stage=Path(stage) if stage else None, cache=cache)
    for source, staged in progress(looked, "scenes", len(found)) if progress else looked:
        if isinstance(staged, Staged):
            kept.append((source, staged))
        elif len(found) == 1:
            raise staged
        else:
            errors.append((source.where, reason(staged)))
    return conclude(
        kept,
        errors,
        settings=settings,
        card=observer.embedder.card,
        weights=weights_of(observer),
        seconds={"observe": time.perf_counter() - start},
        pictures=cache,
        given=given,
    )


def conclude(
    kept: Sequence[tuple[Source, Staged]],
    errors: Sequence[tuple[str, str]],
    *,
    settings: Settings,
    card: Mapping[str, Any],
    weights: Mapping[str, str],
    seconds: Mapping[str, float],
    pictures: PictureCache,
    names: Names | None = None,
    given: BoxFile | None = None,
) -> Analysis:
    """Do the second half: joint identities of all that was seen, then the congregations of every scene.

    Args:
        kept: scenes and what was seen in them, in input order.
        errors: (file, reason) of the pictures that were left out.
        settings: of the run.
        card: the embedder's card.
        weights: SHA-256 of the weights.
        seconds: wall time of the first half.
        pictures: where drawing finds the pictures.
        names: identities keep these names, and new ones follow.
        given: the boxes that were given; with ``settings.linked``, those of other frames are followed, too.

    Raises:
        InputError: if there is no scene at all.
    """
    if not kept:
        raise InputError(f"none of the {len(errors)} pictures could be analysed; the first: {errors[0][1]}")
    seconds = dict(seconds)
    start = time.perf_counter()
    parts = [s.observation.objects for _, s in kept]
    hints, warnings = known([source for source, _ in kept], parts, settings=settings, given=given)
    parts, clustering = identify(parts, settings=settings, card=card, hints=hints)
    clustering["warnings"] += warnings
    if names is not None:
        parts, names = names.keep([source.name for source, _ in kept], parts)
        clustering["next_name"] = names.fresh
    seconds["cluster"] = time.perf_counter() - start

    start = time.perf_counter()
    parts, congregations = congregate(parts, [s.size for _, s in kept], settings=settings)
    seconds["aggregate"] = time.perf_counter() - start
    results = tuple(
        SceneResult(source, staged.size, objects, groups, seen.detection, seen.seconds, seen.warnings)
        for (source, staged), objects, groups in zip(kept, parts, congregations, strict=True)
        for seen in [staged.observation]
    )
    return Analysis(results, settings, clustering, tuple(errors), seconds, dict(weights), pictures)


def box_file(boxes: GivenBoxes | None, found: Sequence[Source]) -> BoxFile | None:
    """Bring given boxes into one form; boxes that name no picture need there to be one picture only."""
    from packed_scenes.data.boxes import BoxFile

    if boxes is None:
        return None
    if isinstance(boxes, Objects):
        boxes = {"": boxes}
    given = boxes if isinstance(boxes, BoxFile) else BoxFile(Path("boxes"), dict(boxes))
    if set(given.scenes) == {""} and len(found) != 1:
        raise InputError(
            f"these boxes name no picture, but there are {len(found)} pictures",
            remedy="Give one picture, or a box file that names each picture (COCO, or CSV with an image column).",
        )
    return given
