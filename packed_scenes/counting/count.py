"""Count the identities in a folder of crops: embed, draw the curve, ask, cluster."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.counting import Progress, count_curve, estimate_count
from packed_scenes.counting.answers import AnswerBook, Judge, Undo
from packed_scenes.counting.result import Count, Options
from packed_scenes.crops.folders import Bar
from packed_scenes.data.errors import InputError
from packed_scenes.data.folders import list_images

if TYPE_CHECKING:
    from packed_scenes.cluster.base import Hints
    from packed_scenes.cluster.decision import Decision

Status = Callable[[str], None]


def count_folder(
    folder: str | Path,
    *,
    options: Options | None = None,
    cache: Path,
    book: Callable[[list[str]], AnswerBook] | None = None,
    judge: Callable[[AnswerBook, list[Path]], Judge] | None = None,
    bar: Bar | None = None,
    status: Status | None = None,
) -> Count:
    """Count the identities in a folder of crops.

    Args:
        folder: crops, one object each, in any subfolders.
        options: see :class:`Options`.
        cache: folder of descriptors; a picture is described once.
        book: makes the answer book from the crops' names; with the answers of an earlier run it resumes.
        judge: makes the one who answers, from the book and the crops' files; None = nothing is asked, but answers
            already in the book are used.
        bar: called with (done, all) while embedding.
        status: receives a line when a stage is done.

    Raises:
        InputError: if there are fewer than two readable crops, or the embedder cannot be loaded.
    """
    chosen = options or Options()
    say = status or (lambda _: None)
    seconds: dict[str, float] = {}
    start = time.perf_counter()
    root = Path(folder)
    if not root.is_dir():
        raise InputError("no such folder", file=root, remedy="Give a folder of crops, one object each.")
    paths, vectors, card, errors = _embed(list_images([root]), chosen, cache, bar)
    names = [path.relative_to(root).as_posix() for path in paths]
    seconds["embed"] = time.perf_counter() - start
    say(f"{len(paths):,} crops embedded")

    start = time.perf_counter()
    unit = card.get("calibration", {}).get("threshold")
    plain = _plain(vectors, unit, chosen.threshold)
    warnings = plain.warnings
    curve = count_curve(vectors, calibrated=plain.scale)
    seconds["curve"] = time.perf_counter() - start
    say(f"plain clustering: {plain.count:,} clusters at a cosine distance of {plain.threshold:.3f}")

    start = time.perf_counter()
    answers = book(names) if book else AnswerBook(names)
    asked = None
    if judge is not None or len(answers):
        asked = _ask(vectors, answers, judge and judge(answers, paths), plain.scale, chosen, say)
    seconds["ask"] = time.perf_counter() - start

    start = time.perf_counter()
    final = plain
    if asked is not None and asked.estimate is not None:
        count, low, high, method = asked.estimate.count, asked.estimate.low, asked.estimate.high, "vetted pairs"
        final = _clusters_for(vectors, unit, count, answers)
    else:
        method = "decision"
        if len(answers):
            warnings.append("too few answers for an estimate from pairs; they only hold clusters together or apart")
            final = _plain(vectors, unit, chosen.threshold, answers)
        count, (low, high) = final.count, final.interval
    seconds["cluster"] = time.perf_counter() - start
    return Count(
        folder=root, paths=paths, names=names, vectors=vectors, options=chosen, curve=curve,
        plain=plain.count, plain_threshold=plain.threshold, expected=plain.expected, unvetted=plain.interval,
        labels=final.labels, probability=final.probability, threshold=final.threshold,
        count=count, low=low, high=high, method=method,
        asked=asked, pairs=len(answers), card=card, errors=errors, warnings=warnings,
        seconds={name: round(value, 3) for name, value in seconds.items()},
    )  # fmt: skip


@dataclass(frozen=True)
class _Clusters:
    """Clusters of the crops: (N,) labels and probabilities, where they part, what is expected of them, the limits of
    their number, and warnings.
    """

    labels: npt.NDArray[np.int64]
    probability: npt.NDArray[np.float32]
    threshold: float
    expected: float
    interval: tuple[int, int]
    warnings: list[str]

    @property
    def count(self) -> int:
        return int(self.labels.max()) + 1

    @property
    def scale(self) -> float:
        """The unit of distances for the curve and for what is asked."""
        return float(np.clip(self.threshold, 0.01, 1.0))


def _plain(
    vectors: npt.NDArray[np.float32],
    unit: float | None,
    threshold: float | None,
    answers: AnswerBook | None = None,
) -> _Clusters:
    """Cluster with nothing known but the links that answers gave; the interval is that of the same decision."""
    from packed_scenes.cluster import decision

    found = decision.count(decision.Evidence(vectors, _links(answers), unit=unit))
    warnings = []
    if found.lost:
        expected = found.decision.expected_f
        line = f"these vectors hardly tell the crops apart (BCubed F of {expected:.2f} expected): answer some pairs"
        warnings.append(line)
    if threshold is None:
        return _clusters(found.decision, (found.low, found.high), warnings)
    from packed_scenes.cluster import AverageLinkage

    links = _links(answers)
    model = AverageLinkage(threshold).fit(vectors, must_link=links.must_link, cannot_link=links.cannot_link)
    limits = min(found.low, model.n_clusters_), max(found.high, model.n_clusters_)
    return _Clusters(model.labels_, model.probabilities_, threshold, math.nan, limits, warnings)


def _clusters_for(vectors: npt.NDArray[np.float32], unit: float | None, count: float, answers: AnswerBook) -> _Clusters:
    """The clusters of the decision whose number is the count that answered pairs gave."""
    from packed_scenes.cluster import decision

    found = decision.decide_for(decision.Evidence(vectors, _links(answers), unit=unit), count)
    return _clusters(found, (found.count, found.count), [])


def _clusters(found: Decision, limits: tuple[int, int], warnings: list[str]) -> _Clusters:
    from packed_scenes.cluster import canonical

    sure = np.clip(found.probability, 0, 1).astype(np.float32)
    return _Clusters(canonical(found.labels), sure, found.boundary, found.expected_f, limits, warnings)


def _links(answers: AnswerBook | None) -> Hints:
    from packed_scenes.cluster.base import Hints

    must, apart = answers.links() if answers is not None else ([], [])
    return Hints(
        must_link=np.array(must, np.int64).reshape(-1, 2), cannot_link=np.array(apart, np.int64).reshape(-1, 2)
    )


def _embed(
    files: list[Path], chosen: Options, cache: Path, bar: Bar | None
) -> tuple[list[Path], npt.NDArray[np.float32], dict[str, Any], list[tuple[str, str]]]:
    from packed_scenes.cluster.base import check_vectors
    from packed_scenes.embed.descriptors import extract

    found = extract(files, chosen.embedder, cache=cache, device=chosen.device, progress=bar, seed=chosen.seed)
    if len(found.paths) < 2:
        raise InputError(
            f"{len(found.paths)} readable crop, a count needs two",
            file=files[0].parent,
            remedy="Name a folder with more.",
        )
    errors = [(str(path), reason) for path, reason in found.failed]
    return found.paths, check_vectors(found.matrix), found.card, errors


def _ask(
    vectors: npt.NDArray[np.float32],
    answers: AnswerBook,
    judge: Judge | None,
    scale: float,
    chosen: Options,
    say: Status,
) -> Progress:
    from packed_scenes.cluster.counting import StopAsking
    from packed_scenes.cluster.counting.frame import Frames

    frames = Frames(vectors, scale=scale)

    def nobody(a: int, b: int) -> Any:
        raise StopAsking

    who = judge or nobody

    def on_round(state: Progress) -> None:
        if state.estimate is not None:
            e = state.estimate
            say(f"{len(answers)} pairs: about {e.count:,.0f}, between {e.low:,.0f} and {e.high:,.0f}")

    while True:
        try:
            return estimate_count(
                frames, lambda a, b: answers.ask(a, b, who), calibrated=scale, target=chosen.target,
                seed=chosen.seed, callback=on_round,
            )  # fmt: skip
        except Undo:
            # The questions follow from the answers: without the last one, starting over leads back to its question.
            answers.undo()
