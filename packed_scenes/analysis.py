"""The main job: pictures -> boxes -> vectors -> identities -> congregations, for one scene or many."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packed_scenes.clustering_constraints import clustering_constraints
from packed_scenes.data.errors import InputError
from packed_scenes.data.read_ahead import import_ahead
from packed_scenes.identify import assumptions, congregate, identify
from packed_scenes.names import Names
from packed_scenes.observation import Observation
from packed_scenes.observe import Observer, observe_scenes, separate_errors, weights_of
from packed_scenes.pictures import Picture, PictureCache, Source
from packed_scenes.results import Analysis, SceneResult
from packed_scenes.settings import Settings
from packed_scenes.sources import given_boxes, sources

if TYPE_CHECKING:
    from packed_scenes.data.boxes import BoxFile
    from packed_scenes.sources import GivenBoxes

Progress = Callable[[Iterable[Any], str, int], Iterable[Any]]


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
        boxes: use these instead of detecting: a box file or its path, those of one picture, or by picture name (path,
            file name, stem).
        settings: every choice of the run; single ones may be given as keywords instead (``threshold=.3``).
        stage: folder that keeps what was observed in each scene; what is there and still valid is not done again.
        progress: wraps the loop over scenes, given (scenes, label, total).
        observer: models to use again (a server, a benchmark); its settings must be the same.
        **options: fields of :class:`Settings`; without ``settings``, a ``preset`` brings its own.

    Memory: all vectors of the collection (N x D float32) and their boxes, a few decoded pictures.

    Raises:
        InputError: if nothing could be analysed; with several pictures, bad ones are listed in ``errors`` instead.

    Example:
        >>> result = analyze("shelf.jpg")  # doctest: +SKIP
        >>> result.save("runs/shelf")  # doctest: +SKIP
    """
    settings = replace(settings, **options) if settings is not None else Settings.choose(**options)
    observer = observer or Observer(settings)
    passed_over: list[str] = []
    found = sources(pictures, warn=passed_over.append)
    given = given_boxes(boxes, found)
    if given is None:
        settings.require_detector()
    cache = PictureCache()
    start = time.perf_counter()
    hierarchy = import_ahead("scipy.cluster.hierarchy")  # .3 s of a first result, while the networks work
    observed = observe_scenes(found, observer, given=given, stage=Path(stage) if stage else None, cache=cache)
    observations, errors = separate_errors(
        progress(observed, "scenes", len(found)) if progress else observed, len(found)
    )
    hierarchy.join()
    result = group_scenes(
        observations,
        errors,
        settings=settings,
        card=observer.embedder.card,
        weights=weights_of(observer),
        seconds={"observe": time.perf_counter() - start},
        pictures=cache,
        given=given,
    )
    result.clustering["warnings"] += passed_over
    return result


def group_scenes(
    observations: Sequence[tuple[Source, Observation]],
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
    """Do the second half: joint identities of all that was observed, then the congregations of every scene.

    Args:
        observations: scenes and what was observed in them, in input order.
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
    if not observations:
        raise InputError(
            f"none of the {len(errors)} pictures could be analysed; the first: {errors[0][1]}", remedy="Name pictures."
        )
    seconds = dict(seconds)
    start = time.perf_counter()
    parts = [observation.objects for _, observation in observations]
    known, warnings = clustering_constraints(
        [source for source, _ in observations], parts, settings=settings, given=given
    )
    parts, clustering = identify(parts, settings=settings, card=card, constraints=known)
    clustering["warnings"] += [
        *settings.warnings(),
        *assumptions(card),
        *warnings,
        *(() if given is None else given.warnings),
    ]
    if names is not None:
        parts, names = names.carry_over([source.name for source, _ in observations], parts)
        clustering["next_name"] = names.next_number
    seconds["cluster"] = time.perf_counter() - start

    start = time.perf_counter()
    parts, congregations = congregate(parts, [observation.size for _, observation in observations], settings=settings)
    seconds["aggregate"] = time.perf_counter() - start
    results = tuple(
        SceneResult(source, observed.size, objects, groups, observed.detection, observed.seconds, observed.warnings)
        for (source, observed), objects, groups in zip(observations, parts, congregations, strict=True)
    )
    return Analysis(results, settings, clustering, tuple(errors), seconds, dict(weights), pictures)
