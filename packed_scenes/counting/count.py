"""Count the identities in a folder of crops: embed, draw the curve, ask, cluster."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.counting import Curve, Progress, count_curve, estimate_count
from packed_scenes.counting.answers import AnswerBook, Judge, Undo
from packed_scenes.data.errors import InputError
from packed_scenes.data.folders import list_images

if TYPE_CHECKING:
    from packed_scenes.cluster.base import Hints
    from packed_scenes.cluster.decision import Decision

Told = Callable[[str], None]
Bar = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to count.

    Attributes:
        embedder: a descriptor's name or weights file.
        threshold: cosine distance of the plain clustering; None = decided from the set itself.
        target: half the interval over the count at which the asking ends.
        device, seed: of everything.
    """

    embedder: str = "default"
    threshold: float | None = None
    target: float = 0.1
    device: str = "auto"
    seed: int = 0


@dataclass
class Count:
    """What was found.

    Attributes:
        folder: of the crops. paths: (N,) their files. names: (N,) relative to the folder.
        vectors: (N, D) float32. labels: (N,) clusters by size. probability: (N,).
        plain: clusters with nothing asked; ``plain_threshold`` is where they part. threshold: the one of ``labels``.
        expected: BCubed F to be expected of the plain clusters, NaN where it is not known.
        unvetted: the interval without any answer.
        curve: count against threshold. asked: answers and the estimate; None if nothing was asked.
        count, low, high: the result and its interval. method: ``vetted pairs`` or ``decision``.
        pairs: answers given. errors: (file, reason) left out. warnings: one line each.
        seconds: per stage. weights: hash or key of the embedder. options: as asked for.
    """

    folder: Path
    paths: list[Path]
    names: list[str]
    vectors: npt.NDArray[np.float32]
    options: Options
    curve: Curve
    plain: int
    plain_threshold: float
    expected: float
    unvetted: tuple[int, int]
    labels: npt.NDArray[np.int64]
    probability: npt.NDArray[np.float32]
    threshold: float
    count: float
    low: float
    high: float
    method: str
    asked: Progress | None = None
    pairs: int = 0
    card: dict[str, Any] = field(default_factory=dict)
    errors: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    simple: dict[str, Any] = field(default_factory=dict)

    def sentence(self) -> str:
        """The result in words."""
        low, high = self.interval
        return f"there are about {round(self.count):,} different ones, between {low:,} and {high:,}"

    @property
    def interval(self) -> tuple[int, int]:
        """The limits as whole numbers, the low one rounded down and the high one up."""
        return _whole(self.low, self.high)

    def evidence(self) -> list[str]:
        """What the result rests on, one line each."""
        plateau = self.curve.plateau()
        low, high = self.unvetted
        lines = [f"plain clustering: {self.plain:,} clusters, parted at distance {self.plain_threshold:.3f}"]
        if plateau is None:
            lines.append("the count has no stable range of the threshold")
        else:
            span = f"from {plateau.low:.2f} to {plateau.high:.2f}"
            lines.append(f"stable range of the threshold: {plateau.most:,} to {plateau.fewest:,} clusters {span}")
        lines.append(f"without any answer: between {low:,} and {high:,}")
        if self.asked is not None and self.asked.estimate is not None:
            e = self.asked.estimate
            lines.append(f"{self.pairs:,} answered pairs about {e.items} drawn crops: {e.count:,.0f} ± {e.error:,.0f}")
        else:
            lines.append("answer some pairs for a smaller interval: --ask browser")
        for name, route in self.simple.items():
            lines.append(f"{name.replace('_', ' ')}: {route['count']:,}")
        return lines

    def to_json(self) -> dict[str, Any]:
        """The result with its evidence, as JSON values."""
        plateau = self.curve.plateau()
        estimate = self.asked.estimate if self.asked else None
        return {
            "count": round(self.count),
            "interval": list(self.interval),
            "level": 0.95,
            "method": self.method,
            "files": len(self.paths),
            "left_out": len(self.errors),
            "clusters_written": int(self.labels.max(initial=-1)) + 1,
            "pairs_vetted": self.pairs,
            "evidence": {
                "plain": {
                    "count": self.plain,
                    "threshold": round(self.plain_threshold, 4),
                    "expected_bcubed_f": None if math.isnan(self.expected) else round(self.expected, 3),
                },
                "plateau": None if plateau is None else asdict(plateau) | {"count": plateau.count},
                "decision": {"interval": list(self.unvetted)},
                "vetted": None if estimate is None else {k: round(v, 3) for k, v in asdict(estimate).items()},
            },
            "simple": self.simple,
            "warnings": self.warnings,
        }


def _whole(low: float, high: float) -> tuple[int, int]:
    return math.floor(low), math.ceil(high)


def count_folder(
    folder: str | Path,
    *,
    options: Options | None = None,
    cache: Path,
    book: Callable[[list[str]], AnswerBook] | None = None,
    judge: Callable[[AnswerBook, list[Path]], Judge] | None = None,
    bar: Bar | None = None,
    tell: Told | None = None,
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
        tell: receives a line when a stage is done.

    Raises:
        InputError: if there are fewer than two readable crops, or the embedder cannot be loaded.
    """
    chosen = options or Options()
    say = tell or (lambda _: None)
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
    say(f"plain clustering: {plain.count:,} clusters, parted at distance {plain.threshold:.3f}")

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
        raise InputError(f"{len(found.paths)} readable crop, a count needs two", file=files[0].parent)
    errors = [(str(path), reason) for path, reason in found.failed]
    return found.paths, check_vectors(found.matrix), found.card, errors


def _ask(
    vectors: npt.NDArray[np.float32],
    answers: AnswerBook,
    judge: Judge | None,
    scale: float,
    chosen: Options,
    say: Told,
) -> Progress:
    from packed_scenes.cluster.counting import Enough
    from packed_scenes.cluster.counting.frame import Frames

    frames = Frames(vectors, scale=scale)

    def nobody(a: int, b: int) -> Any:
        raise Enough

    who = judge or nobody

    def tell(state: Progress) -> None:
        if state.estimate is not None:
            e = state.estimate
            say(f"{len(answers)} pairs: about {e.count:,.0f}, between {e.low:,.0f} and {e.high:,.0f}")

    while True:
        try:
            return estimate_count(
                frames, lambda a, b: answers.ask(a, b, who), calibrated=scale, target=chosen.target,
                seed=chosen.seed, tell=tell,
            )  # fmt: skip
        except Undo:
            # The questions follow from the answers: without the last one, starting over leads back to its question.
            answers.undo()
